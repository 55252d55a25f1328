import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { toHex } from "../../relay-server/src/bytes.ts";
import {
  askLease,
  base64url,
  bearer,
  createPortal,
  getObject,
  leased,
  putObject,
  sealed,
  TestLink,
  type TestPortal,
} from "../integration/relay-client.ts";
import { type TestRelay, testRelay } from "../integration/relay-fixture.ts";
import { objectHash } from "../support/bytes.ts";
import { rounds } from "./scale.ts";

const RACERS = 20;
const RACES = rounds(3, 25);
const TAKE_OVERS = rounds(8, 50);
const PACKS_IN_FLIGHT = 3;

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay();
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

/** Wants the lease, without taking it from anybody; gives it, or the failure's number, and the link to hold it. */
async function race(
  portal: TestPortal,
  overHttp: boolean,
): Promise<{ lease?: number; code?: number; link?: TestLink }> {
  if (overHttp) {
    const answer = await askLease(url, portal, false);
    const body = await answer.json();
    return answer.ok ? { lease: body.lease } : { code: FAILURES[body.code as keyof typeof FAILURES].wire };
  }
  const link = await TestLink.connect(url);
  link.hello(portal, "send", undefined, { lease: 0 });
  const said = await link.next("welcome").catch(() => link.next("bye"));
  return said.t === "welcome" ? { lease: said.lease, link } : { code: said.code };
}

async function stateOf(portal: TestPortal): Promise<{ senders: number; heldPacks: number[]; heldPages: number[] }> {
  return (await fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) })).json();
}

function indexes(ranges: readonly number[]): number[] {
  const out: number[] = [];
  for (let at = 0; at < ranges.length; at += 2)
    for (let n = ranges[at] ?? 0; n < (ranges[at + 1] ?? 0); n++) out.push(n);
  return out;
}

describe("many senders of one portal", () => {
  it(`[RELAY-35] R19: of ${RACERS} that race over links and requests exactly one holds the lease, ${RACES} times`, async () => {
    for (let round = 0; round < RACES; round++) {
      const portal = await createPortal(url);
      const racers = Array.from({ length: RACERS }, (_, i) => race(portal, i % 3 === 0));
      const outcomes = await Promise.all(racers);
      expect(outcomes.filter(({ lease }) => lease === 2)).toHaveLength(1);
      expect(outcomes.filter(({ code }) => code === FAILURES["portal/leased"].wire)).toHaveLength(RACERS - 1);
      expect((await stateOf(portal)).senders).toBe(1);
      for (const { link } of outcomes) await link?.cut();
    }
  });

  it(`[RELAY-36] R19: two that take over from each other ${TAKE_OVERS} times store only what the holder sends`, async () => {
    const portal = await createPortal(url);
    /** Hash of the pack that may stand at an index: what its holder was told is stored, or what had gone out before the take-over. */
    const allowed = new Map<number, string>();
    let holder = await TestLink.open(url, portal, "send");
    let next = 0;
    for (let round = 0; round < TAKE_OVERS; round++) {
      const older = holder;
      const onTheWay = new Map<number, SealedObject>();
      for (let i = 0; i < PACKS_IN_FLIGHT; i++) {
        const pack = sealed("pack", next + i, 4 * 2 ** 20);
        onTheWay.set(next + i, pack);
        older.put(pack);
      }
      // Some rounds the older one is cut off in the middle of a pack, in others after all or none of them.
      for (let acks = 0; acks < round % (PACKS_IN_FLIGHT + 1); acks++) await older.next("ack");
      const overHttp = round % 4 === 3;
      const connecting = TestLink.connect(url);
      const taken = overHttp ? ((await (await askLease(url, portal, true)).json()).lease as number) : 0;
      holder = await connecting;
      holder.hello(portal, "send", undefined, { lease: taken, takeOver: !overHttp });
      const welcome = await holder.next("welcome");
      expect(welcome.lease).toBe(round + 2);
      const before = indexes(welcome.state.heldPacks);
      for (const index of before) {
        const pack = onTheWay.get(index);
        if (pack !== undefined) allowed.set(index, toHex(pack.header.hash));
      }
      expect(await older.next("bye")).toEqual({ t: "bye", code: FAILURES["portal/lease-lost"].wire });
      // Whatever the older one was told is stored is in what the newer one is told.
      for (const frame of older.frames) if (frame.t === "ack") expect(before).toContain(frame.index);

      const stale = sealed("pack", next + PACKS_IN_FLIGHT, 4 * 2 ** 20);
      const mine = sealed("pack", next + PACKS_IN_FLIGHT, 4 * 2 ** 20);
      const [answer] = await Promise.all([
        putObject(url, portal, stale, portal.ownerToken, round + 1),
        commit(portal, round + 1).then(async (refused) =>
          expect((await refused.json()).code).toBe("portal/lease-lost"),
        ),
      ]);
      expect((await answer.json()).code).toBe("portal/lease-lost");
      holder.put(mine);
      await holder.next("ack", ({ index }) => index === mine.header.index);
      allowed.set(mine.header.index, toHex(mine.header.hash));
      next += PACKS_IN_FLIGHT + 1;
      expect(indexes((await stateOf(portal)).heldPacks)).toEqual([...allowed.keys()].sort((a, b) => a - b));
    }
    for (const [index, hash] of allowed) {
      const bytes = new Uint8Array(await (await getObject(url, portal, "pack", index)).arrayBuffer());
      expect(toHex(objectHash(bytes))).toBe(hash);
    }
    await holder.cut();
    expect(relay.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  }, 240_000);
});

function commit(portal: TestPortal, lease: number): Promise<Response> {
  const body = JSON.stringify({ packs: 0, pages: 1, root: base64url(new Uint8Array(32)) });
  const headers = { ...bearer(portal.ownerToken), ...leased(lease), "Content-Type": "application/json" };
  return fetch(`${url}/api/v1/portals/${portal.text}/commit`, { method: "POST", headers, body });
}
