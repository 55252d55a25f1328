/**
 * Flushing folders, so that a rename survives a power cut. Requests for one folder that come while a flush of it runs
 * share the next one.
 *
 * @module
 */
import { join } from "node:path";
import type { FileCalls } from "./file-calls.ts";
import type { Gate } from "./gate.ts";

/** Folders remembered as made and flushed. */
const KNOWN_FOLDERS = 4096;
/** Comes and goes in a folder whose flush failed. */
const MARK = ".flush";

interface Turn {
  readonly running: Promise<void>;
  next: Promise<void> | undefined;
}

export class FolderSync {
  readonly #fs: FileCalls;
  readonly #gate: Gate;
  readonly #turns = new Map<string, Turn>();
  readonly #known = new Set<string>();
  /** The last flush failed: the system may think now that there is nothing to flush. */
  readonly #doubtful = new Set<string>();

  /** @param gate limits flushes of folders and files together */
  constructor(fs: FileCalls, gate: Gate) {
    this.#fs = fs;
    this.#gate = gate;
  }

  isKnown(folder: string): boolean {
    return this.#known.has(folder);
  }
  know(folder: string): void {
    if (this.#known.size >= KNOWN_FOLDERS) this.#known.clear();
    this.#known.add(folder);
  }
  forget(folder: string): void {
    this.#known.delete(folder);
    this.#doubtful.delete(folder);
  }

  /** Resolves when everything that was in the folder at the time of the call is durable. */
  sync(folder: string): Promise<void> {
    const turn = this.#turns.get(folder);
    if (turn === undefined) return this.#start(folder);
    turn.next ??= turn.running.catch(() => undefined).then(() => this.#start(folder));
    return turn.next;
  }

  #start(folder: string): Promise<void> {
    const running = this.#flush(folder).finally(() => {
      if (this.#turns.get(folder) === turn && turn.next === undefined) this.#turns.delete(folder);
    });
    const turn: Turn = { running, next: undefined };
    this.#turns.set(folder, turn);
    return running;
  }

  async #flush(folder: string): Promise<void> {
    // Windows has no way to flush a folder and does it with the rename.
    if (process.platform === "win32") return;
    if (this.#doubtful.has(folder)) await this.#touch(folder);
    const file = await this.#fs.open(folder, "r");
    this.#doubtful.add(folder);
    try {
      await this.#gate.run(() => this.#fs.fsync(file));
      this.#doubtful.delete(folder);
    } finally {
      await this.#fs.close(file);
    }
  }

  /** Makes a change, so that the next flush has to write the whole folder again. */
  async #touch(folder: string): Promise<void> {
    const mark = join(folder, MARK);
    await this.#fs.mkdir(mark, { recursive: true });
    await this.#fs.rm(mark, { recursive: true, force: true });
  }
}
