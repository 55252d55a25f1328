/**
 * The packs around the receiver's place in the stream: asked for ahead, opened and verified on arrival, dropped when
 * passed. A pack that is needed again later is fetched again.
 *
 * @module
 */
import type { SteadyLink } from "../edge/steady-link.ts";
import { packSpans } from "../pack/packer.ts";
import type { PortalKeys } from "../seal/keys.ts";
import { open } from "../seal/seal.ts";
import { DOWNLOAD_WINDOW_PACKS } from "../units.ts";
import type { SealedObject } from "../wire/object.ts";
import type { PageFeed } from "./page-feed.ts";

/** Opened packs kept behind the place in the stream, for runs that straddle and for near repeats. */
const KEPT_PACKS = 3;

export interface PackWindowParts {
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly keys: PortalKeys;
  readonly link: SteadyLink;
  readonly feed: PageFeed;
  readonly signal: AbortSignal;
  /** Sealed bytes received. */
  readonly onBytes: (bytes: number) => void;
}

export class PackWindow {
  readonly #parts: PackWindowParts;
  /** By index, in order of use: payloads arriving or opened. */
  readonly #packs = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  #ahead = 0;

  constructor(parts: PackWindowParts) {
    this.#parts = parts;
  }

  /** Starts asking for the first packs, before it is known what they hold. */
  start(): void {
    this.#prefetch(0);
  }

  /** Stream bytes `[start, start + length)`: a fresh array. @throws Failure `pack/forged` | `object/corrupt` | link failures */
  async read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const out = new Uint8Array(length);
    let at = 0;
    for (const { pack, from, to } of packSpans(start, length)) {
      this.#prefetch(pack);
      const payload = await this.#payload(pack);
      out.set(payload.subarray(from, to), at);
      at += to - from;
    }
    return out;
  }

  #prefetch(from: number): void {
    // A look back for a repeated chunk must not drag the window back.
    if (from < this.#ahead - DOWNLOAD_WINDOW_PACKS - KEPT_PACKS) return;
    const end = Math.min(from + DOWNLOAD_WINDOW_PACKS, this.#parts.feed.manifest.end?.packs ?? Number.POSITIVE_INFINITY);
    for (; this.#ahead < end; this.#ahead++) void this.#payload(this.#ahead);
    for (const pack of this.#packs.keys()) {
      if (this.#packs.size <= DOWNLOAD_WINDOW_PACKS + KEPT_PACKS || pack >= from) break;
      this.#packs.delete(pack);
    }
  }

  #payload(pack: number): Promise<Uint8Array<ArrayBuffer>> {
    const held = this.#packs.get(pack);
    if (held !== undefined) return held;
    const payload = this.#fetch(pack);
    payload.catch(() => {}); // the one who needs it meets the failure
    this.#packs.set(pack, payload);
    return payload;
  }

  async #fetch(pack: number): Promise<Uint8Array<ArrayBuffer>> {
    const { link, feed, keys, portal, signal, onBytes } = this.#parts;
    const accept = async (object: SealedObject) => {
      onBytes(object.bytes.length);
      await feed.until(() => feed.manifest.packCount > pack);
      return open(keys.pack, portal, object, feed.manifest.packHash(pack));
    };
    return link.get("pack", pack, accept, signal);
  }
}
