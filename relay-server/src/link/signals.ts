/**
 * One connection's signals: how many it may send, and what becomes of one for it while it does not read.
 *
 * @module
 */
import { Allowance } from "../allowance.ts";
import type { Metrics } from "../metrics.ts";
import { isCounted } from "../portal/link-rules.ts";
import type { LivePortal } from "../portal/live-portal.ts";
import type { Seat } from "../portal/switchboard.ts";

/** Signals that may come at once, and each second after that. */
const BURST = 64;
const PER_SECOND = 4;

/** What of a link its signals use. */
export interface SignalOutput {
  /** False while what waits for the peer leaves no room for what may be lost. */
  hasRoom(): boolean;
  /** The body is borrowed. */
  send(from: number, body: Uint8Array): void;
}

export class Signals {
  readonly #portal: LivePortal;
  readonly #metrics: Metrics;
  readonly #seat: Seat;
  readonly #allowance = new Allowance(BURST, PER_SECOND);

  constructor(portal: LivePortal, output: SignalOutput, metrics: Metrics) {
    this.#portal = portal;
    this.#metrics = metrics;
    this.#seat = portal.switchboard.join((from, body) => {
      const hasRoom = output.hasRoom();
      metrics.signal(hasRoom ? "passed" : "unread");
      if (hasRoom) output.send(from, body);
    });
  }

  /** This connection's number at the portal. */
  get member(): number {
    return this.#seat.member;
  }

  /** Passes a signal on, or drops it; whoever sent it is not told. */
  send(to: number, body: Uint8Array): void {
    // What is counted here is not to be had from others.
    if (isCounted(this.#portal.stored)) this.#metrics.signal("counted");
    else if (!this.#allowance.take() || !this.#seat.send(to, body)) this.#metrics.signal("limited");
  }

  leave(): void {
    this.#seat.leave();
  }
}
