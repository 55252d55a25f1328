/**
 * Where files lie until they are verified: `.warp-partial/<random>/` in the target, one folder per sink, short numbered
 * names in it. A lock lives as long as its sink, so that what a killed tab left behind is known and removed.
 *
 * @module
 */

/** Name of the folder in the target. A received entry never gets this name at the top. */
export const PARTIAL_FOLDER = ".warp-partial";

/** `move` is implemented more widely than it is declared. */
interface Movable {
  move?: (folder: FileSystemDirectoryHandle, name: string) => Promise<void>;
}

export class PartialFolder {
  readonly #root: FileSystemDirectoryHandle;
  readonly #all: FileSystemDirectoryHandle;
  readonly #own: FileSystemDirectoryHandle;
  readonly #release: () => void;
  /** True when files can be moved out of here, which is atomic; else they are copied. */
  readonly canMove: boolean;
  #count = 0;

  private constructor(
    root: FileSystemDirectoryHandle,
    all: FileSystemDirectoryHandle,
    own: FileSystemDirectoryHandle,
    canMove: boolean,
    release: () => void,
  ) {
    this.#root = root;
    this.#all = all;
    this.#own = own;
    this.canMove = canMove;
    this.#release = release;
  }

  /** Removes what dead sinks left in `root`, creates this one's folder and finds out whether files can be moved. */
  static async open(root: FileSystemDirectoryHandle): Promise<PartialFolder> {
    const id = crypto.randomUUID();
    const release = await hold(lockName(id));
    try {
      const all = await root.getDirectoryHandle(PARTIAL_FOLDER, { create: true });
      await removeAbandoned(all);
      const own = await all.getDirectoryHandle(id, { create: true });
      return new PartialFolder(root, all, own, await probeMove(own), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A new empty file. */
  async create(): Promise<FileSystemFileHandle> {
    this.#count += 1;
    return await this.#own.getFileHandle(String(this.#count), { create: true });
  }

  /** Puts a finished file under its final name in `folder`, where nothing has that name. */
  async publish(file: FileSystemFileHandle, folder: FileSystemDirectoryHandle, name: string): Promise<void> {
    const movable = file as FileSystemFileHandle & Movable;
    if (this.canMove && movable.move !== undefined) return await movable.move(folder, name);
    const from = file.name;
    const source = await file.getFile();
    const target = await folder.getFileHandle(name, { create: true });
    try {
      await source.stream().pipeTo(await target.createWritable());
    } catch (error) {
      await folder.removeEntry(name).catch(() => undefined);
      throw error;
    }
    await this.#own.removeEntry(from);
  }

  /** Removes one file that was not published. Never throws. */
  async remove(file: FileSystemFileHandle): Promise<void> {
    await this.#own.removeEntry(file.name).catch(() => undefined);
  }

  /** Removes the folder and everything in it. Never throws. */
  async close(): Promise<void> {
    await this.#all.removeEntry(this.#own.name, { recursive: true }).catch(() => undefined);
    // Fails, as it should, while another sink has its folder here.
    await this.#root.removeEntry(PARTIAL_FOLDER).catch(() => undefined);
    this.#release();
  }
}

function lockName(id: string): string {
  return `${PARTIAL_FOLDER}/${id}`;
}

/** Takes the lock `name` until the returned function is called or this thread dies. */
function hold(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const taken = navigator.locks.request(name, () => new Promise<void>((release) => resolve(release)));
    taken.catch(reject);
  });
}

async function removeAbandoned(all: FileSystemDirectoryHandle): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const alive = new Set(held.map((lock) => lock.name));
  const names: string[] = [];
  for await (const name of all.keys()) names.push(name);
  for (const name of names) {
    if (!alive.has(lockName(name))) await all.removeEntry(name, { recursive: true }).catch(() => undefined);
  }
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
