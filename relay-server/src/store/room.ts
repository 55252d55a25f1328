/**
 * Room for objects that are on their way in: what is stored plus what is reserved stays within the limits of the portal
 * and of the store, and the disk keeps a reserve. The limits on what is stored are enforced again in the transaction.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { Failure } from "../../../core/failure.ts";
import type { PortalKey } from "../bytes.ts";
import type { Ballast } from "./ballast.ts";
import { storageFailure } from "./storage-failure.ts";

/** How long one look at the free space of the disk holds. */
const FREE_SPACE_MS = 2000;

interface Limits {
  readonly dataDir: string;
  readonly maxPortalBytes: number;
  readonly maxStoreBytes: number;
  readonly minFreeBytes: number;
}

/** One look at the disk. */
interface Look {
  readonly freeBytes: Promise<number>;
  readonly atMs: number;
  /** Reserved when it was taken, and since: all of it may have been written and may not have been seen. */
  takenBytes: number;
}

export class Room {
  readonly #limits: Limits;
  readonly #ballast: Ballast;
  readonly #reserved = new Map<PortalKey, number>();
  #total = 0;
  #look: Look | undefined;

  constructor(limits: Limits, ballast: Ballast) {
    this.#limits = limits;
    this.#ballast = ballast;
  }

  /** Begins to make the ballast, where there is room for it. */
  prepare(): void {
    this.check().catch(() => undefined);
  }

  /** Nothing is reserved. @throws Failure `relay/full` when there is no room for anything, and what `statfs` throws */
  check(): Promise<void> {
    return this.#checkDisk(0);
  }

  /** @throws Failure `portal/full` | `relay/full`; nothing is reserved then */
  async reserve(key: PortalKey, bytes: number, held: { portalBytes: number; storeBytes: number }): Promise<void> {
    const ofPortal = this.#reserved.get(key) ?? 0;
    if (held.portalBytes + ofPortal + bytes > this.#limits.maxPortalBytes) throw new Failure("portal/full");
    if (held.storeBytes + this.#total + bytes > this.#limits.maxStoreBytes) throw new Failure("relay/full");
    this.#reserved.set(key, ofPortal + bytes);
    this.#total += bytes;
    try {
      await this.#checkDisk(bytes);
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

  /** The disk keeps the operator's reserve and the ballast's. @throws Failure `relay/full`, and what `statfs` throws */
  async #checkDisk(bytes: number): Promise<void> {
    const free = await this.#free(bytes);
    const ballast = this.#ballast.isWhole ? 0 : this.#ballast.bytes;
    if (free < this.#limits.minFreeBytes + ballast) throw new Failure("relay/full", { what: "disk" });
    if (this.#ballast.isWhole) return;
    const isBuilt = await this.#ballast.build();
    this.#look = undefined;
    if (!isBuilt) throw new Failure("relay/full", { what: "disk" });
  }

  /** Free bytes when all that is reserved is written. One look serves everybody who asks within a while. */
  async #free(bytes: number): Promise<number> {
    const now = performance.now();
    const last = this.#look;
    if (last !== undefined && now - last.atMs < FREE_SPACE_MS) {
      last.takenBytes += bytes;
      return (await last.freeBytes) - last.takenBytes;
    }
    const freeBytes = statfs(this.#limits.dataDir).then(({ bavail, bsize }) => bavail * bsize);
    const look: Look = { freeBytes, atMs: now, takenBytes: this.#total };
    this.#look = look;
    try {
      return (await freeBytes) - look.takenBytes;
    } catch (error) {
      // A look that failed tells nothing to those who come later.
      if (this.#look === look) this.#look = undefined;
      throw error;
    }
  }
}
