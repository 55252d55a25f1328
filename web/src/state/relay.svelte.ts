/**
 * What this page's relay says about itself: its limits, and what it asks for. The page works with careful values until it has answered.
 *
 * @module
 */
import type { RelayInfo } from "../../../core/portal/portal.ts";
import { type Choice, choicesWith, DAY_SECONDS, EXPIRIES, IDLE_TIMES } from "../lib/choices.ts";

/** Until the relay has said how long it keeps a portal. */
const CAREFUL_SECONDS = 7 * DAY_SECONDS;

export class Relay {
  readonly origin: string;
  #info = $state.raw<RelayInfo | null>(null);

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Bytes that one portal may hold, or null when the relay has not answered. */
  get maxPortalBytes(): number | null {
    return this.#info?.limits.maxPortalBytes ?? null;
  }

  get defaultExpirySeconds(): number {
    return this.#info?.limits.defaultExpirySeconds ?? DAY_SECONDS;
  }

  /** Creating a portal takes an invitation. */
  get needsInvite(): boolean {
    return this.#info?.creation.invite ?? false;
  }

  /** Choices within the relay's limit; its own default is always among them. */
  get expiries(): readonly Choice[] {
    return choicesWith(this.#within(EXPIRIES), this.defaultExpirySeconds);
  }

  /** Choices for the time without use. */
  get idleTimes(): readonly Choice[] {
    return this.#within(IDLE_TIMES);
  }

  /** Asks once. Without an answer the page goes on; sending will say what is wrong. */
  async ask(): Promise<void> {
    try {
      const response = await fetch(`${this.origin}/api/v1/relay`, { cache: "no-store", credentials: "omit" });
      if (response.ok) this.#info = (await response.json()) as RelayInfo;
    } catch {
      this.#info = null;
    }
  }

  #within(choices: readonly Choice[]): readonly Choice[] {
    const limit = this.#info?.limits.maxExpirySeconds ?? CAREFUL_SECONDS;
    return choices.filter(({ seconds }) => seconds <= limit);
  }
}
