/**
 * A sink into a folder on disk. A file is written under a temporary name, gets its mtime, and takes its final name when
 * all of it was verified; a name that is taken is never overwritten.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, rename, rm, rmdir, statfs, unlink, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { assert, Failure } from "../core/failure.ts";
import type { Entry } from "../core/manifest/entry.ts";
import { numberedName } from "../core/manifest/path.ts";
import type { FileWriter, Sink, SinkPlan } from "../core/ports/sink.ts";
import { errorCode } from "./named-failure.ts";
import { asSinkFailure } from "./sink-failure.ts";
import { Target } from "./target.ts";

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
/** File systems without hard links answer one of these. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "UNKNOWN"]);

export interface FolderSinkOptions {
  /** Take a file under a numbered name where its name is taken, rather than refuse everything. */
  readonly rename: boolean;
  /** Told of each file that got another name than the manifest's; `actual` is absolute. */
  readonly onRename: (path: string, actual: string) => void;
}

export class FolderSink implements Sink {
  readonly kind = "directory" as const;
  readonly #out: string;
  readonly #options: FolderSinkOptions;
  readonly #open = new Set<FileWriter>();
  /** Highest number given per wanted path, so that many equal names do not count up from 2 again each time. */
  readonly #numbers = new Map<string, number>();
  #target: Target | undefined;
  #partials: string | undefined;
  #files = 0;

  constructor(out: string, options: FolderSinkOptions) {
    this.#out = out;
    this.#options = options;
  }

  begin({ entries, totalBytes }: SinkPlan): Promise<void> {
    return asSinkFailure(this.#out, async () => {
      const target = await Target.open(this.#out);
      this.#target = target;
      const { blocks, bavail, bsize } = await statfs(target.root);
      // A file system that does not know its size says 0.
      if (blocks > 0 && totalBytes > bavail * bsize)
        throw new Failure("sink/full", { neededBytes: totalBytes, freeBytes: bavail * bsize });
      await target.checkFree(entries, !this.#options.rename);
      const partials = join(target.root, `.warp-partial-${randomBytes(8).toString("hex")}`);
      await mkdir(partials, { mode: 0o700 });
      this.#partials = partials;
    });
  }

  createDirectory(entry: Entry): Promise<void> {
    return asSinkFailure(entry.path, async () => {
      const { target } = this.#begun();
      const absolute = target.locate(entry.path);
      await target.ensureFolder(absolute);
      if (entry.mtimeMs > 0) await setMtime(absolute, entry.mtimeMs);
    });
  }

  openFile(entry: Entry): Promise<FileWriter> {
    return asSinkFailure(entry.path, async () => {
      const { target, partials } = this.#begun();
      target.locate(entry.path);
      this.#files += 1;
      const partial = join(partials, String(this.#files));
      const writer = this.#writer(entry, partial, await open(partial, CREATE, 0o666));
      this.#open.add(writer);
      return writer;
    });
  }

  async finish(): Promise<void> {
    const { partials } = this.#begun();
    await asSinkFailure(partials, () => rm(partials, { recursive: true, force: true }));
  }

  async abort(): Promise<void> {
    for (const writer of [...this.#open]) await writer.abort();
    if (this.#partials !== undefined) await rm(this.#partials, { recursive: true, force: true }).catch(() => {});
    // Fails, as it should, when something was received already.
    if (this.#target?.isNew === true) await rmdir(this.#target.root).catch(() => {});
  }

  #writer(entry: Entry, partial: string, file: FileHandle): FileWriter {
    const writer: FileWriter = {
      write: (bytes) =>
        asSinkFailure(entry.path, async () => {
          for (let written = 0; written < bytes.length; )
            written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
        }),
      close: () =>
        asSinkFailure(entry.path, async () => {
          if (entry.mtimeMs > 0) await file.utimes(new Date(), entry.mtimeMs / 1000);
          await file.close();
          await this.#place(entry, partial);
          this.#open.delete(writer);
        }),
      abort: async () => {
        this.#open.delete(writer);
        await file.close().catch(() => {});
        await unlink(partial).catch(() => {});
      },
    };
    return writer;
  }

  /** Gives a verified file its name, or the next numbered one that is free. */
  async #place(entry: Entry, partial: string): Promise<void> {
    const { target } = this.#begun();
    const wanted = target.locate(entry.path);
    const folder = dirname(wanted);
    await target.ensureFolder(folder);
    const name = basename(wanted);
    for (let number = this.#numbers.get(wanted) ?? 1; ; number += 1) {
      const candidate = number === 1 ? wanted : join(folder, numberedName(name, number));
      if (!(await moveToFreeName(partial, candidate))) continue;
      if (number > 1) this.#numbers.set(wanted, number);
      if (candidate !== join(target.root, ...entry.path.split("/"))) this.#options.onRename(entry.path, candidate);
      return;
    }
  }

  #begun(): { target: Target; partials: string } {
    const [target, partials] = [this.#target, this.#partials];
    assert(target !== undefined && partials !== undefined, "begin was called");
    return { target, partials };
  }
}

/** Moves a file to a name that nothing has; gives false when something has it. Never overwrites. */
async function moveToFreeName(from: string, to: string): Promise<boolean> {
  try {
    // A hard link fails where the name is taken; a rename would overwrite.
    await link(from, to);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw error;
    if (await exists(to)) return false;
    await rename(from, to);
    return true;
  }
  await unlink(from);
  return true;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function setMtime(absolute: string, mtimeMs: number): Promise<void> {
  await utimes(absolute, new Date(), mtimeMs / 1000);
}
