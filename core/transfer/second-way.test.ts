import { describe, expect, it } from "vitest";
import { FakeClock } from "../../tests/support/fake-clock.ts";
import { acceptPaced, PacedEdge } from "../../tests/support/paced-edge.ts";
import type { RelayEdge } from "../edge/relay-edge.ts";
import { type Failure, toFailure } from "../failure.ts";
import { SEALED_PACK_BYTES } from "../units.ts";
import { Fleet } from "./fleet.ts";
import { SecondWay } from "./second-way.ts";

const NO_WAITS = { disk: 0, engine: 0 };
const WINDOW = 8;

/** A receive from one relay over WebTransport, with a second way to it over TCP. */
class World {
  readonly clock = new FakeClock();
  readonly home: PacedEdge;
  readonly tcp: PacedEdge;
  readonly fleet: Fleet;
  readonly came: number[] = [];
  isCounted = false;
  failure: Failure | undefined;
  readonly #packs: number;
  #next = 0;

  /** @param rates of the link and of the second way, MB/s */
  constructor(rates: readonly [home: number, tcp: number], packs = 60) {
    this.#packs = packs;
    const edge = (rate: number) => new PacedEdge("relay.example", this.clock, rate * 1e6, packs, SEALED_PACK_BYTES);
    [this.home, this.tcp] = [edge(rates[0]), edge(rates[1])];
    this.home.kind = "webtransport";
    const home = this.home as unknown as RelayEdge;
    const second = new SecondWay({ home, edge: this.tcp, isCounted: () => this.isCounted });
    this.fleet = new Fleet({ home, second, clock: this.clock, seed: 7 });
    this.fleet.setEnd(packs);
  }

  /** Both ways are one line of so many MB/s, which those that carry something share as they do. */
  share(rate: number, homeShare = 0.5): void {
    const active = (edge: number) => (this.fleet.snapshot(NO_WAITS).edges[edge]?.active ?? 0) > 0;
    const rateOf = (part: number, other: number) => () => rate * 1e6 * (active(other) ? part : 1);
    Object.defineProperty(this.home, "bytesPerSec", { get: rateOf(homeShare, 1) });
    Object.defineProperty(this.tcp, "bytesPerSec", { get: rateOf(1 - homeShare, 0) });
  }

  /** Fetches with a window, as a receiver does. */
  start(): void {
    const { signal } = new AbortController();
    const lane = async () => {
      for (let pack = this.#next++; pack < this.#packs; pack = this.#next++) {
        this.came.push(await this.fleet.get("pack", pack, acceptPaced, signal));
        this.fleet.setEnd(this.#packs);
      }
    };
    Promise.all(Array.from({ length: WINDOW }, lane)).catch((error: unknown) => {
      this.failure = toFailure(error, "engine/failed");
    });
  }

  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms && !this.isOver; passedMs += 10) await this.clock.advance(10);
  }

  async toEnd(): Promise<void> {
    for (let step = 0; step < 20_000 && !this.isOver; step++) await this.clock.advance(10);
    if (this.failure !== undefined) throw this.failure;
    expect(this.came.toSorted((a, b) => a - b)).toEqual(Array.from({ length: this.#packs }, (_, pack) => pack));
  }

  get isOver(): boolean {
    return this.came.length === this.#packs || this.failure !== undefined;
  }

  get causes(): string[] {
    return this.fleet.snapshot(NO_WAITS).replans.flatMap(({ causes }) => causes.map(({ cause }) => cause));
  }

  get standings(): string[] {
    return this.fleet.snapshot(NO_WAITS).edges.map(({ kind, standing }) => `${kind} ${standing}`);
  }
}

describe("a second way to home", () => {
  it("is kept where both together carry more than the link alone, and told as one new edge", async () => {
    const world = new World([10, 10]);
    const startedMs = world.clock.now();
    world.start();
    await world.pass(2_900);
    expect(world.tcp.asked).toEqual([]);
    await world.pass(1_000);
    expect(world.tcp.asked.length).toBeGreaterThan(0);
    expect(world.causes).toEqual([]);
    await world.toEnd();
    expect(world.standings).toEqual(["webtransport up", "tcp up"]);
    expect(world.causes).toEqual(["edge-new"]);
    // Three seconds alone, the rest together, and what a window of eight packs loses.
    const aloneMs = 3_000;
    const togetherMs = (60 * SEALED_PACK_BYTES - aloneMs * 10_000) / 20_000;
    expect(world.clock.now() - startedMs).toBeLessThan(1.15 * (aloneMs + togetherMs));
  });

  it("takes over what the link began and would take far longer for", async () => {
    const world = new World([0.2, 10]);
    const startedMs = world.clock.now();
    world.start();
    await world.pass(2_900);
    expect([world.home.asked.length, world.home.gave.length]).toEqual([WINDOW, 0]);
    await world.toEnd();
    const [aloneMs, togetherMs] = [3_000, (60 * SEALED_PACK_BYTES) / 10_200];
    expect(world.clock.now() - startedMs).toBeLessThan(1.15 * (aloneMs + togetherMs));
    expect(world.standings).toEqual(["webtransport up", "tcp up"]);
  });

  it.each([0.5, 0.25, 0.7])(
    "is left again where both share one line (%s of it the link's), and nothing of that is told as a change",
    async (homeShare) => {
      const world = new World([10, 10], 100);
      world.share(10, homeShare);
      world.start();
      await world.pass(4_000);
      expect(world.tcp.asked.length).toBeGreaterThan(0);
      await world.pass(4_000);
      const given = world.tcp.asked.length;
      expect(world.standings).toEqual(["webtransport up", "tcp resting"]);
      await world.toEnd();
      expect(world.tcp.asked.length).toBe(given);
      expect(world.causes).toEqual([]);
      // What was under way there when it was left was finished, and not asked for again.
      expect(world.home.gave.length + world.tcp.gave.length).toBe(100);
      expect(world.home.asked.length + world.tcp.asked.length).toBeLessThanOrEqual(100 + WINDOW);
    },
  );

  it("is not tried where what is left is a matter of seconds, nor where the receiver is the slower one", async () => {
    const short = new World([10, 10], 18);
    short.start();
    await short.toEnd();
    expect(short.tcp.asked).toEqual([]);
    expect(short.fleet.snapshot(NO_WAITS).edges).toHaveLength(1);

    const slow = new World([40, 40]);
    const { signal } = new AbortController();
    for (let pack = 0; pack < 40; pack++) {
      const got = slow.fleet.get("pack", pack, acceptPaced, signal);
      await slow.clock.advance(250);
      await got;
    }
    expect(slow.tcp.asked).toEqual([]);
  });

  it("carries on at once when the link is lost, with nobody waiting, and leaves it to the link when that is back", async () => {
    const world = new World([10, 10]);
    world.start();
    await world.pass(1_000);
    world.home.isUp = false;
    world.fleet.changed();
    await world.pass(100);
    expect(world.tcp.asked.length).toBeGreaterThan(0);
    expect(world.fleet.status.nextTryAtMs).toBeNull();
    const [before, packs] = [world.came.length, 10];
    await world.pass((packs * SEALED_PACK_BYTES) / 10_000);
    expect(world.came.length - before).toBeGreaterThanOrEqual(packs - 3);
    world.home.isUp = true;
    world.fleet.changed();
    expect(world.standings).toEqual(["webtransport up", "tcp resting"]);
    await world.pass(1_000);
    expect(world.causes).toContain("edge-lost");
    const given = world.home.gave.length;
    await world.toEnd();
    expect(world.home.gave.length).toBeGreaterThan(given + 10);
  });

  it("does not go on beside a link that came back over TCP", async () => {
    const world = new World([10, 10]);
    world.start();
    await world.pass(5_000);
    world.home.isUp = false;
    world.fleet.changed();
    await world.pass(1_000);
    world.home.isUp = true;
    world.home.kind = "tcp";
    world.fleet.changed();
    await world.pass(100);
    const given = world.tcp.asked.length;
    await world.toEnd();
    expect(world.tcp.asked.length).toBe(given);
  });

  it("takes over within a second or so from a link on which nothing comes, and gives way when something does", async () => {
    const world = new World([10, 10]);
    world.start();
    await world.pass(1_500);
    world.home.isSilent = true;
    await world.pass(900);
    expect(world.tcp.asked).toEqual([]);
    await world.pass(300);
    expect(world.tcp.asked.length).toBeGreaterThan(0);
    expect(world.standings).toEqual(["webtransport waiting", "tcp up"]);
    const before = world.came.length;
    await world.pass(2_000);
    expect(world.came.length).toBeGreaterThan(before + 2);
    world.home.isSilent = false;
    await world.pass(100);
    expect(world.standings).toEqual(["webtransport up", "tcp resting"]);
    expect(world.causes).toEqual([]);
    await world.toEnd();
  });

  it("gives pages too while nothing comes over the link, and only then", async () => {
    const world = new World([10, 10]);
    world.start();
    await world.pass(1_500);
    const { signal } = new AbortController();
    const pageOf = (page: number) => world.fleet.get("page", page, acceptPaced, signal);
    expect(await pageOf(1)).toBe(1);
    expect([world.home.pages, world.tcp.pages]).toEqual([[1], []]);
    world.home.isSilent = true;
    const [waiting] = [pageOf(2)];
    await world.pass(1_500);
    expect(await waiting).toBe(2);
    expect(await Promise.race([pageOf(3), world.pass(100)])).toBe(3);
    expect(world.tcp.pages).toEqual([2, 3]);
  });

  it("asks a silent link again when it owes nothing any more", async () => {
    const world = new World([10, 40], 150);
    world.start();
    await world.pass(1_500);
    world.home.isSilent = true;
    await world.pass(4_000);
    const asked = world.home.asked.length;
    world.home.isSilent = false;
    await world.toEnd();
    expect(world.home.asked.length).toBeGreaterThan(asked);
  });

  it("is not for a portal whose owner paused it: that nothing comes then is right", async () => {
    const world = new World([10, 10]);
    world.start();
    await world.pass(1_500);
    world.home.isSilent = true;
    world.home.isKeptBack = true;
    await world.pass(5_000);
    expect(world.tcp.asked).toEqual([]);
  });

  it("is never used beside a link over TCP, nor where downloads are counted", async () => {
    const [tcp, counted] = [new World([10, 10]), new World([10, 10])];
    tcp.home.kind = "tcp";
    counted.isCounted = true;
    for (const world of [tcp, counted]) {
      world.start();
      await world.pass(5_000);
      world.home.isUp = false;
      world.fleet.changed();
      await world.pass(1_000);
      world.home.isUp = true;
      world.fleet.changed();
      await world.toEnd();
      expect(world.tcp.asked).toEqual([]);
    }
  });

  it("is asked no more when it gives wrong bytes, and everything still comes", async () => {
    const world = new World([10, 10]);
    world.tcp.lies = true;
    world.start();
    await world.toEnd();
    expect(world.standings).toEqual(["webtransport up", "tcp barred"]);
    expect(world.tcp.asked.length).toBeLessThan(8);
  });
});
