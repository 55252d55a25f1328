/**
 * Wanted objects on their way out: each goes, as soon as it exists, over the least busy object stream, slice by slice as
 * the peer takes them.
 *
 * @module
 */
import { Failure, toFailure } from "../../../core/failure.ts";
import { WRITE_BYTES } from "../../../core/units.ts";
import { encodeHeader, OBJECT_HEADER_BYTES, type ObjectKind } from "../../../core/wire/object.ts";
import type { Reader } from "../portal/reader.ts";
import type { ObjectSource } from "../store/store.ts";
import type { ObjectOutput } from "./carrier.ts";
import type { SlabPool } from "./slab-pool.ts";

/** A peer that takes no byte of what it asked for during this time is gone, whatever else it says. */
const STALL_MS = 5 * 60_000;

export interface DeliveryHandler {
  /** The object will not come. */
  refused(kind: ObjectKind, index: number, failure: Failure): void;
  /** An object that was begun cannot be read to its end: the stream is out of step. */
  broken(failure: Failure): void;
  /** Object bytes were handed to the carrier. */
  sent(bytes: number): void;
}

interface Want {
  readonly kind: ObjectKind;
  readonly index: number;
  stopWaiting: () => void;
  isReady: boolean;
}

export class Delivery {
  readonly #reader: Reader;
  readonly #slabs: SlabPool;
  readonly #handler: DeliveryHandler;
  readonly #wants = new Map<string, Want>();
  readonly #ready: Want[] = [];
  readonly #idle: ObjectOutput[] = [];
  /** Objects that are being written, and when the peer last took bytes of one. */
  #sending = 0;
  #takenMs = 0;
  #isOver = false;

  constructor(reader: Reader, slabs: SlabPool, handler: DeliveryHandler) {
    this.#reader = reader;
    this.#slabs = slabs;
    this.#handler = handler;
  }

  /** Objects asked for and not yet handed to the carrier. */
  get size(): number {
    return this.#wants.size;
  }

  /** True when the peer has taken nothing for too long; a slow one takes something now and then. */
  isStalled(nowMs: number): boolean {
    return this.#sending > 0 && nowMs - this.#takenMs > STALL_MS;
  }

  addOutput(output: ObjectOutput): void {
    this.#idle.push(output);
    this.#pump();
  }

  want(kind: ObjectKind, index: number): void {
    const key = `${kind} ${index}`;
    if (this.#wants.has(key)) return;
    const want: Want = { kind, index, stopWaiting: () => {}, isReady: false };
    this.#wants.set(key, want);
    this.#look(want);
  }

  unwant(kind: ObjectKind, index: number): void {
    const key = `${kind} ${index}`;
    const want = this.#wants.get(key);
    if (want === undefined) return;
    want.stopWaiting();
    const at = this.#ready.indexOf(want);
    // What is being sent is sent to its end: the stream must stay in step.
    if (want.isReady && at < 0) return;
    if (at >= 0) this.#ready.splice(at, 1);
    this.#wants.delete(key);
  }

  stop(): void {
    this.#isOver = true;
    for (const want of this.#wants.values()) want.stopWaiting();
    this.#wants.clear();
    this.#ready.length = 0;
  }

  #look(want: Want): void {
    const { kind, index } = want;
    want.isReady = this.#reader.isDecided(kind, index);
    if (want.isReady) {
      this.#ready.push(want);
      this.#pump();
    } else {
      want.stopWaiting = this.#reader.portal.whenThere(kind, index, () => this.#look(want));
    }
  }

  #pump(): void {
    while (!this.#isOver && this.#idle.length > 0) {
      const want = this.#ready.shift();
      if (want === undefined) return;
      // The owner may have paused the portal while it waited for a stream.
      if (!this.#reader.isDecided(want.kind, want.index)) {
        this.#look(want);
        continue;
      }
      const output = this.#idle.shift() as ObjectOutput;
      this.#deliver(want, output).then(
        () => this.addOutput(output),
        // Otherwise the connection is gone, and the carrier tells the link so.
        (error: unknown) => error instanceof Failure && this.#handler.broken(error),
      );
    }
  }

  /** @throws Error when the connection is gone */
  async #deliver(want: Want, output: ObjectOutput): Promise<void> {
    let source: ObjectSource;
    try {
      source = await this.#reader.open(want.kind, want.index);
    } catch (error) {
      this.#wants.delete(`${want.kind} ${want.index}`);
      if (!this.#isOver) this.#handler.refused(want.kind, want.index, toFailure(error, "relay/storage"));
      return;
    }
    const slab = this.#slabs.take();
    if (this.#sending++ === 0) this.#takenMs = performance.now();
    try {
      await this.#send(source, output, slab);
      this.#wants.delete(`${want.kind} ${want.index}`);
    } finally {
      this.#sending--;
      this.#slabs.give(slab);
      source.close();
    }
  }

  async #send(source: ObjectSource, output: ObjectOutput, slab: Uint8Array<ArrayBuffer>): Promise<void> {
    const { length } = source.header;
    let sent = 0;
    while (sent < length) {
      const lead = sent === 0 ? OBJECT_HEADER_BYTES : 0;
      const slices = cutSlices(slab, output.headroom, lead, length - sent);
      if (lead > 0) slab.set(encodeHeader(source.header), output.headroom);
      await source.read(
        slices.map((slice) => slice.body),
        sent,
      );
      for (const { whole, body } of slices) {
        await output.write(whole);
        this.#takenMs = performance.now();
        sent += body.length;
        this.#handler.sent(body.length);
        if (this.#isOver) throw new Error("the link is over");
      }
    }
  }
}

interface Slice {
  /** What is written: headroom, header, bytes. */
  readonly whole: Uint8Array<ArrayBuffer>;
  /** The object's bytes in it. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Lays out up to `wanted` object bytes in a slab, the first slice after `lead` bytes for the header. */
function cutSlices(slab: Uint8Array<ArrayBuffer>, headroom: number, lead: number, wanted: number): Slice[] {
  const slices: Slice[] = [];
  let left = wanted;
  for (let at = 0; at < slab.length && left > 0; at += WRITE_BYTES) {
    const from = at + headroom + (at === 0 ? lead : 0);
    const take = Math.min(at + WRITE_BYTES - from, left);
    slices.push({ whole: slab.subarray(at, from + take), body: slab.subarray(from, from + take) });
    left -= take;
  }
  return slices;
}
