/**
 * What this page's relay says about itself: its limits. The page works with careful values until it has answered.
 *
 * @module
 */
import type { RelayInfo } from "../../../core/portal/portal.ts";

const DAY_SECONDS = 86_400;

/** Offered where the relay allows them. */
const EXPIRIES = [
  { seconds: 3600, text: "1 hour" },
  { seconds: DAY_SECONDS, text: "1 day" },
  { seconds: 3 * DAY_SECONDS, text: "3 days" },
  { seconds: 7 * DAY_SECONDS, text: "7 days" },
  { seconds: 30 * DAY_SECONDS, text: "30 days" },
] as const;

export class Relay {
  readonly origin: string;
  #limits = $state.raw<RelayInfo["limits"] | null>(null);

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Bytes that one portal may hold, or null when the relay has not answered. */
  get maxPortalBytes(): number | null {
    return this.#limits?.maxPortalBytes ?? null;
  }

  get defaultExpirySeconds(): number {
    return this.#limits?.defaultExpirySeconds ?? DAY_SECONDS;
  }

  /** Choices within the relay's limit; its own default is always among them. */
  get expiries(): readonly { readonly seconds: number; readonly text: string }[] {
    const limit = this.#limits?.maxExpirySeconds ?? 7 * DAY_SECONDS;
    const own = this.defaultExpirySeconds;
    const offered = EXPIRIES.filter(({ seconds }) => seconds <= limit);
    if (offered.some(({ seconds }) => seconds === own)) return offered;
    return [...offered, { seconds: own, text: `${Math.round((own / 3600) * 10) / 10} hours` }].sort(
      (a, b) => a.seconds - b.seconds,
    );
  }

  /** Asks once. Without an answer the page goes on; sending will say what is wrong. */
  async ask(): Promise<void> {
    try {
      const response = await fetch(`${this.origin}/api/v1/relay`, { cache: "no-store", credentials: "omit" });
      if (response.ok) this.#limits = ((await response.json()) as RelayInfo).limits;
    } catch {
      this.#limits = null;
    }
  }
}
