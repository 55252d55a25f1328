import { describe, expect, it } from "vitest";
import { FakeClock } from "../../tests/support/fake-clock.ts";
import { acceptPaced, PacedEdge } from "../../tests/support/paced-edge.ts";
import { RangeSet } from "../chunk/range-set.ts";
import type { RelayEdge } from "../edge/relay-edge.ts";
import { Failure, toFailure } from "../failure.ts";
import { SEALED_PACK_BYTES } from "../units.ts";
import { Fleet } from "./fleet.ts";

const PACKS = 60;
const NO_WAITS = { disk: 0, engine: 0 };

interface World {
  readonly clock: FakeClock;
  readonly edges: readonly PacedEdge[];
  readonly fleet: Fleet;
  /** Names of edges that lied. */
  readonly barred: readonly string[];
  /** Fetches everything with a window of eight, as a receiver does; gives what came, in order. */
  run(packs?: number): Promise<number[]>;
}

/** Edges of these MB/s, the first of them home. */
function world(...rates: readonly number[]): World {
  const clock = new FakeClock();
  const edges = rates.map((rate, i) => new PacedEdge(`relay-${i}`, clock, rate * 1e6, PACKS, SEALED_PACK_BYTES));
  const [home, ...others] = edges;
  if (home === undefined) throw new Error("a home");
  const barred: string[] = [];
  const onBarred = ({ name }: { readonly name: string }) => barred.push(name);
  const fleet = new Fleet({ home: asRelay(home), clock, seed: 7, onBarred });
  for (const other of others) fleet.join(other, asRelay(other));
  fleet.setEnd(PACKS);
  return { clock, edges, fleet, barred, run: (packs = PACKS) => fetchAll(fleet, clock, packs) };
}

/** A relay's edge has private parts that no test needs. */
function asRelay(edge: PacedEdge): RelayEdge {
  return edge as unknown as RelayEdge;
}

async function fetchAll(fleet: Fleet, clock: FakeClock, packs: number): Promise<number[]> {
  const came: number[] = [];
  let next = 0;
  let failure: Failure | undefined;
  const { signal } = new AbortController();
  const lane = async () => {
    for (let pack = next++; pack < packs; pack = next++) {
      came.push(await fleet.get("pack", pack, acceptPaced, signal));
      fleet.setEnd(packs);
    }
  };
  const all = Promise.all(Array.from({ length: 8 }, lane)).catch((error: unknown) => {
    failure = toFailure(error, "engine/failed");
  });
  for (let step = 0; step < 20_000 && came.length < packs && failure === undefined; step++) await clock.advance(10);
  if (failure !== undefined) throw failure;
  await all;
  return came;
}

const sorted = (packs: readonly number[]) => [...packs].sort((a, b) => a - b);
const ALL = Array.from({ length: PACKS }, (_, pack) => pack);

describe("a fleet", () => {
  it("takes every pack from home where home is all there is", async () => {
    const { run, edges } = world(20);
    expect(sorted(await run())).toEqual(ALL);
    expect(edges[0]?.asked).toEqual(ALL);
  });

  it("takes from each edge about as much as it carries, and every pack once", async () => {
    const { run, edges, clock } = world(30, 10);
    const before = clock.now();
    expect(sorted(await run())).toEqual(ALL);
    const [fast = 0, slow = 0] = edges.map(({ gave }) => gave.length);
    expect(fast + slow).toBeLessThanOrEqual(PACKS + 2);
    expect(fast).toBeGreaterThan(2 * slow);
    expect(slow).toBeGreaterThan(PACKS / 8);
    // Within a tenth of what both carry together.
    expect(clock.now() - before).toBeLessThan(1.1 * ((PACKS * SEALED_PACK_BYTES) / 40_000) + 100);
  });

  it("goes on at the other edge at once when one is lost, and comes back to it", async () => {
    const { run, edges, fleet, clock } = world(20, 20);
    const all = run();
    await clock.advance(1000);
    const [, other] = edges;
    if (other === undefined) throw new Error("edges");
    other.isUp = false;
    fleet.changed();
    const given = other.gave.length;
    await clock.advance(2000);
    expect(other.gave.length).toBe(given);
    other.isUp = true;
    fleet.changed();
    expect(sorted(await all)).toEqual(ALL);
    expect(other.gave.length).toBeGreaterThan(given + 5);
    const causes = fleet.snapshot(NO_WAITS).replans.flatMap(({ causes: each }) => each.map(({ cause }) => cause));
    expect(causes).toContain("edge-lost");
    expect(causes).toContain("edge-new");
  });

  it("takes packs from an edge that falls silent to another one", async () => {
    const { run, edges, clock } = world(20, 20);
    const all = run();
    await clock.advance(1000);
    for (const edge of edges.slice(1)) edge.isSilent = true;
    expect(sorted(await all)).toEqual(ALL);
    expect(edges[1]?.gave.length).toBeLessThan(PACKS / 2);
  });

  it("asks an edge that gives a forged pack never again, and still gets everything", async () => {
    const { run, edges, fleet, barred } = world(20, 20, 20);
    const [, , liar] = edges;
    if (liar === undefined) throw new Error("edges");
    liar.lies = true;
    expect(sorted(await run())).toEqual(ALL);
    expect(fleet.snapshot(NO_WAITS).edges[2]).toMatchObject({ standing: "barred", packs: 0 });
    expect(liar.asked.length).toBeLessThan(8);
    expect(new Set(barred)).toEqual(new Set([liar.name]));
  });

  it("fails with what home's packs fail with where nobody gives them right", async () => {
    const { run, edges } = world(20, 20);
    for (const edge of edges) edge.lies = true;
    await expect(run()).rejects.toMatchObject({ code: "pack/forged" });
  });

  it("waits for what nobody holds at every relay, and takes it from the first that has it", async () => {
    const { run, edges, fleet, clock } = world(20, 20);
    for (const edge of edges) edge.held = new RangeSet();
    fleet.changed();
    const all = run(4);
    await clock.advance(500);
    const [home, other] = edges;
    if (home === undefined || other === undefined) throw new Error("edges");
    expect([sorted(home.asked), sorted(other.asked)]).toEqual([ALL.slice(0, 4), ALL.slice(0, 4)]);
    // Nobody tells the receiver of it.
    other.held = rangeOf(0, 2);
    home.held = rangeOf(2, 4);
    expect(sorted(await all)).toEqual([0, 1, 2, 3]);
    expect([sorted(home.gave), sorted(other.gave)]).toEqual([
      [2, 3],
      [0, 1],
    ]);
  });

  it("reads pages from another relay while home is away, also one that was asked for before", async () => {
    const { edges, fleet, clock } = world(20, 20);
    const [home, other] = edges;
    if (home === undefined || other === undefined) throw new Error("edges");
    const { signal } = new AbortController();
    home.isUp = false;
    const page = fleet.get("page", 3, acceptPaced, signal);
    fleet.changed();
    await clock.advance(20);
    expect(await page).toBe(3);
    expect(other.pages).toEqual([3]);
  });

  it("is helped by a peer while home is away, for as long as that gives something", async () => {
    const { edges, fleet, clock } = world(20);
    const [home] = edges;
    const peer = new PacedEdge("", clock, 20e6, 2, SEALED_PACK_BYTES);
    if (home === undefined) throw new Error("edges");
    fleet.join(peer);
    home.isUp = false;
    fleet.changed();
    const { signal } = new AbortController();
    const wanted = [0, 1, 2].map((pack) => fleet.get("pack", pack, acceptPaced, signal));
    for (const each of wanted) each.catch(() => {});
    await clock.advance(100);
    expect(fleet.status.nextTryAtMs).toBeNull();
    expect(await Promise.all([clock.advance(2_000), ...wanted.slice(0, 2)])).toEqual([undefined, 0, 1]);
    expect(fleet.status.nextTryAtMs).not.toBeNull();
    fleet.close();
  });

  it("ends with what ends the portal at home", async () => {
    const { run, edges, clock } = world(20, 20);
    const all = run();
    const ended = expect(all).rejects.toMatchObject({ code: "portal/expired" });
    await clock.advance(200);
    for (const edge of edges) edge.failsWith = new Failure("portal/expired");
    await ended;
  });

  it("notices an edge that becomes four times slower, and gives its packs to the others", async () => {
    const { run, edges, fleet, clock } = world(20, 20);
    const all = run();
    await clock.advance(4000);
    const [, other] = edges;
    if (other === undefined) throw new Error("edges");
    expect(fleet.snapshot(NO_WAITS).replans).toEqual([]);
    other.bytesPerSec /= 4;
    expect(sorted(await all)).toEqual(ALL);
    const { replans } = fleet.snapshot(NO_WAITS);
    expect(replans[0]?.causes).toMatchObject([{ cause: "drift", edges: [1] }]);
  });

  it("says what is under way, and forgets what is wanted no more", async () => {
    const { fleet, clock } = world(20, 20);
    const stop = new AbortController();
    const wanted = [0, 1, 2].map((pack) => fleet.get("pack", pack, acceptPaced, stop.signal));
    for (const each of wanted) each.catch(() => {});
    await clock.advance(60);
    expect(fleet.snapshot(NO_WAITS).packs).toMatchObject({ wanted: 3, active: 3 });
    stop.abort();
    await Promise.allSettled(wanted);
    expect(fleet.snapshot(NO_WAITS).packs).toMatchObject({ wanted: 0, active: 0 });
    await clock.advance(200);
    expect(clock.sleeping).toBe(0);
  });
});

function rangeOf(start: number, end: number): RangeSet {
  const set = new RangeSet();
  set.add(start, end);
  return set;
}
