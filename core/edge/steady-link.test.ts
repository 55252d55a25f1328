import { describe, expect, it } from "vitest";
import { settle } from "../../tests/support/fake-clock.ts";
import { EMPTY_STATE } from "../../tests/support/fake-pipe.ts";
import {
  type Carriers,
  keepPutting,
  outcome,
  packObject,
  setUpSteady,
  type TestLink,
  UNREACHABLE,
} from "../../tests/support/test-link.ts";
import { Failure, type FailureCode } from "../failure.ts";
import { MIB } from "../units.ts";

const object = packObject();

describe("a steady link", () => {
  it("[EDGE-5] repeats what a dead connection did not answer, over the next one", async () => {
    const { clock, links, steady } = setUpSteady({ webtransport: 50 });
    const put = outcome(steady.put(object));
    await settle();
    links[0]?.end(UNREACHABLE);
    await settle();
    expect(put.code).toBe("pending");
    expect(steady.status).toMatchObject({ carrier: null, reason: null });
    expect(steady.status.nextTryAtMs).toBe(clock.now() + 400);
    await clock.advance(500);
    expect(put.code).toBe("resolved");
    expect(links.map(({ puts }) => puts)).toEqual([1, 1]);
    steady.close();
  });

  it("[EDGE-5] does not send again what the relay holds, though its answer was lost", async () => {
    for (const heldPacks of [[0, 1], [0, 4], [1, 4], []]) {
      const { clock, links, steady, relay } = setUpSteady({ webtransport: 50 });
      const put = outcome(steady.put(object));
      await settle();
      links[0]?.end(UNREACHABLE);
      await clock.advance(399);
      relay.state = { ...EMPTY_STATE, heldPacks };
      await clock.advance(100);
      expect(put.code).toBe("resolved");
      expect(links[1]?.puts).toBe(heldPacks[0] === 0 ? 0 : 1);
      expect(steady.objectBytes).toBe(heldPacks[0] === 0 ? 0 : 4 * MIB);
      steady.close();
    }
  });

  it("[EDGE-18] tries to connect again and again, hastily for two minutes, then more slowly, and shows when and why", async () => {
    const carriers: Carriers = {};
    const { clock, steady, links } = setUpSteady(carriers, { webtransportAbsent: "webtransport-absent" });
    const delays: number[] = [];
    await settle();
    const startMs = clock.now();
    while (clock.now() - startMs < 180_000) {
      const delay = (steady.status.nextTryAtMs ?? 0) - clock.now();
      expect(steady.status.failure).toBe("relay/unreachable");
      delays.push(delay);
      await clock.advance(delay);
    }
    expect(delays.slice(0, 5)).toEqual([400, 800, 1600, 2500, 2500]);
    expect(delays.slice(-6)).toEqual([2500, 5000, 10_000, 15_000, 15_000, 15_000]);
    expect(delays.filter((delay) => delay === 2500).length).toBeGreaterThan(44);
    carriers.websocket = 10;
    const put = outcome(steady.put(object));
    await clock.advance(15_100);
    expect(put.code).toBe("resolved");
    expect(steady.status).toEqual({
      carrier: "websocket",
      reason: "webtransport-absent",
      nextTryAtMs: null,
      failure: null,
    });
    // One answered operation, and the next loss is met with haste again.
    links[0]?.end(UNREACHABLE);
    await settle();
    expect((steady.status.nextTryAtMs ?? 0) - clock.now()).toBe(400);
    steady.close();
  });

  it("[EDGE-5] does not hurry for a relay that connects and breaks without answering anything", async () => {
    const { clock, links, steady } = setUpSteady({ webtransport: 1e9 });
    const put = outcome(steady.put(object));
    const delays: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await settle();
      links.at(-1)?.end(UNREACHABLE);
      await settle();
      delays.push((steady.status.nextTryAtMs ?? 0) - clock.now());
      await clock.advance(delays.at(-1) ?? 0);
    }
    expect(delays).toEqual([400, 800, 1600, 2500, 2500]);
    expect(put.code).toBe("pending");
    steady.close();
  });

  it("[EDGE-6] repeats what a relay answers with a failure that may pass, six times in all", async () => {
    const { clock, links, steady } = setUpSteady({ webtransport: 1 });
    await settle();
    const [link] = links as [TestLink];
    let failures = 0;
    link.answer = async () => {
      failures += 1;
      throw new Failure("object/hash");
    };
    const put = outcome(steady.put(object));
    await clock.advance(60_000);
    expect([put.code, failures]).toEqual(["object/hash", 6]);
    steady.close();
  });

  it("[EDGE-6] fetches again what was damaged on the way, and gives up what was forged", async () => {
    const { clock, links, steady } = setUpSteady({ webtransport: 1 });
    let seen = 0;
    const damaged = outcome(
      steady.get("pack", 0, async () => {
        seen += 1;
        if (seen < 3) throw new Failure("object/corrupt");
        return seen;
      }),
    );
    await clock.advance(10_000);
    expect([damaged.code, links[0]?.gets]).toEqual(["resolved", 3]);
    const forged = outcome(steady.get("pack", 0, () => Promise.reject(new Failure("pack/forged"))));
    await clock.advance(10_000);
    expect([forged.code, links[0]?.gets]).toEqual(["pack/forged", 4]);
    steady.close();
  });

  it("[EDGE-6] ends at a final answer: at connecting, at an operation, at the end of a connection", async () => {
    for (const code of ["portal/unknown", "portal/expired", "relay/version"] satisfies FailureCode[]) {
      const refused = setUpSteady({ webtransport: new Failure(code) });
      const put = outcome(refused.steady.put(object));
      const connected = outcome(refused.steady.connected());
      await refused.clock.advance(60_000);
      expect([put.code, connected.code]).toEqual([code, code]);
      refused.steady.close();
      const ended = setUpSteady({ webtransport: 1e6 });
      const pending = outcome(ended.steady.put(object));
      await settle();
      ended.links[0]?.end(new Failure(code));
      await ended.clock.advance(60_000);
      expect([pending.code, outcome(ended.steady.put(object)).code]).toEqual([code, "pending"]);
      await expect(ended.steady.put(object)).rejects.toThrow(code);
      expect(ended.links.length).toBe(1);
      ended.steady.close();
    }
  });

  it("[EDGE-4] moves to TCP when that is measured to be much faster, and closes the old connection when it is drained", async () => {
    const { clock, links, steady, changes } = setUpSteady({ webtransport: 100, websocket: 20 });
    let over = false;
    const work = [1, 2, 3].map(() => keepPutting(steady, () => over));
    await clock.advance(3_000);
    expect(steady.status).toMatchObject({
      carrier: "websocket",
      reason: "tcp-measured-faster",
      nextTryAtMs: null,
      failure: null,
    });
    expect(links.map(({ carrier, isClosed }) => [carrier, isClosed])).toEqual([
      ["webtransport", true],
      ["websocket", false],
    ]);
    expect(links[0]?.pending).toBe(0);
    expect(changes).toContain("webtransport:first-choice");
    over = true;
    await clock.advance(1_000);
    await Promise.all(work);
    expect(steady.objectBytes).toBe(4 * MIB * links.reduce((sum, { puts }) => sum + puts, 0));
    steady.close();
  });

  it("[EDGE-4] returns to WebTransport when TCP is not much faster, and closes TCP when it is drained", async () => {
    for (const websocket of [90, 100, 400]) {
      const { clock, links, steady } = setUpSteady({ webtransport: 100, websocket });
      let over = false;
      const work = [1, 2, 3].map(() => keepPutting(steady, () => over));
      await clock.advance(20_000);
      expect(steady.status).toMatchObject({
        carrier: "webtransport",
        reason: "first-choice",
        nextTryAtMs: null,
        failure: null,
      });
      expect(links.map(({ carrier, isClosed }) => [carrier, isClosed])).toEqual([
        ["webtransport", false],
        ["websocket", true],
      ]);
      over = true;
      await clock.advance(1_000);
      await Promise.all(work);
      steady.close();
    }
  });

  it("[EDGE-4] stays where it is when there is no TCP", async () => {
    const { clock, links, steady } = setUpSteady({ webtransport: 100 });
    let over = false;
    const work = keepPutting(steady, () => over);
    await clock.advance(20_000);
    expect([links.length, steady.status.reason]).toEqual([1, "first-choice"]);
    over = true;
    await clock.advance(1_000);
    await work;
    steady.close();
  });

  it("[EDGE-5] goes on over TCP when WebTransport dies while both are open", async () => {
    const { clock, links, steady } = setUpSteady({ webtransport: 100, websocket: 1_000_000 });
    const work = keepPutting(steady, () => false);
    work.catch(() => {});
    await clock.advance(1_000);
    expect(links.map(({ carrier }) => carrier)).toEqual(["webtransport", "websocket"]);
    links[0]?.end(UNREACHABLE);
    await clock.advance(10_000);
    expect(steady.status).toMatchObject({
      carrier: "websocket",
      reason: "webtransport-lost",
      nextTryAtMs: null,
      failure: null,
    });
    expect(links.length).toBe(2);
    links[1]?.end(UNREACHABLE);
    await clock.advance(10_000);
    expect(links.length).toBeGreaterThan(2);
    expect(steady.status.reason).toBe("first-choice");
    steady.close();
    await expect(work).rejects.toThrow("cancelled");
  });

  it("[EDGE-5] goes on over WebTransport when TCP dies while it is tried", async () => {
    const { clock, links, steady } = setUpSteady({ webtransport: 100, websocket: 1_000_000 });
    let over = false;
    const work = keepPutting(steady, () => over);
    await clock.advance(1_000);
    links[1]?.end(UNREACHABLE);
    const before = links[0]?.puts ?? 0;
    await clock.advance(2_000);
    expect(links[0]?.puts).toBeGreaterThan(before + 10);
    expect(steady.status.reason).toBe("first-choice");
    over = true;
    await clock.advance(1_000);
    await work;
    steady.close();
  });

  it("[EDGE-7] rejects everything when it is closed, and leaves neither connections nor timers", async () => {
    const waiting = setUpSteady({});
    const still = outcome(waiting.steady.put(object));
    await waiting.clock.advance(3_000);
    waiting.steady.close();
    const running = setUpSteady({ webtransport: 1e6 });
    const stop = new AbortController();
    const pending = [running.steady.put(object), running.steady.get("pack", 0, async () => 1, stop.signal)].map(
      outcome,
    );
    await settle();
    running.steady.close();
    const failing = setUpSteady({ webtransport: 1 });
    await settle();
    (failing.links[0] as TestLink).answer = () => Promise.reject(new Failure("relay/busy"));
    const repeated = outcome(failing.steady.put(object));
    await settle();
    failing.steady.close();
    await settle();
    expect([still.code, ...pending.map(({ code }) => code)]).toEqual(["cancelled", "cancelled", "cancelled"]);
    expect(repeated.code).toBe("cancelled");
    for (const { clock, links, steady } of [waiting, running, failing]) {
      expect(links.every(({ isClosed }) => isClosed)).toBe(true);
      expect(outcome(steady.put(object)).code).toBe("pending");
      await expect(steady.put(object)).rejects.toThrow("cancelled");
      await clock.advance(2_000_000);
      expect(clock.sleeping).toBe(0);
    }
  });
});
