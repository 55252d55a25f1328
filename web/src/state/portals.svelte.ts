/**
 * The list of everything that this browser sent, received, asked for or manages. It shows at once what is remembered here;
 * the relays are asked while somebody looks.
 *
 * @module
 */
import { toFailure } from "../../../core/failure.ts";
import type { KnownAs, KnownPortal, PortalsApi } from "../../../workers/portals/api.ts";
import { createPortals } from "../../../workers/portals/client.ts";
import type { CodedFailure } from "./transfer.svelte.ts";

/** How often the relays are asked while the page is seen. */
const REFRESH_MS = 10_000;

export class Portals {
  #worker: PortalsApi | null = null;
  #rows = $state.raw<readonly KnownPortal[]>([]);
  #isLoaded = $state(false);
  /** Why the list could not be read. */
  #failure = $state.raw<CodedFailure | null>(null);
  /** Why the relays could not be asked. */
  #staleCode = $state.raw<CodedFailure | null>(null);
  #asOfMs = $state<number | null>(null);
  #nowMs = $state(Date.now());
  #isRefreshing = false;
  #isSubscribed = false;
  /** Something changed since the list was read. */
  #isNew = false;
  #reading: Promise<void> | null = null;

  /** The worker, started when it is first needed. */
  get api(): PortalsApi {
    this.#worker ??= createPortals();
    return this.#worker;
  }

  /** Newest first. */
  get rows(): readonly KnownPortal[] {
    return this.#rows;
  }

  /** False until the list was read once. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Why the list could not be read, or null. */
  get failure(): CodedFailure | null {
    return this.#failure;
  }

  /** Why the relays could not be asked the last time, or null. */
  get stale(): CodedFailure | null {
    return this.#staleCode;
  }

  /** When the relays last answered this page; null when they have not. */
  get asOfMs(): number | null {
    return this.#asOfMs;
  }

  /** Now, to within the time between two looks: what is left of a portal's time is counted from it. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Keeps the list current until the returned function is called. */
  watch(): () => void {
    const look = (): void => void (document.visibilityState === "visible" && this.refresh());
    const timer = setInterval(look, REFRESH_MS);
    document.addEventListener("visibilitychange", look);
    if (!this.#isSubscribed) {
      this.#isSubscribed = true;
      this.api.subscribe(() => void this.read()).catch(this.#note);
    }
    void this.read().then(look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }

  /** Reads the list as this browser remembers it. One at a time: changes that come meanwhile are read together. */
  async read(): Promise<void> {
    this.#isNew = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  /** Asks the relays; what they tell comes by way of `read`. */
  async refresh(): Promise<void> {
    this.#nowMs = Date.now();
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      await this.api.refresh();
      this.#staleCode = null;
      this.#asOfMs = Date.now();
    } catch (error) {
      this.#staleCode = coded(error);
    } finally {
      this.#isRefreshing = false;
    }
  }

  /** How a portal came onto the list; null where it is not on it, or the list cannot be read. */
  async howKnown(portal: string): Promise<KnownAs | null> {
    const rows = await this.api.list().catch(() => []);
    return rows.find((row) => row.portal === portal)?.as ?? null;
  }

  async #read(): Promise<void> {
    while (this.#isNew) {
      this.#isNew = false;
      try {
        this.#rows = await this.api.list();
        this.#failure = null;
        this.#isLoaded = true;
        this.#nowMs = Date.now();
      } catch (error) {
        this.#note(error);
      }
    }
  }

  readonly #note = (error: unknown): void => {
    this.#failure = coded(error);
    this.#isLoaded = true;
  };
}

function coded(error: unknown): CodedFailure {
  const { code, details } = toFailure(error, "worker/crashed");
  return { code, details };
}
