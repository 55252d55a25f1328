/**
 * Packs that one peer asks for: given from the shelf, slice by slice in turn, no faster than the line takes them.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { PeerChannel } from "../ports/peer-channel.ts";
import { MIB, WRITE_BYTES } from "../units.ts";
import { encodeHeader, OBJECT_HEADER_BYTES } from "../wire/object.ts";
import { MAX_SLICE_BYTES, type PeerFrame, SliceWriter } from "../wire/peer-frame.ts";
import type { LentPack, PackShelf } from "./pack-shelf.ts";

/** Packs that a peer may ask for at once. */
export const MAX_PEER_WANTS = 4;
/** Bytes that wait in the browser for the line; what is in there cannot be overtaken by a frame. */
export const MAX_BUFFERED_BYTES = MIB;
/** The browser's own event is not to be had in every thread, so it is asked again. */
const BUFFER_POLL_MS = 4;
/** Less often while nothing leaves. */
const MAX_BUFFER_POLL_MS = 64;

/** What giving needs. */
export interface PeerServingParts {
  readonly channel: PeerChannel;
  readonly shelf: PackShelf;
  readonly clock: Clock;
  readonly send: (frame: PeerFrame) => void;
  /** True while nothing may be given. */
  readonly isHeld: () => boolean;
  /** Bytes left for the network: a slow line that is full is no dead one. */
  readonly moved: () => void;
  /** Aborted at the end. */
  readonly signal: AbortSignal;
}

interface Serving {
  readonly id: number;
  readonly lent: LentPack;
  readonly header: Uint8Array;
  /** Bytes of header and pack that were sent. */
  at: number;
}

/** What one connection gives. */
export class PeerServing {
  readonly #parts: PeerServingParts;
  /** In the order of their turns. */
  #servings: Serving[] = [];
  readonly #writer = new SliceWriter();
  /** The first slice of a pack begins with its header. */
  readonly #first = new Uint8Array(MAX_SLICE_BYTES);
  #isPumping = false;

  constructor(parts: PeerServingParts) {
    this.#parts = parts;
    parts.signal.addEventListener("abort", () => this.#dropAll(), { once: true });
  }

  /** Packs under way. */
  get size(): number {
    return this.#servings.length;
  }

  /** Somebody wants a pack. @throws Failure `wire/window` for one more than may be asked for, `wire/malformed` for a number twice */
  want(id: number, pack: number): void {
    const { shelf, send, isHeld } = this.#parts;
    if (this.#servings.length >= MAX_PEER_WANTS) throw new Failure("wire/window", { wants: MAX_PEER_WANTS });
    if (this.#servings.some((serving) => serving.id === id)) throw new Failure("wire/malformed", { what: "id" });
    const lent = isHeld() ? undefined : shelf.lend(pack);
    if (lent === undefined) {
      send({ t: "absent", id });
      return;
    }
    this.#servings.push({ id, lent, header: encodeHeader(lent.object.header), at: 0 });
    void this.#pump();
  }

  /** It is not wanted any more; one that was given whole is not known here. */
  unwant(id: number): void {
    const serving = this.#servings.find((other) => other.id === id);
    if (serving === undefined) return;
    this.#drop(serving);
    this.#parts.send({ t: "absent", id });
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      for (;;) {
        await this.#until(MAX_BUFFERED_BYTES - WRITE_BYTES);
        // The last bytes are watched until they left, unless there is more to send.
        if (this.#servings.length === 0) await this.#until(0, () => this.#servings.length > 0);
        const serving = this.#servings.shift();
        if (serving === undefined) return;
        this.#servings.push(serving);
        this.#sendSlice(serving);
      }
    } catch {
      // ended
    } finally {
      this.#isPumping = false;
    }
  }

  #sendSlice(serving: Serving): void {
    const { object } = serving.lent;
    const slice = serving.at === 0 ? this.#firstSlice(serving) : this.#nextSlice(serving);
    this.#parts.channel.send(this.#writer.write(serving.id, slice));
    serving.at += slice.length;
    if (serving.at >= OBJECT_HEADER_BYTES + object.bytes.length) this.#drop(serving);
  }

  #firstSlice({ header, lent }: Serving): Uint8Array {
    const bytes = lent.object.bytes.subarray(0, MAX_SLICE_BYTES - OBJECT_HEADER_BYTES);
    this.#first.set(header);
    this.#first.set(bytes, OBJECT_HEADER_BYTES);
    return this.#first.subarray(0, OBJECT_HEADER_BYTES + bytes.length);
  }

  #nextSlice({ lent, at }: Serving): Uint8Array {
    return lent.object.bytes.subarray(at - OBJECT_HEADER_BYTES, at - OBJECT_HEADER_BYTES + MAX_SLICE_BYTES);
  }

  /** Waits until no more than `bytes` wait for the line. @throws Failure `cancelled` at the end */
  async #until(bytes: number, isEnough: () => boolean = () => false): Promise<void> {
    const { channel, clock, moved, signal } = this.#parts;
    let pollMs = BUFFER_POLL_MS;
    for (let last = channel.bufferedBytes; last > bytes && !isEnough(); ) {
      await clock.sleep(pollMs, signal);
      const now = channel.bufferedBytes;
      pollMs = now < last ? BUFFER_POLL_MS : Math.min(2 * pollMs, MAX_BUFFER_POLL_MS);
      if (now < last) moved();
      last = now;
    }
  }

  #drop(serving: Serving): void {
    const at = this.#servings.indexOf(serving);
    if (at < 0) return;
    this.#servings.splice(at, 1);
    serving.lent.giveBack();
  }

  #dropAll(): void {
    for (const { lent } of this.#servings) lent.giveBack();
    this.#servings = [];
  }
}
