/**
 * How portals end: for whoever uses them at once, in the store as soon as its disk allows, and with them what was delivered
 * into them.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { EndReason } from "../../../core/portal/portal.ts";
import type { PortalKey } from "../bytes.ts";
import type { DateSource } from "../clock.ts";
import type { Store } from "../store/store.ts";
import type { LivePortal } from "./live-portal.ts";
import type { Portals } from "./portals.ts";

/** A delivery that is not committed ends when it had no sender for so long. */
const ABANDONED_MS = 3600_000;
/** Deliveries of a request that end at a time. */
const WIDTH = 64;

interface EndingsParts {
  readonly portals: Portals;
  readonly store: Store;
  readonly date: DateSource;
}

/** An end that is not written down yet. */
interface Ending {
  readonly endedAtMs: number;
  readonly reason: EndReason;
}

export class Endings {
  readonly #parts: EndingsParts;
  /** Portals whose end the store does not know yet. */
  readonly #open = new Map<PortalKey, Ending>();

  constructor(parts: EndingsParts) {
    this.#parts = parts;
  }

  /** True while the end of this portal is not written down. */
  isOpen(key: PortalKey): boolean {
    return this.#open.has(key);
  }

  /**
   * Ends a portal: members are told, bytes are removed, a tombstone stays for 24 hours; deliveries of a request end with it.
   * Idempotent; the first reason stays.
   */
  async end(portal: LivePortal, reason: EndReason): Promise<void> {
    const ending = { endedAtMs: this.#parts.date.now(), reason };
    const { endedAtMs, endReason } = portal.stored;
    portal.stored = {
      ...portal.stored,
      endedAtMs: endedAtMs ?? ending.endedAtMs,
      endReason: endReason ?? ending.reason,
    };
    portal.end(new Failure("portal/expired"));
    this.#open.set(portal.key, ending);
    await this.again(portal.key);
  }

  /** Ends a portal that has not ended, if there is one. */
  async endKey(key: PortalKey, reason: EndReason): Promise<void> {
    const live = (await this.#parts.portals.find(key))?.live;
    if (live !== undefined) await this.end(live, reason);
  }

  /** Writes down the end of a portal, where that could not be done before. @throws Failure `relay/full` | `relay/storage` */
  async again(key: PortalKey): Promise<void> {
    const ending = this.#open.get(key);
    if (ending === undefined) return;
    const { portals, store } = this.#parts;
    await store.endPortal(key, ending.endedAtMs, ending.reason);
    const stored = await store.loadPortal(key);
    if (stored?.delivery) await portals.refreshKey(stored.delivery.request);
    const deliveries = stored?.kind === "request" ? await store.access.deliveriesOf(key) : [];
    for (let at = 0; at < deliveries.length; at += WIDTH) {
      const some = deliveries.slice(at, at + WIDTH);
      await Promise.all(some.map((delivery) => this.endKey(delivery.key, ending.reason)));
    }
    this.#open.delete(key);
  }

  /** Tries to write down every end. */
  async allAgain(): Promise<void> {
    await Promise.allSettled([...this.#open.keys()].map((key) => this.again(key)));
  }

  /** Ends deliveries that nobody finishes, and those whose request ended when the process died. */
  async endDeliveries(nowMs: number): Promise<void> {
    const { portals, store } = this.#parts;
    const beforeMs = nowMs - ABANDONED_MS;
    for (const key of await store.access.abandonedDeliveries(beforeMs)) {
      const live = (await portals.find(key).catch(() => undefined))?.live;
      // What is known here may not be written down yet.
      const isOver = live !== undefined && live.stored.usedAtMs <= beforeMs && !live.hasSender;
      if (isOver) await this.end(live, "idle").catch(() => undefined);
    }
    for (const { key, reason } of await store.access.orphanedDeliveries())
      await this.endKey(key, reason).catch(() => undefined);
  }
}
