/**
 * Reads manifest pages one after the other as they appear, checks them, and lets others wait for what they tell.
 *
 * @module
 */

import { type Deferred, deferred } from "../edge/deferred.ts";
import { Failure, toFailure } from "../failure.ts";
import { Manifest } from "../manifest/manifest.ts";
import { decodePage, type EntryEvent } from "../manifest/page.ts";
import type { ContentKeys } from "../seal/keys.ts";
import { open } from "../seal/seal.ts";
import type { ObjectSource } from "./object-source.ts";

/** Pages asked for ahead. */
const PAGES_AHEAD = 4;

/** Numbers that are dropped from the queue at once, at the least. */
const MIN_DROPPED = 12_288;
/** Numbers of one event in the queue. */
const EVENT_NUMBERS = 3;

/** An entry's event without its identity, which the manifest keeps. */
export type FeedEvent =
  | { readonly kind: "extent"; readonly entry: number; readonly firstChunk: number; readonly chunks: number }
  | { readonly kind: "end"; readonly entry: number };

/** The manifest of one receive, as it comes. */
export class PageFeed {
  readonly manifest = new Manifest();
  /** What happens to entries, in order, not yet taken: entry, chunks (0 for an end), first chunk. Millions may wait. */
  readonly #events: number[] = [];
  #taken = 0;
  #failure: Failure | undefined;
  #changed: Deferred<void> = deferred<void>();
  #onPage: () => void = () => {};

  /** Starts reading; `onPage` is called after each page and on failure. */
  start(
    portal: Uint8Array<ArrayBuffer>,
    keys: ContentKeys,
    link: ObjectSource,
    signal: AbortSignal,
    onPage: () => void,
  ): void {
    this.#onPage = onPage;
    this.#readAll(portal, keys, link, signal).then(
      () => {},
      (error: unknown) => {
        this.#failure = toFailure(error, "manifest/malformed");
        this.#wake();
      },
    );
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Waits until `condition` holds. @throws the feed's Failure; `transfer/truncated` when the end came and it never held */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.manifest.end !== null) throw new Failure("transfer/truncated");
      await this.#changed.promise;
    }
  }

  /** The next event, or undefined at the end of the manifest. */
  async nextEvent(): Promise<FeedEvent | undefined> {
    while (this.#taken === this.#events.length) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.manifest.end !== null) return undefined;
      await this.#changed.promise;
    }
    const [entry = 0, chunks = 0, firstChunk = 0] = this.#events.slice(this.#taken, this.#taken + EVENT_NUMBERS);
    this.#taken += EVENT_NUMBERS;
    // Dropped in large steps, so that a queue of millions is not moved again and again.
    if (this.#taken > MIN_DROPPED && 2 * this.#taken > this.#events.length) {
      this.#events.splice(0, this.#taken);
      this.#taken = 0;
    }
    return chunks === 0 ? { kind: "end", entry } : { kind: "extent", entry, firstChunk, chunks };
  }

  #queue(event: EntryEvent): void {
    if (event.kind === "end") this.#events.push(event.entry, 0, 0);
    else this.#events.push(event.entry, event.chunks, event.firstChunk);
  }

  async #readAll(
    portal: Uint8Array<ArrayBuffer>,
    keys: ContentKeys,
    link: ObjectSource,
    signal: AbortSignal,
  ): Promise<void> {
    const ahead = new AbortController();
    const stop = () => ahead.abort();
    signal.addEventListener("abort", stop, { once: true });
    const fetchPage = (index: number) => {
      const page = link.get(
        "page",
        index,
        async (object) => ({ payload: await open(keys.page, portal, object), final: object.header.final }),
        ahead.signal,
      );
      page.catch(() => {});
      return page;
    };
    const queue: ReturnType<typeof fetchPage>[] = [];
    try {
      for (let index = 0; this.manifest.end === null; index++) {
        while (queue.length < PAGES_AHEAD) queue.push(fetchPage(index + queue.length));
        const { payload, final } = await (queue.shift() as ReturnType<typeof fetchPage>);
        const page = decodePage(payload);
        if (final !== (page.end !== null)) throw new Failure("manifest/malformed", { what: "final flag" });
        for (const event of this.manifest.append(page)) this.#queue(event);
        this.#wake();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      ahead.abort();
    }
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = deferred<void>();
    resolve();
    this.#onPage();
  }
}
