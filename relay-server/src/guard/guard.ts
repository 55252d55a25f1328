/**
 * What one address, and the world, may do to this relay in a while: creating, guessing, storing, changing vaults. Nobody
 * needs to be known for it, and nothing of it is written down: a relay that starts anew counts anew.
 *
 * @module
 */
import { Failure, type FailureCode } from "../../../core/failure.ts";
import type { Meter } from "../portal/upload.ts";
import { Limiter } from "./limiter.ts";

/** How much may happen; changed in tests. */
export interface GuardLimits {
  /** Portals and vaults that are created from one address in an hour. */
  readonly createsPerHour: number;
  /** Object bytes that come from one address in a day. */
  readonly bytesPerDay: number;
  /** Wrong tokens in a minute: from one address for one portal, for one portal, from one address. */
  readonly failuresOfPair: number;
  readonly failuresOfPortal: number;
  readonly failuresOfAddress: number;
  /** Changes of entries and devices from one address in a minute. */
  readonly vaultChangesPerMinute: number;
}

/** What nobody need configure. */
export const FIXED_LIMITS = {
  failuresOfPair: 5,
  failuresOfPortal: 60,
  failuresOfAddress: 120,
  vaultChangesPerMinute: 600,
} as const satisfies Partial<GuardLimits>;

/** What was too much, for the metrics. */
export const LIMITED = ["creations", "tokens", "bytes", "changes"] as const;
/** What was too much. */
export type Limited = (typeof LIMITED)[number];

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

export class Guard {
  readonly #onLimited: (what: Limited, address: string) => void;
  readonly #creations: Limiter;
  readonly #bytes: Limiter;
  readonly #changes: Limiter;
  readonly #byPair: Limiter;
  readonly #byPortal: Limiter;
  readonly #byAddress: Limiter;

  constructor(limits: GuardLimits, onLimited: (what: Limited, address: string) => void = () => {}) {
    this.#onLimited = onLimited;
    this.#creations = new Limiter(limits.createsPerHour, HOUR_SECONDS);
    this.#bytes = new Limiter(limits.bytesPerDay, DAY_SECONDS);
    this.#changes = new Limiter(limits.vaultChangesPerMinute, MINUTE_SECONDS);
    this.#byPair = new Limiter(limits.failuresOfPair, MINUTE_SECONDS);
    this.#byPortal = new Limiter(limits.failuresOfPortal, MINUTE_SECONDS);
    this.#byAddress = new Limiter(limits.failuresOfAddress, MINUTE_SECONDS);
  }

  /** Counts a creation. @throws Failure `relay/busy` */
  async creation(address: string): Promise<void> {
    this.#refuse("creations", address, await this.#creations.count(address));
  }

  /** Counts a change of a vault. @throws Failure `relay/busy` */
  async vaultChange(address: string): Promise<void> {
    this.#refuse("changes", address, await this.#changes.count(address));
  }

  /** For one object from an address: whether it may come, and what came of it. */
  meter(address: string): Meter {
    return {
      admit: async () => this.#refuse("bytes", address, await this.#bytes.look(address)),
      came: (bytes) => void this.#bytes.count(address, bytes),
    };
  }

  /**
   * Counts a token that opened nothing, whatever the reason and whether or not there is such a portal, so that nothing can be
   * learnt from when it is too much. An address that is over a limit does not use up those that others share.
   * @param name of the portal, or of what else was tried
   * @returns what to throw: `unknown`, or `relay/busy`
   */
  async wrongToken(name: string, address: string, unknown: FailureCode = "portal/unknown"): Promise<Failure> {
    const site = siteOf(address);
    const retrySeconds =
      (await this.#byAddress.count(site)) ||
      (await this.#byPair.count(pairOf(name, site))) ||
      (await this.#byPortal.count(name));
    if (retrySeconds === 0) return new Failure(unknown);
    this.#onLimited("tokens", address);
    return busy(retrySeconds);
  }

  /**
   * Before a token that depends on a password is honoured. Random tokens are not guessed, but passwords are: an address that
   * was wrong about this portal within the minute, while a limit is reached, waits even when it is right now, and so does one
   * that was wrong too often anywhere, or a limit would limit nothing. Whoever was not wrong is not held up by others.
   * @throws Failure `relay/busy`
   */
  async passwordToken(name: string, address: string): Promise<void> {
    const site = siteOf(address);
    const pair = pairOf(name, site);
    this.#refuse("tokens", address, await this.#byAddress.look(site));
    if (!(await this.#byPair.knows(pair))) return;
    this.#refuse("tokens", address, (await this.#byPair.look(pair)) || (await this.#byPortal.look(name)));
  }

  #refuse(what: Limited, address: string, retrySeconds: number): void {
    if (retrySeconds === 0) return;
    this.#onLimited(what, address);
    throw busy(retrySeconds);
  }
}

/** Wrong tokens of an IPv6 address count for the /48: who guesses may well have all of it, and right tokens are served. */
function siteOf(address: string): string {
  return address.replace(/^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):[0-9a-f]+::\/64$/, "$1::/48");
}

function pairOf(name: string, address: string): string {
  return `${name} ${address}`;
}

function busy(retrySeconds: number): Failure {
  return new Failure("relay/busy", { retrySeconds });
}
