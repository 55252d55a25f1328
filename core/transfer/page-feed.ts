/**
 * Reads manifest pages one after the other as they appear, checks them, and lets others wait for what they tell.
 *
 * @module
 */
import type { SteadyLink } from "../edge/steady-link.ts";
import { deferred, type Deferred } from "../edge/deferred.ts";
import { Failure, toFailure } from "../failure.ts";
import { Manifest } from "../manifest/manifest.ts";
import { decodePage, type EntryEvent } from "../manifest/page.ts";
import type { PortalKeys } from "../seal/keys.ts";
import { open } from "../seal/seal.ts";

/** Pages asked for ahead. */
const PAGES_AHEAD = 4;

export class PageFeed {
  readonly manifest = new Manifest();
  /** What happens to entries, in order, not yet taken. */
  readonly #events: EntryEvent[] = [];
  #taken = 0;
  #failure: Failure | undefined;
  #changed: Deferred<void> = deferred<void>();
  #onPage: () => void = () => {};

  /** Starts reading; `onPage` is called after each page and on failure. */
  start(portal: Uint8Array<ArrayBuffer>, keys: PortalKeys, link: SteadyLink, signal: AbortSignal, onPage: () => void): void {
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
  async nextEvent(): Promise<EntryEvent | undefined> {
    while (this.#taken === this.#events.length) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.manifest.end !== null) return undefined;
      await this.#changed.promise;
    }
    const event = this.#events[this.#taken++];
    if (this.#taken > 4096) {
      this.#events.splice(0, this.#taken);
      this.#taken = 0;
    }
    return event;
  }

  async #readAll(portal: Uint8Array<ArrayBuffer>, keys: PortalKeys, link: SteadyLink, signal: AbortSignal): Promise<void> {
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
        for (const event of this.manifest.append(page)) this.#events.push(event);
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
