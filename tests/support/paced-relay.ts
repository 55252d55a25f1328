/**
 * A relay that a send's link leads to: it takes objects at a rate of its own on a clock that the test moves, can go away and
 * come back, and can forget.
 *
 * @module
 */
import { RangeSet } from "../../core/chunk/range-set.ts";
import type { LinkStatus, SteadyLink } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { LegParts } from "../../core/transfer/send-leg.ts";
import { unlessAborted } from "../../core/transfer/unless-aborted.ts";
import type { Commitment, PortalState } from "../../core/wire/frame.ts";
import type { ObjectKind, SealedObject } from "../../core/wire/object.ts";
import { EMPTY_STATE } from "./fake-pipe.ts";

/** One relay. */
export class PacedRelay implements LegParts {
  readonly name: string;
  readonly objects = new Map<string, SealedObject>();
  bytesPerSec: number;
  isUp = true;
  isClosed = false;
  commitment: Commitment | undefined;
  /** What its link's owner does when something about it changes. */
  onChange = () => {};
  /** Objects that it gives come out with another hash. */
  lies = false;
  readonly readers: { isClosed: boolean }[] = [];
  readonly #clock: Clock;
  #line: Promise<void> = Promise.resolve();
  #state: PortalState = EMPTY_STATE;
  objectBytes = 0;

  constructor(name: string, clock: Clock, bytesPerSec: number) {
    this.name = name;
    this.#clock = clock;
    this.bytesPerSec = bytesPerSec;
  }

  /** The link's public face, as far as a send uses it. */
  get link(): SteadyLink {
    return this.#link as unknown as SteadyLink;
  }

  /** Indices that it holds, ascending. */
  held(kind: ObjectKind): number[] {
    const held = [...this.objects.values()].filter(({ header }) => header.kind === kind);
    return held.map(({ header }) => header.index).sort((a, b) => a - b);
  }

  /** Goes away, or comes back and tells what it holds. */
  setUp(isUp: boolean): void {
    this.isUp = isUp;
    if (isUp) this.#state = this.#tell();
    this.onChange();
  }

  openReader(): { get: SteadyLink["get"]; close(): void } {
    const reader = { isClosed: false };
    this.readers.push(reader);
    return {
      get: async (kind, index, accept) => {
        await this.#wait();
        const object = this.objects.get(`${kind} ${index}`);
        if (object === undefined) throw new Failure("object/absent");
        const hash = this.lies ? new Uint8Array(32).fill(9) : object.header.hash;
        return accept({ ...object, header: { ...object.header, hash } });
      },
      close: () => {
        reader.isClosed = true;
      },
    };
  }

  readonly #link = this.#face();

  #face() {
    const relay = this;
    return {
      rttMs: 5,
      lease: 1,
      get objectBytes(): number {
        return relay.objectBytes;
      },
      get state(): PortalState {
        return relay.#state;
      },
      get status(): LinkStatus {
        const nextTryAtMs = relay.isUp ? null : relay.#clock.now() + 1000;
        return { carrier: "websocket", reason: null, nextTryAtMs, failure: relay.isUp ? null : "relay/unreachable" };
      },
      connected: () => relay.#wait(),
      rest: (ms: number) => relay.#clock.sleep(ms),
      put: (object: SealedObject, signal?: AbortSignal) => relay.#put(object, signal),
      commit: async (commitment: Commitment) => {
        await relay.#wait();
        relay.commitment = commitment;
      },
      close: () => {
        relay.isClosed = true;
      },
    };
  }

  async #put(object: SealedObject, signal: AbortSignal | undefined): Promise<void> {
    const turn = this.#line;
    let done = () => {};
    this.#line = new Promise((resolve) => {
      done = resolve;
    });
    try {
      await unlessAborted(turn, signal);
      await this.#wait(signal);
      await this.#clock.sleep((object.header.length * 1000) / this.bytesPerSec, signal);
      await this.#wait(signal);
    } finally {
      done();
    }
    this.objectBytes += object.header.length;
    this.objects.set(`${object.header.kind} ${object.header.index}`, { ...object, bytes: object.bytes.slice() });
  }

  async #wait(signal?: AbortSignal): Promise<void> {
    while (!this.isUp) await this.#clock.sleep(10, signal);
  }

  #tell(): PortalState {
    const ranges = (kind: ObjectKind) => {
      const set = new RangeSet();
      for (const index of this.held(kind)) set.add(index);
      return set.toArray();
    };
    return { ...EMPTY_STATE, heldPacks: ranges("pack"), heldPages: ranges("page") };
  }
}
