/**
 * Somebody who reads from a portal, over whichever carrier: what is given out to a link that its owner paused waits, and packs
 * of a portal whose downloads are counted come only under a claim.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { ObjectKind } from "../../../core/wire/object.ts";
import type { LinkKey } from "../bytes.ts";
import type { DateSource } from "../clock.ts";
import type { DownloadKey } from "../store/access.ts";
import type { ObjectSource, Store } from "../store/store.ts";
import { isLimited } from "./link-rules.ts";
import type { LivePortal } from "./live-portal.ts";
import type { Portals } from "./portals.ts";

/** How long a claim holds after its last use. */
export const CLAIM_MS = 15 * 60_000;
/** A claim in use is written down again this often. */
const RENEW_MS = 5 * 60_000;

export interface ReaderParts {
  readonly portals: Portals;
  readonly store: Store;
  readonly date: DateSource;
}

export class Reader {
  readonly portal: LivePortal;
  readonly #parts: ReaderParts;
  readonly #link: LinkKey | null;
  #claim: Uint8Array<ArrayBuffer> | undefined;
  #claiming: Promise<unknown> = Promise.resolve();
  /** It was taken here, not only named. */
  #isTaken = false;
  #renewedMs: number;

  /** @param link the read link; null for the owner and for admins, whose reading is neither counted nor paused */
  constructor(parts: ReaderParts, portal: LivePortal, link: LinkKey | null) {
    this.#parts = parts;
    this.portal = portal;
    this.#link = link;
    this.#renewedMs = parts.date.steady();
  }

  /** True while nothing is given out to this reader. */
  get isPaused(): boolean {
    return this.#link !== null && this.portal.stored.isPaused;
  }

  /** True when it is known what becomes of an object: it is there, or never will be. */
  isDecided(kind: ObjectKind, index: number): boolean {
    const { portal } = this;
    if (portal.ended !== undefined) return true;
    return !this.isPaused && (portal.has(kind, index) || portal.willNotCome(kind, index));
  }

  /**
   * Opens a verified object.
   * @throws Failure `portal/claimed` without a claim, `portal/unknown` under one that was completed, `object/absent` while it
   * is paused, and like `Portals.open`
   */
  async open(kind: ObjectKind, index: number): Promise<ObjectSource> {
    const { portal } = this;
    if (portal.ended !== undefined) throw portal.ended;
    if (this.isPaused) throw new Failure("object/absent");
    if (kind === "pack" && this.#isCounted()) await this.#assertClaim();
    return this.#parts.portals.open(portal, kind, index);
  }

  /** Uses a claim that was taken before. */
  useClaim(claim: Uint8Array<ArrayBuffer>): void {
    this.#claim = claim;
  }

  /** Takes one of the downloads that are left, or keeps it. @throws Failure `portal/claimed` | `portal/unknown` */
  claim(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    const claiming = this.#take(claim);
    this.#claiming = claiming.catch(() => undefined);
    return claiming;
  }

  async #take(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    const download = this.#download(claim);
    if (download === undefined) return;
    const now = this.#parts.date.now();
    await this.#parts.store.access.takeClaim(download, now, now + CLAIM_MS);
    this.#claim = claim;
    this.#isTaken = true;
    this.#renewedMs = this.#parts.date.steady();
  }

  /** Gives a claim back. */
  async release(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    const download = this.#download(claim);
    if (download !== undefined) await this.#parts.store.access.releaseClaim(download);
  }

  /**
   * Counts a completed download, once for each claim; the last allowed one ends the portal.
   * @param onCounted called when it is durable, before the portal ends
   * @throws Failure `portal/claimed` | `portal/unknown` | `portal/expired`
   */
  async complete(claim: Uint8Array<ArrayBuffer>, onCounted: () => void = () => {}): Promise<void> {
    const { portal } = this;
    if (portal.ended !== undefined) throw portal.ended;
    const { portals, store, date } = this.#parts;
    const download = this.#download(claim);
    if (download !== undefined) await store.access.completeDownload(download, date.now());
    onCounted();
    await portals.refresh(portal);
  }

  /** Keeps the claim of somebody who is connected; called now and then. */
  tick(): void {
    if (this.#parts.date.steady() - this.#renewedMs >= RENEW_MS) this.renew();
  }

  /** Writes down that the claim is in use now. */
  renew(): void {
    const download = this.#claim && this.#download(this.#claim);
    if (download === undefined) return;
    const now = this.#parts.date.now();
    this.#renewedMs = this.#parts.date.steady();
    // On a disk that fails the claim lapses, which nobody suffers from but its holder.
    this.#parts.store.access.renewClaim(download, now, now + CLAIM_MS).catch(() => undefined);
  }

  #download(claim: Uint8Array<ArrayBuffer>): DownloadKey | undefined {
    return this.#link === null ? undefined : { key: this.portal.key, link: this.#link, claim };
  }

  #isCounted(): boolean {
    if (this.#link === null) return false;
    const link = this.portal.link(this.#link);
    if (link === undefined) throw new Failure("portal/unknown");
    return isLimited(link, this.portal.stored);
  }

  async #assertClaim(): Promise<void> {
    await this.#claiming;
    const download = this.#claim && this.#download(this.#claim);
    const until = download && (await this.#parts.store.access.findClaim(download));
    if (until === "completed") throw new Failure("portal/unknown");
    const now = this.#parts.date.now();
    if (until === undefined || until <= now) {
      // It meant nothing when it was taken, before the owner set a limit; or the store could not keep it.
      if (this.#claim === undefined || !this.#isTaken) throw new Failure("portal/claimed");
      return this.#take(this.#claim);
    }
    if (until - now < CLAIM_MS - RENEW_MS) this.renew();
  }
}
