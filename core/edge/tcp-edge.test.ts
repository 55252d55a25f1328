import { beforeEach, describe, expect, it } from "vitest";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { codeOf } from "../../tests/support/fake-http.ts";
import { RangeSet } from "../chunk/range-set.ts";
import { Failure } from "../failure.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { deferred } from "./deferred.ts";
import { TcpEdge } from "./tcp-edge.ts";

/** A request under way. */
interface Asked {
  readonly kind: ObjectKind;
  readonly index: number;
  readonly tell: (bytes: number) => void;
  readonly answer: (answer: SealedObject | Failure) => void;
  readonly signal: AbortSignal | undefined;
}

let clock: FakeClock;
let asked: Asked[];
let edge: TcpEdge;
const home = { name: "relay.example", held: new RangeSet(), rttMs: 30 };
beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  edge = new TcpEdge({ home, clock, reader: { get } });
});

async function get<T>(
  kind: ObjectKind,
  index: number,
  accept: (object: SealedObject) => Promise<T>,
  signal?: AbortSignal,
  onBytes: (bytes: number) => void = () => {},
): Promise<T> {
  const { promise, resolve, reject } = deferred<SealedObject>();
  signal?.addEventListener("abort", () => reject(new Failure("cancelled")), { once: true });
  const answer = (given: SealedObject | Failure) => (given instanceof Failure ? reject(given) : resolve(given));
  asked.push({ kind, index, tell: onBytes, answer, signal });
  return accept(await promise);
}

function packOf(index: number): SealedObject {
  const bytes = Uint8Array.of(index);
  return { header: { kind: "pack", index, final: false, length: 1, hash: new Uint8Array(32) }, bytes };
}

const { signal } = new AbortController();
const numberOf = async ({ header }: SealedObject) => header.index;
const fetchPack = (pack: number, onBytes = (_: number) => {}) => edge.get(pack, numberOf, signal, onBytes);

/** Lets a request fail, and gives how long nothing is asked for then. */
async function restAfter(code: "relay/unreachable" | "portal/claimed" | "portal/unknown"): Promise<number> {
  const failed = codeOf(fetchPack(0));
  await settle();
  asked.at(-1)?.answer(new Failure(code));
  expect(await failed).toBe(code);
  const fromMs = clock.now();
  while (!edge.isUp && clock.now() - fromMs < 200_000) await clock.advance(100);
  return clock.now() - fromMs;
}

describe("a relay by plain requests beside its link", () => {
  it("is the same relay: its name, what it holds, its round trip", () => {
    expect(edge).toMatchObject({ kind: "tcp", name: "relay.example", rttMs: 30, isUp: true, maxActive: 4 });
    expect(edge.held).toBe(home.held);
  });

  it("fetches four packs at once, and tells of bytes as they come", async () => {
    let bytes = 0;
    const got = [0, 1, 2, 3, 4].map((pack) => fetchPack(pack, (more) => (bytes += more)));
    await settle();
    expect(asked.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    asked[2]?.tell(100);
    expect(bytes).toBe(100);
    asked[2]?.answer(packOf(2));
    await settle();
    expect(asked.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    for (const each of asked) each.answer(packOf(each.index));
    expect(await Promise.all(got)).toEqual([0, 1, 2, 3, 4]);
    expect(clock.sleeping).toBe(0);
  });

  it("fetches one page at a time, whatever packs are under way", async () => {
    const packs = [0, 1, 2, 3].map((pack) => fetchPack(pack));
    const pages = [7, 8].map((page) => edge.getPage(page, numberOf, signal));
    await settle();
    expect(asked.slice(4).map(({ kind, index }) => `${kind} ${index}`)).toEqual(["page 7"]);
    for (let at = 0; at < 6; at++) {
      asked[at]?.answer(packOf(asked[at]?.index ?? 0));
      await settle();
    }
    expect(await Promise.all([...packs, ...pages])).toEqual([0, 1, 2, 3, 7, 8]);
  });

  it("rests after failures, longer each time, at most a minute, until something comes", async () => {
    const rests = [];
    for (let failures = 0; failures < 8; failures++) rests.push(await restAfter("relay/unreachable"));
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    const got = fetchPack(3);
    await settle();
    asked.at(-1)?.answer(packOf(3));
    expect(await got).toBe(3);
    expect(await restAfter("portal/claimed")).toBe(1_000);
  });

  it("counts requests that fail together once", async () => {
    const failed = [0, 1, 2].map((pack) => codeOf(fetchPack(pack)));
    await settle();
    for (const { answer } of asked) answer(new Failure("relay/unreachable"));
    await Promise.all(failed);
    await clock.advance(1_000);
    expect(edge.isUp).toBe(true);
    expect(await restAfter("relay/unreachable")).toBe(2_000);
  });

  it("is asked no more after a refusal that no further try can change", async () => {
    await restAfter("portal/unknown");
    expect(edge.isUp).toBe(false);
  });

  it("takes it for an answer that a pack is not there", async () => {
    const failed = codeOf(fetchPack(9));
    await settle();
    asked[0]?.answer(new Failure("object/absent"));
    expect(await failed).toBe("object/absent");
    expect(edge.isUp).toBe(true);
  });

  it("gives up a request of which no byte comes for five seconds, and no other", async () => {
    const [quiet, slow] = [codeOf(fetchPack(0)), fetchPack(1)];
    for (let seconds = 0; seconds < 12; seconds += 3) {
      await clock.advance(3_000);
      asked[1]?.tell(10);
    }
    expect(await quiet).toBe("relay/unreachable");
    expect(asked[1]?.signal?.aborted).toBe(false);
    asked[1]?.answer(packOf(1));
    expect(await slow).toBe(1);
  });

  it("does not rest because a request was given up, or because of what was made of a pack", async () => {
    const stop = new AbortController();
    const given = codeOf(edge.get(0, numberOf, stop.signal, () => {}));
    await settle();
    stop.abort();
    expect(await given).toBe("cancelled");
    const refused = codeOf(
      edge.get(
        1,
        () => Promise.reject(new Failure("pack/forged")),
        signal,
        () => {},
      ),
    );
    await settle();
    asked[1]?.answer(packOf(1));
    expect(await refused).toBe("pack/forged");
    expect(edge.isUp).toBe(true);
  });
});
