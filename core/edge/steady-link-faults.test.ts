import { describe, expect, it } from "vitest";
import { settle } from "../../tests/support/fake-clock.ts";
import { EMPTY_STATE } from "../../tests/support/fake-pipe.ts";
import { type Carriers, outcome, packObject, setUpSteady, UNREACHABLE } from "../../tests/support/test-link.ts";
import { Failure } from "../failure.ts";
import { deferred } from "./deferred.ts";

describe("a network that answers in the relay's place", () => {
  it("[EDGE-22] is waited for, by all operations and with its code, until the relay answers again", async () => {
    const foreign = new Failure("relay/foreign");
    const carriers: Carriers = { webtransport: 50 };
    const { clock, steady, links } = setUpSteady(carriers);
    const pending = [steady.put(packObject(0)), steady.get("page", 0, async () => 1)].map(outcome);
    await settle();
    Object.assign(carriers, { webtransport: foreign, http: foreign });
    links[0]?.end(UNREACHABLE);
    await clock.advance(300_000);
    expect(steady.status).toMatchObject({ carrier: null, failure: "relay/foreign" });
    expect(steady.status.nextTryAtMs).toBeGreaterThan(clock.now() - 4_000);
    expect(pending.map(({ code }) => code)).toEqual(["pending", "pending"]);
    Object.assign(carriers, { webtransport: 50 });
    await clock.advance(20_000);
    expect(pending.map(({ code }) => code)).toEqual(["resolved", "resolved"]);
    expect(steady.status.failure).toBeNull();
    steady.close();
  });
});

describe("a sender's lease", () => {
  it("[EDGE-16] is remembered from the first connection, and never taken from somebody else by itself", async () => {
    const wish = { lease: 0, takeOver: true };
    const { clock, steady, links, dials } = setUpSteady({ webtransport: 50 }, { lease: wish }, { lease: 6 });
    expect(steady.lease).toBe(0);
    await settle();
    expect([steady.lease, dials[0]?.wish]).toEqual([6, wish]);
    links.at(-1)?.end(UNREACHABLE);
    await clock.advance(3_000);
    expect(dials.at(-1)?.wish).toEqual({ lease: 6, takeOver: false });
    steady.close();
  });

  it("[EDGE-16] ends everything for good when it is lost, or when another sender is there", async () => {
    const lost = setUpSteady({ webtransport: 1e9 }, { lease: { lease: 3, takeOver: false } });
    const put = outcome(lost.steady.put(packObject()));
    await settle();
    lost.links[0]?.end(new Failure("portal/lease-lost"));
    await lost.clock.advance(60_000);
    expect([put.code, lost.links.length]).toEqual(["portal/lease-lost", 1]);
    expect(lost.steady.status).toEqual({
      carrier: null,
      reason: null,
      nextTryAtMs: null,
      failure: "portal/lease-lost",
    });
    const leased = setUpSteady(
      { webtransport: new Failure("portal/leased") },
      { lease: { lease: 0, takeOver: false } },
    );
    const refused = outcome(leased.steady.connected());
    await leased.clock.advance(100);
    expect(refused.code).toBe("portal/leased");
    for (const { steady } of [lost, leased]) steady.close();
  });

  it("[EDGE-16] is not refused because of a connection of its own that never stood", async () => {
    const carriers: Carriers = { webtransport: "silence" };
    const { clock, steady } = setUpSteady(carriers, {
      lease: { lease: 0, takeOver: false },
      forced: "webtransport",
    });
    const connected = outcome(steady.connected());
    await clock.advance(4_100);
    carriers.webtransport = new Failure("portal/leased");
    await clock.advance(10_000);
    expect([connected.code, steady.status.failure]).toEqual(["pending", "portal/leased"]);
    carriers.webtransport = 10;
    await clock.advance(5_000);
    expect(connected.code).toBe("resolved");
    steady.close();
    const other = setUpSteady(carriers, { lease: { lease: 0, takeOver: false }, forced: "webtransport" });
    carriers.webtransport = "silence";
    other.steady.close();
  });
});

describe("objects that the relay lost", () => {
  it("[EDGE-17] are told once for each loss, whichever connections tell it, and are stored again when put again", async () => {
    const told: string[] = [];
    const { clock, steady, links, relay } = setUpSteady(
      { webtransport: 10 },
      { onLost: (kind, index) => told.push(`${kind} ${index}`) },
    );
    await outcomeOf(steady.put(packObject(0)), clock);
    links[0]?.tellLost("pack", 0);
    links[0]?.tellLost("pack", 0);
    expect(told).toEqual(["pack 0"]);
    await outcomeOf(steady.put(packObject(0)), clock);
    expect(links[0]?.puts).toBe(2);
    await outcomeOf(steady.put(packObject(1)), clock);
    // Lost while nobody could be told: the next welcome shows it.
    relay.state = { ...EMPTY_STATE, heldPacks: [1, 2] };
    links[0]?.end(UNREACHABLE);
    await clock.advance(1_000);
    expect(told).toEqual(["pack 0", "pack 0"]);
    relay.state = { ...EMPTY_STATE, heldPacks: [0, 2] };
    await outcomeOf(steady.put(packObject(0)), clock);
    links[1]?.end(UNREACHABLE);
    await clock.advance(1_000);
    expect(told).toEqual(["pack 0", "pack 0"]);
    steady.close();
  });

  it("[EDGE-17] include what an earlier session stored", async () => {
    const told: string[] = [];
    const onLost = (kind: string, index: number) => told.push(`${kind} ${index}`);
    const state = { ...EMPTY_STATE, heldPacks: [0, 3], heldPages: [0, 1] };
    const { clock, steady, links, relay } = setUpSteady({ webtransport: 10 }, { onLost }, { state });
    await clock.advance(1_000);
    relay.state = { ...EMPTY_STATE, heldPacks: [0, 1, 2, 3] };
    links[0]?.end(UNREACHABLE);
    await clock.advance(2_000);
    expect(told).toEqual(["page 0", "pack 1"]);
    steady.close();
  });
});

async function outcomeOf(work: Promise<unknown>, clock: { advance(ms: number): Promise<void> }): Promise<void> {
  const result = outcome(work);
  await clock.advance(100);
  expect(result.code).toBe("resolved");
}

describe("a relay in trouble", () => {
  for (const code of ["relay/full", "relay/busy", "relay/stopping", "relay/storage"] as const)
    it(`[EDGE-23] is waited for as long as it takes when it answers ${code}, and is not flooded`, async () => {
      const { clock, steady, links } = setUpSteady({ webtransport: 1 });
      await settle();
      const link = links[0];
      if (link === undefined) throw new Error("not connected");
      const works = link.answer;
      let tries = 0;
      link.answer = async () => {
        tries += 1;
        throw new Failure(code);
      };
      const puts = [0, 1, 2, 3, 4, 5, 6].map((index) => outcome(steady.put(packObject(index))));
      await settle();
      expect(tries).toBe(7); // they were under way already
      expect(steady.status).toEqual({
        carrier: "webtransport",
        reason: "first-choice",
        nextTryAtMs: clock.now() + 400,
        failure: code,
      });
      await clock.advance(3_600_000);
      expect(puts.every((put) => put.code === "pending")).toBe(true);
      // One try each 15 s, for all of them.
      expect(tries).toBeLessThan(260);
      expect(tries).toBeGreaterThan(200);
      link.answer = works;
      await clock.advance(15_100);
      expect(puts.every((put) => put.code === "resolved")).toBe(true);
      expect(steady.status).toMatchObject({ failure: null, nextTryAtMs: null });
      steady.close();
    });

  it("[EDGE-23] is asked at once when the browser wakes, and over the next connection when this one dies", async () => {
    const { clock, steady, links, wake } = setUpSteady({ webtransport: 1 });
    await settle();
    const full = () => Promise.reject(new Failure("relay/full"));
    const [first] = links;
    if (first === undefined) throw new Error("not connected");
    const works = first.answer;
    first.answer = full;
    const puts = [0, 1].map((index) => outcome(steady.put(packObject(index))));
    await clock.advance(100_000);
    first.answer = works;
    wake();
    await clock.advance(20);
    expect(puts.map(({ code }) => code)).toEqual(["resolved", "resolved"]);
    first.answer = full;
    const more = [2, 3].map((index) => outcome(steady.put(packObject(index))));
    await clock.advance(10_000);
    first.end(UNREACHABLE);
    await clock.advance(20_000);
    expect(more.map(({ code }) => code)).toEqual(["resolved", "resolved"]);
    expect(steady.status.failure).toBeNull();
    steady.close();
  });

  it("[EDGE-23] holds up nobody for what is made of an object, which may need another one", async () => {
    const { clock, steady, links } = setUpSteady({ webtransport: 1 });
    await settle();
    const [link] = links;
    if (link === undefined) throw new Error("not connected");
    const works = link.answer;
    link.answer = () => Promise.reject(new Failure("relay/storage"));
    const told = deferred<void>();
    const pack = outcome(steady.get("pack", 2, () => told.promise));
    const page = outcome(steady.get("page", 2, async () => told.resolve()));
    await settle();
    link.answer = works;
    await clock.advance(1_000);
    expect([pack.code, page.code]).toEqual(["resolved", "resolved"]);
    steady.close();
  });

  it("[EDGE-23] holds up nobody for an object that does not exist yet, where the relay does not refuse it", async () => {
    const { clock, steady, links } = setUpSteady({ webtransport: 1 });
    await settle();
    const [link] = links;
    if (link === undefined) throw new Error("not connected");
    const works = link.answer;
    link.answer = () => Promise.reject(new Failure("relay/storage"));
    const later = outcome(steady.get("pack", 9, async () => 1));
    const here = outcome(steady.get("pack", 1, async () => 1));
    await settle();
    link.answer = () => new Promise(() => {});
    await clock.advance(500);
    link.answer = works;
    await clock.advance(1_000);
    expect([later.code, here.code]).toEqual(["pending", "pending"]);
    expect(steady.status.failure).toBe("relay/storage");
    await clock.advance(1_500);
    expect([later.code, here.code]).toEqual(["pending", "resolved"]);
    expect(steady.status.failure).toBeNull();
    steady.close();
  });

  it("[EDGE-23] holds up nobody when the one that tries for all is taken back", async () => {
    const { clock, steady, links } = setUpSteady({ webtransport: 1 });
    await settle();
    const [link] = links;
    if (link === undefined) throw new Error("not connected");
    const works = link.answer;
    link.answer = () => Promise.reject(new Failure("relay/busy"));
    const stop = new AbortController();
    const taken = outcome(steady.get("pack", 0, async () => 1, stop.signal));
    const kept = outcome(steady.get("pack", 1, async () => 1));
    await settle();
    link.answer = () => new Promise(() => {});
    await clock.advance(450);
    stop.abort();
    link.answer = works;
    await clock.advance(100);
    // The first one hangs at the relay until its connection ends; the second one gets its turn then.
    link.end(UNREACHABLE);
    await clock.advance(5_000);
    expect([taken.code, kept.code]).toEqual(["relay/unreachable", "resolved"]);
    const alone = new AbortController();
    const next = links.at(-1);
    if (next === undefined) throw new Error("not connected");
    next.answer = () => Promise.reject(new Failure("relay/full"));
    const only = outcome(steady.get("pack", 2, async () => 1, alone.signal));
    await clock.advance(1_000);
    alone.abort();
    await clock.advance(30_000);
    expect(only.code).toBe("cancelled");
    expect(steady.status.failure).toBeNull();
    steady.close();
    expect(clock.sleeping).toBe(0);
  });
});
