/**
 * Who was heard of at a portal, and how it stands between them and this side.
 *
 * @module
 */
import { equalBytes } from "../wire/codec.ts";
import type { PairingAttempt } from "./pairing-attempt.ts";

/** Others that are remembered: as many as a relay takes an announcement to. */
const MAX_KNOWN = 32;

/** Another browser at the portal. */
export interface Known {
  /** u8[16] */
  readonly id: Uint8Array<ArrayBuffer>;
  /** Its connection's number at the relay, as the relay says: signals go there. */
  member: number;
  /** The highest number of its signals. */
  last: number;
  /** Tries in a row that led to nothing. */
  failures: number;
  /** It gave wrong bytes. */
  isBarred: boolean;
  /** This side is offering it connections. */
  isPursued: boolean;
  /** The connection that is being made, or stands. */
  attempt: PairingAttempt | undefined;
}

/** Others, by their names. */
export class Acquaintances {
  #known: Known[] = [];

  get all(): readonly Known[] {
    return this.#known;
  }

  /** Whose signal this is; undefined when it is an old one, or when there are too many others. @param id u8[16], kept */
  meet(id: Uint8Array<ArrayBuffer>, number: number): Known | undefined {
    const known = this.#known.find((other) => equalBytes(other.id, id)) ?? this.#add(id);
    if (known === undefined || number <= known.last) return undefined;
    known.last = number;
    return known;
  }

  #add(id: Uint8Array<ArrayBuffer>): Known | undefined {
    if (this.#known.length >= MAX_KNOWN) {
      const idle = this.#known.find((other) => !other.isBarred && !other.isPursued && other.attempt === undefined);
      if (idle === undefined) return undefined;
      this.#known = this.#known.filter((other) => other !== idle);
    }
    const known: Known = {
      id,
      member: 0,
      last: 0,
      failures: 0,
      isBarred: false,
      isPursued: false,
      attempt: undefined,
    };
    this.#known.push(known);
    return known;
  }
}
