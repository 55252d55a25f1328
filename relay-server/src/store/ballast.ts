/**
 * A file that only takes space. On a full disk SQLite cannot even delete, because a deletion is written to its log first:
 * then the file is given up, so that deletions, expiry and checkpoints work, and made again when there is room.
 *
 * @module
 */
import { randomFillSync } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { MIB } from "../../../core/units.ts";

/** More than twice what SQLite's log (`journal_size_limit`) takes. */
const BALLAST_BYTES = 64 * MIB;
/** A smaller one would help nobody. */
const LEAST_BYTES = MIB / 4;

export class Ballast {
  /** Its size, 0 when there is none. */
  readonly bytes: number;
  readonly #path: string;
  #state: "absent" | "building" | "whole";
  #building: Promise<boolean> | undefined;

  /** @param minFreeBytes what the operator wants free; the ballast is never larger */
  constructor(dataDir: string, minFreeBytes: number) {
    const bytes = Math.min(BALLAST_BYTES, minFreeBytes);
    this.bytes = bytes < LEAST_BYTES ? 0 : bytes;
    this.#path = join(dataDir, "ballast");
    const found = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#state = found === this.bytes ? "whole" : "absent";
  }

  get isWhole(): boolean {
    return this.#state === "whole";
  }

  /** Makes the file; false when the disk has no room for it. Never throws. */
  build(): Promise<boolean> {
    if (this.isWhole) return Promise.resolve(true);
    this.#building ??= this.#build().finally(() => {
      this.#building = undefined;
    });
    return this.#building;
  }

  /** Frees its space at once; false when there was none to free. */
  giveUp(): boolean {
    const hadSpace = this.#state !== "absent" && this.bytes > 0;
    this.#state = "absent";
    rmSync(this.#path, { force: true });
    return hadSpace;
  }

  /** Resolves when no build runs. */
  async settled(): Promise<void> {
    await this.#building;
  }

  async #build(): Promise<boolean> {
    this.#state = "building";
    try {
      rmSync(this.#path, { force: true });
      if (this.bytes > 0) await this.#write();
      // It may have been given up meanwhile.
      if (this.#state === "building") this.#state = "whole";
    } catch {
      this.giveUp();
    }
    return this.isWhole;
  }

  async #write(): Promise<void> {
    await using file = await open(this.#path, "wx", 0o600);
    // Not zeros: some file systems store those without taking space.
    const block = randomFillSync(Buffer.allocUnsafe(Math.min(MIB, this.bytes)));
    for (let at = 0; at < this.bytes && this.#state === "building"; at += block.length) {
      const wanted = Math.min(block.length, this.bytes - at);
      const { bytesWritten } = await file.write(block, 0, wanted, at);
      if (bytesWritten < wanted) throw new Error("the disk is full");
    }
  }
}
