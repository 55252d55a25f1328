/**
 * Room for objects that are on their way in: what is stored plus what is reserved stays within the limits of the portal
 * and of the store, and the disk keeps a reserve. The limits on what is stored are enforced again in the transaction.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { Failure } from "../../../core/failure.ts";
import type { PortalKey } from "../bytes.ts";
import { storageFailure } from "./storage-failure.ts";

/** How long one look at the free space of the disk holds. */
const FREE_SPACE_MS = 2000;

interface Limits {
  readonly dataDir: string;
  readonly maxPortalBytes: number;
  readonly maxStoreBytes: number;
  readonly minFreeBytes: number;
}

export class Room {
  readonly #limits: Limits;
  readonly #reserved = new Map<PortalKey, number>();
  #total = 0;
  #look: Promise<number> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws Failure `portal/full` | `relay/full`; nothing is reserved then */
  async reserve(key: PortalKey, bytes: number, held: { portalBytes: number; storeBytes: number }): Promise<void> {
    const ofPortal = this.#reserved.get(key) ?? 0;
    if (held.portalBytes + ofPortal + bytes > this.#limits.maxPortalBytes) throw new Failure("portal/full");
    if (held.storeBytes + this.#total + bytes > this.#limits.maxStoreBytes) throw new Failure("relay/full");
    this.#reserved.set(key, ofPortal + bytes);
    this.#total += bytes;
    try {
      if ((await this.#lookAtDisk()) - this.#total < this.#limits.minFreeBytes)
        throw new Failure("relay/full", { what: "disk" });
    } catch (error) {
      this.give(key, bytes);
      throw storageFailure(error);
    }
  }

  give(key: PortalKey, bytes: number): void {
    const left = (this.#reserved.get(key) ?? 0) - bytes;
    if (left > 0) this.#reserved.set(key, left);
    else this.#reserved.delete(key);
    this.#total -= bytes;
  }

  /** One look serves everybody who asks within a while, also those who ask before it is done. */
  #lookAtDisk(): Promise<number> {
    const now = performance.now();
    if (this.#look === undefined || now - this.#lookedAt >= FREE_SPACE_MS) {
      this.#lookedAt = now;
      const look = statfs(this.#limits.dataDir).then(({ bavail, bsize }) => bavail * bsize);
      // A look that failed tells nothing to those who come later.
      look.catch(() => {
        if (this.#look === look) this.#look = undefined;
      });
      this.#look = look;
    }
    return this.#look;
  }
}
