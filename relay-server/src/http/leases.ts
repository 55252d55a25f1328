/**
 * Who uses a portal over plain HTTP: requests have no connection that stays, so a request counts as a sender or a
 * receiver until none of its kind came for a while.
 *
 * @module
 */
import { LINK_SILENCE_MS } from "../../../core/units.ts";
import type { LivePortal, Role } from "../portal/live-portal.ts";

/** Longer than the longest long poll, so that a client that only waits is not taken for gone. */
const LEASE_MS = 2 * LINK_SILENCE_MS;

interface Lease {
  readonly leave: () => void;
  readonly timer: NodeJS.Timeout;
}

export class Leases {
  readonly #leases: Readonly<Record<Role, Map<LivePortal, Lease>>> = { send: new Map(), receive: new Map() };

  /** A request of this role came. */
  touch(portal: LivePortal, role: Role): void {
    const leases = this.#leases[role];
    const lease = leases.get(portal);
    if (lease !== undefined) {
      lease.timer.refresh();
      return;
    }
    const end = () => {
      leases.delete(portal);
      clearTimeout(timer);
      leave();
    };
    const timer = setTimeout(end, LEASE_MS).unref();
    const leave = portal.join({ role, onEnd: end });
    leases.set(portal, { leave, timer });
  }

  close(): void {
    for (const leases of Object.values(this.#leases)) {
      for (const { leave, timer } of leases.values()) {
        clearTimeout(timer);
        leave();
      }
      leases.clear();
    }
  }
}
