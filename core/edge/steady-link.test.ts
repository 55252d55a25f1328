import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { EMPTY_STATE } from "../../tests/support/fake-pipe.ts";
import { Failure, type FailureCode } from "../failure.ts";
import type { Link } from "../ports/link.ts";
import type { Carrier } from "../transfer/snapshot.ts";
import { MIB } from "../units.ts";
import type { PortalState } from "../wire/frame.ts";
import type { SealedObject } from "../wire/object.ts";
import { deferred } from "./deferred.ts";
import { SteadyLink, type SteadyOptions } from "./steady-link.ts";

/** A link that moves objects at a speed of its own. */
class TestLink implements Link {
  readonly carrier;
  readonly limits = { windowBytes: 2 ** 25, maxWants: 64 };
  /** What the next link's relay tells. */
  static next: PortalState = { ...EMPTY_STATE };
  readonly state = { ...TestLink.next };
  readonly #closed = deferred<Failure>();
  isClosed = false;
  puts = 0;
  gets = 0;
  pending = 0;
  /** What the next operations do. */
  answer: () => Promise<void>;

  constructor(carrier: Carrier, answer: () => Promise<void>) {
    this.carrier = carrier;
    this.answer = answer;
  }
  get closed(): Promise<Failure> {
    return this.#closed.promise;
  }
  onState(): void {}
  async put(): Promise<void> {
    this.puts += 1;
    await this.#operation();
  }
  async get(kind: "pack" | "page", index: number): Promise<SealedObject> {
    this.gets += 1;
    await this.#operation();
    return { header: { kind, index, final: true, length: 4 * MIB, hash: noise(32, 0) }, bytes: new Uint8Array(1) };
  }
  recycle(): void {}
  commit(): Promise<void> {
    return this.#operation();
  }
  complete(): Promise<void> {
    return this.#operation();
  }
  close(): void {
    this.end(new Failure("cancelled"));
  }
  end(reason: Failure): void {
    this.isClosed = true;
    this.#closed.resolve(reason);
  }
  async #operation(): Promise<void> {
    if (this.isClosed) throw await this.closed;
    this.pending += 1;
    const lost = this.closed.then((reason) => {
      throw reason;
    });
    lost.catch(() => {});
    try {
      await Promise.race([this.answer(), lost]);
    } finally {
      this.pending -= 1;
    }
  }
}

const object: SealedObject = {
  header: { kind: "pack", index: 0, final: true, length: 4 * MIB, hash: noise(32, 0) },
  bytes: new Uint8Array(1),
};
const UNREACHABLE = new Failure("relay/unreachable");

/** @param msPerPut how long a link of this carrier takes for an object; connecting fails where there is none */
function setUp(msPerPut: Partial<Record<Carrier, number>>, options: Partial<SteadyOptions> = {}, refused?: Failure) {
  const clock = new FakeClock();
  const links: TestLink[] = [];
  const changes: string[] = [];
  let refusal = refused;
  const steady: SteadyLink = new SteadyLink({
    clock,
    forced: undefined,
    webtransportAbsent: null,
    random: () => 0.5,
    onChange: () => changes.push(`${steady.status.carrier}:${steady.status.reason}`),
    dial: async (carrier) => {
      const ms = msPerPut[carrier];
      if (refusal !== undefined) throw refusal;
      if (ms === undefined) throw UNREACHABLE;
      const link = new TestLink(carrier, () => clock.sleep(ms));
      links.push(link);
      return link;
    },
    ...options,
  });
  const refuse = (failure: Failure | undefined) => {
    refusal = failure;
  };
  return { clock, links, steady, changes, refuse };
}

/** Puts one object after the other until `stop`. */
async function keepPutting(steady: SteadyLink, isOver: () => boolean): Promise<void> {
  while (!isOver()) await steady.put(object);
}

function outcome(work: Promise<unknown>): { code: string } {
  const result = { code: "pending" };
  work.then(
    () => Object.assign(result, { code: "resolved" }),
    (error: unknown) => Object.assign(result, { code: error instanceof Failure ? error.code : String(error) }),
  );
  return result;
}

describe("a steady link", () => {
  it("[EDGE-5] repeats what a dead connection did not answer, over the next one", async () => {
    const { clock, links, steady } = setUp({ webtransport: 50 });
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
      const { clock, links, steady } = setUp({ webtransport: 50 });
      const put = outcome(steady.put(object));
      await settle();
      links[0]?.end(UNREACHABLE);
      await clock.advance(399);
      Object.assign(TestLink.next, { ...EMPTY_STATE, heldPacks });
      await clock.advance(100);
      expect(put.code).toBe("resolved");
      expect(links[1]?.puts).toBe(heldPacks[0] === 0 ? 0 : 1);
      expect(steady.objectBytes).toBe(heldPacks[0] === 0 ? 0 : 4 * MIB);
      steady.close();
      TestLink.next = { ...EMPTY_STATE };
    }
  });

  it("[EDGE-5] tries to connect again and again, more and more slowly, and shows when", async () => {
    const { clock, steady, refuse, links } = setUp(
      { websocket: 10 },
      { webtransportAbsent: "webtransport-absent" },
      UNREACHABLE,
    );
    const delays: number[] = [];
    await settle();
    for (let turn = 0; turn < 8; turn++) {
      const delay = (steady.status.nextTryAtMs ?? 0) - clock.now();
      delays.push(delay);
      await clock.advance(delay);
    }
    expect(delays).toEqual([400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
    refuse(undefined);
    const put = outcome(steady.put(object));
    await clock.advance(15_100);
    expect(put.code).toBe("resolved");
    expect(steady.status).toEqual({ carrier: "websocket", reason: "webtransport-absent", nextTryAtMs: null });
    // One answered operation, and the next loss is met with haste again.
    links[0]?.end(UNREACHABLE);
    await settle();
    expect((steady.status.nextTryAtMs ?? 0) - clock.now()).toBe(400);
    steady.close();
  });

  it("[EDGE-5] does not hurry for a relay that connects and breaks without answering anything", async () => {
    const { clock, links, steady } = setUp({ webtransport: 1e9 });
    const put = outcome(steady.put(object));
    const delays: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await settle();
      links.at(-1)?.end(UNREACHABLE);
      await settle();
      delays.push((steady.status.nextTryAtMs ?? 0) - clock.now());
      await clock.advance(delays.at(-1) ?? 0);
    }
    expect(delays).toEqual([400, 800, 1600, 3200, 6400]);
    expect(put.code).toBe("pending");
    steady.close();
  });

  it("[EDGE-6] repeats what a relay answers with a failure that may pass, six times in all", async () => {
    const { clock, links, steady } = setUp({ webtransport: 1 });
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
    link.answer = async () => {
      failures += 1;
      if (failures < 10) throw new Failure("relay/busy");
    };
    const next = outcome(steady.put(object));
    await clock.advance(60_000);
    expect(next.code).toBe("resolved");
    steady.close();
  });

  it("[EDGE-6] fetches again what was damaged on the way, and gives up what was forged", async () => {
    const { clock, links, steady } = setUp({ webtransport: 1 });
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
      const refused = setUp({ webtransport: 1 }, {}, new Failure(code));
      const put = outcome(refused.steady.put(object));
      const connected = outcome(refused.steady.connected());
      await refused.clock.advance(60_000);
      expect([put.code, connected.code]).toEqual([code, code]);
      refused.steady.close();
      const ended = setUp({ webtransport: 1e6 });
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
    const { clock, links, steady, changes } = setUp({ webtransport: 100, websocket: 20 });
    let over = false;
    const work = [1, 2, 3].map(() => keepPutting(steady, () => over));
    await clock.advance(3_000);
    expect(steady.status).toEqual({ carrier: "websocket", reason: "tcp-measured-faster", nextTryAtMs: null });
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
      const { clock, links, steady } = setUp({ webtransport: 100, websocket });
      let over = false;
      const work = [1, 2, 3].map(() => keepPutting(steady, () => over));
      await clock.advance(20_000);
      expect(steady.status).toEqual({ carrier: "webtransport", reason: "first-choice", nextTryAtMs: null });
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
    const { clock, links, steady } = setUp({ webtransport: 100 });
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
    const { clock, links, steady } = setUp({ webtransport: 100, websocket: 1_000_000 });
    const work = keepPutting(steady, () => false);
    work.catch(() => {});
    await clock.advance(1_000);
    expect(links.map(({ carrier }) => carrier)).toEqual(["webtransport", "websocket"]);
    links[0]?.end(UNREACHABLE);
    await clock.advance(10_000);
    expect(steady.status).toEqual({ carrier: "websocket", reason: "webtransport-lost", nextTryAtMs: null });
    expect(links.length).toBe(2);
    links[1]?.end(UNREACHABLE);
    await clock.advance(10_000);
    expect(links.length).toBeGreaterThan(2);
    expect(steady.status.reason).toBe("first-choice");
    steady.close();
    await expect(work).rejects.toThrow("cancelled");
  });

  it("[EDGE-5] goes on over WebTransport when TCP dies while it is tried", async () => {
    const { clock, links, steady } = setUp({ webtransport: 100, websocket: 1_000_000 });
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
    const waiting = setUp({});
    const still = outcome(waiting.steady.put(object));
    await waiting.clock.advance(3_000);
    waiting.steady.close();
    const running = setUp({ webtransport: 1e6 });
    const stop = new AbortController();
    const pending = [running.steady.put(object), running.steady.get("pack", 0, async () => 1, stop.signal)].map(
      outcome,
    );
    await settle();
    running.steady.close();
    const failing = setUp({ webtransport: 1 });
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
