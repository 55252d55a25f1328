/**
 * The packs around the receiver's place in the stream: asked for ahead, opened and verified on arrival, dropped when
 * passed. A pack that is needed again later, for a repeated chunk, is fetched again.
 *
 * @module
 */

import { Failure } from "../failure.ts";
import { packSpans } from "../pack/packer.ts";
import type { ContentKeys } from "../seal/keys.ts";
import type { Payload } from "../seal/payload.ts";
import { openPayload } from "../seal/seal.ts";
import { DOWNLOAD_WINDOW_PACKS } from "../units.ts";
import type { SealedObject } from "../wire/object.ts";
import type { ObjectSource } from "./object-source.ts";
import type { PageFeed } from "./page-feed.ts";

/** Opened packs kept behind the furthest place in the stream, for runs that straddle and for near repeats. */
const KEPT_PACKS = 3;
/** Packs kept and asked for ahead at a place further back. */
const LOOK_BACK_PACKS = 3;

/** What a window reads through. */
export interface PackWindowParts {
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly keys: ContentKeys;
  readonly link: ObjectSource;
  readonly feed: PageFeed;
  readonly signal: AbortSignal;
  /** Sealed bytes received. */
  readonly onBytes: (bytes: number) => void;
}

interface Held {
  readonly payload: Promise<Payload>;
  readonly stop: AbortController;
}

/** The packs of one receive. */
export class PackWindow {
  readonly #parts: PackWindowParts;
  readonly #packs = new Map<number, Held>();
  /** Furthest pack that was read from. */
  #furthest = 0;
  /** Last pack that was read from, when it lay further back. */
  #lookBack: number | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  /** Packs before it hold nothing but what an earlier run received, and what is read; so only what is read is asked for. */
  #floor = Number.POSITIVE_INFINITY;
  /** How many reads wait for a pack. */
  readonly #needed = new Map<number, number>();

  constructor(parts: PackWindowParts) {
    this.#parts = parts;
    parts.signal.addEventListener("abort", () => this.#dropAll(), { once: true });
  }

  /** Packs held or asked for. */
  get size(): number {
    return this.#packs.size;
  }

  /** Starts asking for packs from `first` on, before it is known what they hold. Until then only what is read is asked for. */
  start(first = 0): void {
    this.#floor = first;
    this.#furthest = Math.max(this.#furthest, first);
    this.#arrange();
    // Packs behind the last one were asked for before their number was known.
    this.#parts.feed
      .until(() => this.#parts.feed.manifest.end !== null)
      .then(
        () => this.#arrange(),
        () => {},
      );
  }

  /**
   * Stream bytes `[start, start + length)`: a fresh array. Reads are served one after the other, so that a list of
   * many short runs in many packs holds no more packs than the window.
   * @throws Failure `pack/forged` | `object/corrupt` | link failures
   */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const packs = packSpans(start, length).map(({ pack }) => pack);
    this.#count(packs, 1);
    const turn = this.#tail.then(() => this.#read(start, length)).finally(() => this.#count(packs, -1));
    this.#tail = turn.catch(() => {});
    return turn;
  }

  #count(packs: readonly number[], change: number): void {
    for (const pack of packs) {
      const count = (this.#needed.get(pack) ?? 0) + change;
      if (count > 0) this.#needed.set(pack, count);
      else this.#needed.delete(pack);
    }
  }

  async #read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const out = new Uint8Array(length);
    let at = 0;
    for (const { pack, from, to } of packSpans(start, length)) {
      this.#moveTo(pack);
      this.#arrange();
      const payload = await this.#hold(pack).payload;
      if (payload.length < to) throw new Failure("pack/forged", { what: "payload length", index: pack });
      payload.copyTo(out, at, from, to);
      at += to - from;
    }
    return out;
  }

  #moveTo(pack: number): void {
    if (pack < this.#furthest - KEPT_PACKS) this.#lookBack = pack;
    if (pack <= this.#furthest) return;
    this.#furthest = pack;
    this.#lookBack = undefined;
  }

  /** Drops what lies outside of the two places and asks for what is missing inside. */
  #arrange(): void {
    if (this.#parts.signal.aborted) return;
    const count = this.#parts.feed.manifest.end?.packs ?? Number.POSITIVE_INFINITY;
    const wanted = new Set<number>();
    // What is read next comes first: a look back is waited for now.
    if (this.#lookBack !== undefined) this.#addRange(wanted, this.#lookBack, LOOK_BACK_PACKS, count);
    this.#addRange(wanted, this.#furthest, DOWNLOAD_WINDOW_PACKS, count);
    for (const [pack, { stop }] of this.#packs) {
      const isKept = pack < this.#furthest && pack >= this.#furthest - KEPT_PACKS;
      if (wanted.has(pack) || isKept) continue;
      this.#packs.delete(pack);
      stop.abort();
    }
    for (const pack of wanted) this.#hold(pack);
  }

  #addRange(wanted: Set<number>, from: number, packs: number, limit: number): void {
    for (let pack = from; pack < from + packs && pack < limit; pack++)
      if (pack >= this.#floor || this.#needed.has(pack)) wanted.add(pack);
  }

  #hold(pack: number): Held {
    const held = this.#packs.get(pack);
    if (held !== undefined) return held;
    const stop = new AbortController();
    const payload = this.#fetch(pack, stop.signal);
    payload.catch(() => {}); // the one who needs it meets the failure
    const started = { payload, stop };
    this.#packs.set(pack, started);
    return started;
  }

  async #fetch(pack: number, signal: AbortSignal): Promise<Payload> {
    const { link, feed, keys, portal, onBytes } = this.#parts;
    const accept = async (object: SealedObject) => {
      onBytes(object.bytes.length);
      await feed.until(() => feed.manifest.packCount > pack);
      return openPayload(keys.pack, portal, object, feed.manifest.packHash(pack));
    };
    return link.get("pack", pack, accept, signal);
  }

  #dropAll(): void {
    for (const { stop } of this.#packs.values()) stop.abort();
    this.#packs.clear();
  }
}
