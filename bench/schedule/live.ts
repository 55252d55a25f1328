/**
 * Whole receives from two real relays on this machine, over lines of a known rate: how much of both lines is used, how soon a
 * line that gets slow is noticed and what that saves, and how soon another relay gives what a dead one owed.
 *
 * @module
 */
import { RelayEdge } from "../../core/edge/relay-edge.ts";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { createPortal } from "../../core/portal/client.ts";
import { createFurther } from "../../core/portal/further.ts";
import { OPEN_LINK } from "../../core/portal/new-link.ts";
import type { EdgesSnapshot } from "../../core/transfer/edges-snapshot.ts";
import { Fleet } from "../../core/transfer/fleet.ts";
import { SEALED_PACK_BYTES } from "../../core/units.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { systemClock } from "../../platform/clock.ts";
import { createDial, relayInfo } from "../../platform/link/dial.ts";
import { noise, objectHash } from "../../tests/support/bytes.ts";
import { launchRelay } from "../../tests/support/launch.ts";
import { portalHost } from "../../tests/support/portal-host.ts";
import { openSlowLine, type SlowLine } from "../../tests/support/slow-line.ts";

const LINE_BYTES_PER_SEC = 20e6;
/** Packs asked for ahead, as a receiver does. */
const WINDOW = 8;
const NO_WAITS = { disk: 0, engine: 0 };
/** A line is watched this often. */
const LOOK_MS = 5;

/** What was measured; undefined where it did not happen. */
export interface LiveSample {
  readonly packs: number;
  /** Both lines steady: bytes by time, by the sum of their rates. */
  readonly goodputShare: number;
  /** Re-plans of that receive. */
  readonly falseAlarms: number;
  /** One line half as fast: until the new plan, and until the first pack went to the other line by it. */
  readonly noticedMs: number | undefined;
  readonly movedMs: number | undefined;
  /** What that plan saves of the time that was left. */
  readonly gain: number | undefined;
  /** The whole receive against the least time that both lines allow. */
  readonly slowFinishRatio: number;
  /** A line that was cut, both lines without a limit: until that was known, then until the other relay was asked, and gave a first byte. */
  readonly lostMs: number | undefined;
  readonly askedMs: number | undefined;
  readonly firstByteMs: number | undefined;
}

interface Ask {
  readonly pack: number;
  readonly atMs: number;
  firstByteMs: number | undefined;
}

/** Writes down when it was asked, and when the first bytes came. */
class TracedEdge extends RelayEdge {
  readonly asks: Ask[] = [];

  override get<T>(
    pack: number,
    accept: (object: SealedObject) => Promise<T>,
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<T> {
    const ask: Ask = { pack, atMs: systemClock.now(), firstByteMs: undefined };
    this.asks.push(ask);
    return super.get(pack, accept, signal, (bytes) => {
      ask.firstByteMs ??= systemClock.now();
      onBytes(bytes);
    });
  }
}

/** A receive that is under way. */
interface Receive {
  readonly fleet: Fleet;
  readonly edges: readonly TracedEdge[];
  readonly lines: readonly SlowLine[];
  readonly startedMs: number;
  /** Packs that are there. */
  done(): number;
}

/** @param packs of 4 MiB in each receive */
export async function measureLive(packs: number): Promise<LiveSample> {
  await using stack = new AsyncDisposableStack();
  const relays = [stack.use(await launchRelay()), stack.use(await launchRelay())] as const;
  const places = await makePortal(relays[0].url, relays[1].url);
  await storePacks(places, packs);
  const receive = (rate: number, disturb: (now: Receive) => Promise<void>) => runReceive(places, packs, rate, disturb);

  const steady = await receive(LINE_BYTES_PER_SEC, async () => {});
  const goodputShare = (packs * SEALED_PACK_BYTES * 1000) / steady.tookMs / (2 * LINE_BYTES_PER_SEC);

  let slowAtMs = 0;
  const slow = await receive(LINE_BYTES_PER_SEC, async ({ lines, done }) => {
    while (done() < packs / 3) await systemClock.sleep(LOOK_MS);
    lines[1]?.setRate(LINE_BYTES_PER_SEC / 2);
    slowAtMs = systemClock.now();
  });
  const sinceMs = slowAtMs - slow.startedMs;
  const replan = slow.last.replans.find(
    ({ atMs, causes }) => atMs >= sinceMs && causes.some(({ cause, edges }) => cause === "drift" && edges.includes(1)),
  );
  const movedAtMs = replan && slow.edges[0]?.asks.find(({ atMs }) => atMs >= slow.startedMs + replan.atMs)?.atMs;
  const carried = (sinceMs * 2 * LINE_BYTES_PER_SEC) / 1000;
  const leastMs = sinceMs + ((packs * SEALED_PACK_BYTES - carried) * 1000) / (1.5 * LINE_BYTES_PER_SEC);

  let cutAtMs = 0;
  let owed: readonly number[] = [];
  const cut = await receive(Number.POSITIVE_INFINITY, async ({ lines, done, edges }) => {
    while (done() < packs / 3) await systemClock.sleep(LOOK_MS);
    owed = edges[1]?.asks.slice(-WINDOW).map(({ pack }) => pack) ?? [];
    lines[1]?.cut();
    cutAtMs = systemClock.now();
  });
  const loss = cut.last.replans.find(({ causes }) => causes.some(({ cause }) => cause === "edge-lost"));
  const rescue = cut.edges[0]?.asks.find(({ pack, atMs }) => owed.includes(pack) && atMs >= cutAtMs);
  return {
    packs,
    goodputShare,
    falseAlarms: steady.last.replansTotal,
    noticedMs: replan && replan.atMs - sinceMs,
    movedMs: movedAtMs === undefined ? undefined : movedAtMs - slowAtMs,
    gain: replan?.gain ?? undefined,
    slowFinishRatio: slow.tookMs / leastMs,
    lostMs: loss && cut.startedMs + loss.atMs - cutAtMs,
    askedMs: rescue && rescue.atMs - cutAtMs,
    firstByteMs: rescue?.firstByteMs === undefined ? undefined : rescue.firstByteMs - rescue.atMs,
  };
}

/** A portal at one relay. */
interface Place {
  readonly url: string;
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly ownerToken: Uint8Array<ArrayBuffer>;
  readonly lease: number;
}

async function makePortal(home: string, further: string): Promise<readonly Place[]> {
  const life = { expirySeconds: 3600, idleSeconds: null, maxDownloads: null };
  const free = { invite: null, workBits: 0 };
  const made = await createPortal(portalHost(home), { kind: "send" }, life, OPEN_LINK, free);
  const { portal } = made.link;
  const other = await createFurther(portalHost(further), made, await relayInfo(further), free);
  return [
    { url: home, portal, ownerToken: made.ownerToken, lease: made.lease },
    { url: further, portal, ownerToken: other.ownerToken, lease: other.lease },
  ];
}

/** A link to a relay, or to the line before it. */
async function openLink(
  { portal, ownerToken, lease }: Place,
  origin: string,
  role: "send" | "receive",
  onChange: () => void,
): Promise<SteadyLink> {
  const info = await relayInfo(origin);
  const link = new SteadyLink({
    dial: createDial(origin, { portal, role, token: ownerToken }, info),
    clock: systemClock,
    forced: "tcp",
    webtransportAbsent: "webtransport-absent",
    random: Math.random,
    ...(role === "send" && { lease: { lease, takeOver: false } }),
    onChange,
  });
  await link.connected();
  return link;
}

/** Stores packs of noise at every place. */
async function storePacks(places: readonly Place[], packs: number): Promise<void> {
  const links = await Promise.all(places.map((place) => openLink(place, place.url, "send", () => {})));
  for (let pack = 0; pack < packs; pack++) {
    const bytes = noise(SEALED_PACK_BYTES, `pack ${pack}`);
    const header = { kind: "pack" as const, index: pack, final: false, length: bytes.length, hash: objectHash(bytes) };
    await Promise.all(links.map((link) => link.put({ header, bytes })));
  }
  for (const link of links) link.close();
}

async function runReceive(
  places: readonly Place[],
  packs: number,
  rate: number,
  disturb: (now: Receive) => Promise<void>,
): Promise<{ tookMs: number; startedMs: number; last: EdgesSnapshot; edges: readonly TracedEdge[] }> {
  await using stack = new AsyncDisposableStack();
  const lines: SlowLine[] = [];
  for (const { url } of places) lines.push(stack.use(await openSlowLine(() => Number(new URL(url).port), rate)));
  let changed = () => {};
  const edges = await Promise.all(
    places.map(async (place, i) => {
      const port = lines[i]?.port ?? 0;
      const link = await openLink(place, `http://127.0.0.1:${port}`, "receive", () => changed());
      stack.defer(() => link.close());
      return new TracedEdge(`127.0.0.1:${port}`, link);
    }),
  );
  const [home, other] = edges;
  if (home === undefined || other === undefined) throw new Error("two relays");
  const fleet = new Fleet({ home, clock: systemClock, seed: 1 });
  stack.defer(() => fleet.close());
  fleet.join(other, other);
  changed = () => fleet.changed();
  fleet.setEnd(packs);
  const { signal } = new AbortController();
  const startedMs = systemClock.now();
  let next = 0;
  let done = 0;
  const lane = async () => {
    for (let pack = next++; pack < packs; pack = next++) {
      await fleet.get("pack", pack, async () => {}, signal);
      fleet.setEnd(packs);
      done += 1;
    }
  };
  const all = Promise.all(Array.from({ length: WINDOW }, lane));
  await disturb({ fleet, edges, lines, startedMs, done: () => done });
  await all;
  return { tookMs: systemClock.now() - startedMs, startedMs, last: fleet.snapshot(NO_WAITS), edges };
}
