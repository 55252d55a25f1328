/**
 * Where files lie until they are verified: `.warp-partial/<id>/` in the target, short numbered names in it. The id is a
 * receive's own; while its lock is held the receive is alive, and what neither lives nor is kept for a later run is removed.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { copyFile } from "./file-output.ts";
import { errorName } from "./sink-failure.ts";

/** Name of the folder in the target. A received entry never gets this name at the top. */
export const PARTIAL_FOLDER = ".warp-partial";

/** How long a thread that was told to let go, or that was killed, may take to. */
const LET_GO_MS = 5_000;

/** `move` is implemented more widely than it is declared. */
interface Movable {
  move?: (folder: FileSystemDirectoryHandle, name: string) => Promise<void>;
}

export class PartialFolder {
  readonly #root: FileSystemDirectoryHandle;
  readonly #all: FileSystemDirectoryHandle;
  readonly #own: FileSystemDirectoryHandle;
  /** True when files can be moved out of here, which is atomic; else they are copied. */
  readonly canMove: boolean;

  private constructor(
    root: FileSystemDirectoryHandle,
    all: FileSystemDirectoryHandle,
    own: FileSystemDirectoryHandle,
    canMove: boolean,
  ) {
    this.#root = root;
    this.#all = all;
    this.#own = own;
    this.canMove = canMove;
  }

  /**
   * Opens the folder of `id`, for which the caller holds the lock, and removes those of dead receives.
   * @param kept ids that a later run will ask for
   * @param isFresh remove what an earlier run left here
   */
  static async open(
    root: FileSystemDirectoryHandle,
    id: string,
    kept: ReadonlySet<string>,
    isFresh: boolean,
  ): Promise<PartialFolder> {
    const all = await root.getDirectoryHandle(PARTIAL_FOLDER, { create: true });
    await removeAbandoned(all, kept);
    if (isFresh) await removeFrom(all, id);
    const own = await all.getDirectoryHandle(id, { create: true });
    return new PartialFolder(root, all, own, await probeMove(own));
  }

  /** Opens a file, made when it is not there. */
  async open(name: string): Promise<FileSystemFileHandle> {
    return await this.#own.getFileHandle(name, { create: true });
  }

  /** Every file here. */
  async files(): Promise<readonly FileSystemFileHandle[]> {
    const files: FileSystemFileHandle[] = [];
    for await (const handle of this.#own.values()) if (handle instanceof FileSystemFileHandle) files.push(handle);
    return files;
  }

  /**
   * Puts a finished file of this folder, or of another one, under its final name in `folder`, where nothing has that
   * name. A file that was moved is not here any more.
   */
  async publish(
    file: FileSystemFileHandle,
    isHere: boolean,
    folder: FileSystemDirectoryHandle,
    name: string,
  ): Promise<void> {
    if (this.canMove) {
      const own: FileSystemFileHandle & Movable = isHere ? file : await this.open(`${file.name}.copy`);
      if (own !== file) await copyFile(await file.getFile(), own);
      return await own.move?.(folder, name);
    }
    const target = await folder.getFileHandle(name, { create: true });
    try {
      await copyFile(await file.getFile(), target);
    } catch (error) {
      await folder.removeEntry(name).catch(() => undefined);
      throw error;
    }
  }

  /** Removes one file, if it is here. Never throws. */
  async remove(file: FileSystemFileHandle): Promise<void> {
    await this.#own.removeEntry(file.name).catch(() => undefined);
  }

  /** Removes the folder and everything in it. Never throws. */
  async close(): Promise<void> {
    await removeFrom(this.#all, this.#own.name);
    // Fails, as it should, while another receive has its folder here.
    await this.#root.removeEntry(PARTIAL_FOLDER).catch(() => undefined);
  }
}

/** Removes what a receive left in `root`, a live one's too. Never throws. */
export async function removePartials(root: FileSystemDirectoryHandle, id: string): Promise<void> {
  try {
    await removeFrom(await root.getDirectoryHandle(PARTIAL_FOLDER), id);
    await root.removeEntry(PARTIAL_FOLDER);
  } catch {
    // Nothing is there, or something of another receive is, or the folder is not ours any more.
  }
}

function lockName(id: string): string {
  return `${PARTIAL_FOLDER}/${id}`;
}

/**
 * Takes the lock of `id` until the returned function is called or this thread dies.
 * @throws Failure `transfer/elsewhere` when another thread does not let go of it
 */
export function holdPartials(id: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const taken = navigator.locks.request(
      lockName(id),
      { signal: AbortSignal.timeout(LET_GO_MS) },
      () => new Promise<void>((release) => resolve(release)),
    );
    taken.catch((error: unknown) =>
      reject(errorName(error) === "TimeoutError" ? new Failure("transfer/elsewhere") : error),
    );
  });
}

async function removeAbandoned(all: FileSystemDirectoryHandle, kept: ReadonlySet<string>): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const alive = new Set(held.map((lock) => lock.name));
  const names: string[] = [];
  for await (const name of all.keys()) names.push(name);
  for (const name of names) if (!alive.has(lockName(name)) && !kept.has(name)) await removeFrom(all, name);
}

async function removeFrom(all: FileSystemDirectoryHandle, name: string): Promise<void> {
  await all.removeEntry(name, { recursive: true }).catch(() => undefined);
}

async function probeMove(own: FileSystemDirectoryHandle): Promise<boolean> {
  const probe: FileSystemFileHandle & Movable = await own.getFileHandle("probe", { create: true });
  try {
    if (probe.move === undefined) return false;
    await probe.move(own, "probe-moved");
    await own.removeEntry("probe-moved");
    return true;
  } catch {
    await own.removeEntry("probe").catch(() => undefined);
    return false;
  }
}
