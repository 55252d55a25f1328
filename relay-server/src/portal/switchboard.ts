/**
 * Signals of one portal: sealed bytes that its connections hand each other through the relay, which reads, keeps and logs
 * none of them. Each connection has a number here; nobody outside of the portal can be reached.
 *
 * @module
 */
import { MAX_MEMBER } from "../../../core/wire/frame.ts";
import { Allowance } from "../allowance.ts";

/** Connections that one signal to everybody goes to. */
export const MAX_AUDIENCE = 32;
/**
 * What all connections of a portal hear together, at once and each second after that. Who comes again and again, and so has an
 * allowance of its own each time, passes no more.
 */
const BURST = 4096;
const PER_SECOND = 512;

/** Takes a signal to its connection. The body is borrowed. */
type Deliver = (from: number, body: Uint8Array) => void;

/** A connection's place. */
export interface Seat {
  /** 1 … MAX_MEMBER, of nobody else who is there. */
  readonly member: number;
  /**
   * Hands a signal to the connection with this number, if it is there, or to others with 0. The body is borrowed.
   * @returns false when too much was said at this portal: then nobody hears it
   */
  send(to: number, body: Uint8Array): boolean;
  leave(): void;
}

export class Switchboard {
  readonly #seats = new Map<number, Deliver>();
  readonly #allowance = new Allowance(BURST, PER_SECOND);
  #last = 0;

  join(deliver: Deliver): Seat {
    do this.#last = (this.#last % MAX_MEMBER) + 1;
    while (this.#seats.has(this.#last));
    const member = this.#last;
    this.#seats.set(member, deliver);
    return {
      member,
      send: (to, body) => {
        if (to === member) return true;
        const receivers = to === 0 ? this.#audienceOf(member) : [to];
        if (!this.#allowance.take(receivers.length)) return false;
        for (const receiver of receivers) this.#seats.get(receiver)?.(member, body);
        return true;
      },
      leave: () => void this.#seats.delete(member),
    };
  }

  /** Those who came next after it; the first ones follow the last, so that in a crowd everybody is heard by somebody else. */
  #audienceOf(member: number): number[] {
    const others = [...this.#seats.keys()];
    const at = others.indexOf(member);
    return [...others.slice(at + 1), ...others.slice(0, at)].slice(0, MAX_AUDIENCE);
  }
}
