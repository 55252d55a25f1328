/**
 * A link that moves objects at a speed of its own, and a steady link over such links on a clock that the test moves.
 *
 * @module
 */
import { deferred } from "../../core/edge/deferred.ts";
import { SteadyLink, type SteadyOptions } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { LeaseWish, Link } from "../../core/ports/link.ts";
import type { Carrier } from "../../core/transfer/snapshot.ts";
import { MIB } from "../../core/units.ts";
import type { PortalState } from "../../core/wire/frame.ts";
import type { ObjectKind, SealedObject } from "../../core/wire/object.ts";
import { noise } from "./bytes.ts";
import { FakeClock } from "./fake-clock.ts";
import { EMPTY_STATE } from "./fake-pipe.ts";

/** A connection that the test drives. */
export class TestLink implements Link {
  readonly carrier;
  readonly limits = { windowBytes: 2 ** 25, maxWants: 64 };
  readonly lease: number;
  readonly member;
  rttMs: number | null = null;
  readonly state: PortalState;
  readonly #closed = deferred<Failure>();
  readonly #clock: FakeClock;
  readonly #lostListeners: ((kind: ObjectKind, index: number) => void)[] = [];
  readonly #signalListeners: ((from: number, body: Uint8Array) => void)[] = [];
  /** What was signalled over it. */
  readonly signals: { readonly to: number; readonly body: Uint8Array }[] = [];
  isClosed = false;
  puts = 0;
  gets = 0;
  pings = 0;
  claims = 0;
  pending = 0;
  /** What the next claims come to. */
  answerClaim: () => Promise<void> = () => this.#operation();
  /** Set while nothing comes: when the last word came. */
  #silentSinceMs: number | undefined;
  /** What the next operations do. */
  answer: () => Promise<void>;

  constructor(
    carrier: Carrier,
    clock: FakeClock,
    [state, lease, member]: readonly [PortalState, number, number],
    answer: () => Promise<void>,
  ) {
    this.carrier = carrier;
    this.member = member;
    this.#clock = clock;
    this.state = state;
    this.lease = lease;
    this.answer = answer;
  }
  get closed(): Promise<Failure> {
    return this.#closed.promise;
  }
  get heardMs(): number {
    return this.#silentSinceMs ?? this.#clock.now();
  }
  ping(): void {
    this.pings += 1;
  }
  onState(): void {}
  onLost(listener: (kind: ObjectKind, index: number) => void): void {
    this.#lostListeners.push(listener);
  }
  signal(to: number, body: Uint8Array): void {
    this.signals.push({ to, body });
  }
  onSignal(listener: (from: number, body: Uint8Array) => void): void {
    this.#signalListeners.push(listener);
  }
  async put(): Promise<void> {
    this.puts += 1;
    await this.#operation();
  }
  async get(kind: ObjectKind, index: number): Promise<SealedObject> {
    this.gets += 1;
    await this.#operation();
    return { header: { kind, index, final: true, length: 4 * MIB, hash: noise(32, 0) }, bytes: new Uint8Array(1) };
  }
  recycle(): void {}
  commit(): Promise<void> {
    return this.#operation();
  }
  claim(): Promise<void> {
    this.claims += 1;
    return this.answerClaim();
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
  /** From now on nothing comes, and nothing is answered. */
  silence(): void {
    this.#silentSinceMs ??= this.#clock.now();
    this.answer = () => new Promise(() => {});
  }
  /** Something comes again. */
  speak(): void {
    this.#silentSinceMs = undefined;
  }
  tellLost(kind: ObjectKind, index: number): void {
    for (const listener of this.#lostListeners) listener(kind, index);
  }
  tellSignal(from: number, body: Uint8Array): void {
    for (const listener of this.#signalListeners) listener(from, body);
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

export const UNREACHABLE = new Failure("relay/unreachable");

/** One pack. */
export function packObject(index = 0): SealedObject {
  return {
    header: { kind: "pack", index, final: true, length: 4 * MIB, hash: noise(32, index) },
    bytes: new Uint8Array(1),
  };
}

/** How connecting goes, carrier by carrier: milliseconds of one object there, how it fails, or never an answer. */
export type Carriers = Partial<Record<Carrier, number | Failure | "silence">>;

/**
 * @param carriers borrowed: the test changes it while it runs; connecting fails where there is none
 * @param told what the relay tells, which the test changes
 */
export function setUpSteady(
  carriers: Carriers,
  options: Partial<SteadyOptions> = {},
  told: { state?: PortalState; lease?: number } = {},
) {
  const clock = new FakeClock();
  const links: TestLink[] = [];
  /** Every attempt, when, and with which lease. */
  const dials: { carrier: Carrier; atMs: number; wish: LeaseWish }[] = [];
  const changes: string[] = [];
  const wakers = new Set<() => void>();
  const relay = { state: EMPTY_STATE, lease: 0, ...told };
  const steady: SteadyLink = new SteadyLink({
    clock,
    forced: undefined,
    webtransportAbsent: null,
    random: () => 0.5,
    onChange: () => changes.push(`${steady.status.carrier}:${steady.status.reason}`),
    wake: (listener) => {
      wakers.add(listener);
      return () => wakers.delete(listener);
    },
    dial: async (carrier, signal, wish) => {
      dials.push({ carrier, atMs: clock.now(), wish });
      const ms = carriers[carrier] ?? UNREACHABLE;
      if (ms instanceof Failure) throw ms;
      if (ms === "silence")
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(UNREACHABLE), { once: true }));
      const link = new TestLink(carrier, clock, [relay.state, relay.lease, dials.length], () =>
        clock.sleep(Number(ms)),
      );
      links.push(link);
      return link;
    },
    ...options,
  });
  const wake = () => {
    for (const waker of wakers) waker();
  };
  return { clock, links, steady, changes, dials, relay, wake, wakers };
}

/** Puts one object after the other until `isOver`. */
export async function keepPutting(steady: SteadyLink, isOver: () => boolean): Promise<void> {
  while (!isOver()) await steady.put(packObject());
}

/** Many operations at once, as a sender has them, until `end`. */
export function load(steady: SteadyLink, count = 3): { end(): void; readonly ended: Promise<unknown> } {
  let isOver = false;
  const work = Array.from({ length: count }, () => keepPutting(steady, () => isOver).catch(() => {}));
  return {
    end: () => {
      isOver = true;
    },
    ended: Promise.all(work),
  };
}

/** What became of `work` so far: "pending", "resolved", or a code. */
export function outcome(work: Promise<unknown>): { code: string } {
  const result = { code: "pending" };
  work.then(
    () => Object.assign(result, { code: "resolved" }),
    (error: unknown) => Object.assign(result, { code: error instanceof Failure ? error.code : String(error) }),
  );
  return result;
}
