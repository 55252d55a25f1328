/**
 * What an owner changes about a portal while it lives: its time, limits and pause, and its links.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { PortalPhase } from "../../../core/wire/frame.ts";
import type { LinkKey } from "../bytes.ts";
import type { DateSource } from "../clock.ts";
import type { LinkEntry, RulesChange } from "../store/access.ts";
import type { Store, StoredPortal } from "../store/store.ts";
import type { LivePortal } from "./live-portal.ts";
import type { Portals } from "./portals.ts";

/** A change as an owner asks for it; what is absent stays. */
export type WantedChange = Omit<RulesChange, "expiry"> & { readonly expirySeconds?: number };

interface RulesParts {
  readonly portals: Portals;
  readonly store: Store;
  readonly date: DateSource;
}

export class Rules {
  readonly #parts: RulesParts;

  constructor(parts: RulesParts) {
    this.#parts = parts;
  }

  /** A limit of downloads that is reached already ends the portal. @throws Failure `portal/expired` | `relay/…` */
  async change(portal: LivePortal, { expirySeconds: seconds, ...rest }: WantedChange): Promise<void> {
    const { portals, store, date } = this.#parts;
    const now = date.now();
    const expiry = seconds !== undefined && { seconds, expiresAtMs: now + seconds * 1000 };
    await store.access.changeRules(portal.key, { ...rest, ...(expiry && { expiry }) }, now);
    if (seconds !== undefined) portal.lifetime.renew(seconds * 1000);
    await portals.refresh(portal);
    portal.reconsider();
  }

  /** The same link again changes nothing. @throws Failure `portal/taken` | `portal/full` | `portal/expired` | `relay/…` */
  async addLink(portal: LivePortal, link: LinkEntry): Promise<void> {
    const { portals, store, date } = this.#parts;
    await store.access.addLink(portal.key, link, date.now());
    await portals.refresh(portal);
  }

  /** Revokes a link, also for whoever is connected by it. Idempotent. */
  async removeLink(portal: LivePortal, link: LinkKey): Promise<void> {
    const { portals, store } = this.#parts;
    await store.access.removeLink(portal.key, link);
    await portals.refresh(portal);
    portal.endLink(link, new Failure("portal/unknown"));
  }
}

/** The phase of a portal that has ended: its bytes are removed first, and a tombstone stays for a while. */
export function endedPhase({ bytes }: Pick<StoredPortal, "bytes">): PortalPhase {
  return bytes > 0 ? "expired" : "archived";
}
