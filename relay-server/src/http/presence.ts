/**
 * Who uses a portal over plain HTTP: requests have no connection that stays, so a sender or a receiver counts as there
 * from the beginning of a request until none of its kind came for a while.
 *
 * @module
 */
import { LINK_SILENCE_MS } from "../../../core/units.ts";
import type { LivePortal, Role } from "../portal/live-portal.ts";

interface Stay {
  readonly leave: () => void;
  /** Requests that are being answered. */
  requests: number;
  timer: NodeJS.Timeout | undefined;
}

export class Presence {
  readonly #stays: Readonly<Record<Role, Map<LivePortal, Stay>>> = { send: new Map(), receive: new Map() };

  /**
   * A request of this role came; the function that is given is called once when it is answered.
   * @param lease of a sender, checked; 0 for a receiver
   */
  begin(portal: LivePortal, role: Role, lease: number): () => void {
    const stays = this.#stays[role];
    const stay = stays.get(portal) ?? this.#enter(portal, role, lease);
    clearTimeout(stay.timer);
    stay.requests++;
    return () => {
      stay.requests--;
      if (stay.requests === 0 && stays.get(portal) === stay) this.#await(stay);
    };
  }

  #enter(portal: LivePortal, role: Role, lease: number): Stay {
    const stays = this.#stays[role];
    const end = () => {
      if (stays.get(portal) === stay) stays.delete(portal);
      clearTimeout(stay.timer);
      leave();
    };
    const leave = portal.join({ role, lease, onEnd: end });
    const stay: Stay = { leave: end, requests: 0, timer: undefined };
    stays.set(portal, stay);
    return stay;
  }

  #await(stay: Stay): void {
    stay.timer = setTimeout(stay.leave, LINK_SILENCE_MS).unref();
  }

  close(): void {
    for (const stays of Object.values(this.#stays)) for (const stay of [...stays.values()]) stay.leave();
  }
}
