/**
 * The folder that is received into, and the folders in it. Nothing in it leads out: each component of a path is checked
 * as text and made, or found to be a real folder, one after the other; a symbolic link is refused, never followed.
 *
 * @module
 */
import { lstat, mkdir, readdir, realpath } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { Failure } from "../core/failure.ts";
import type { Entry } from "../core/manifest/entry.ts";
import { checkPath } from "../core/manifest/path.ts";
import { portableName } from "../core/manifest/portable-name.ts";
import { errorCode } from "./named-failure.ts";
import { taken } from "./sink-failure.ts";

type Kind = "absent" | "file" | "directory" | "link";

/** Folders remembered as real; a manifest lists a folder's files together. */
const KNOWN_FOLDERS = 4096;

export class Target {
  /** Absolute, without links. */
  readonly root: string;
  /** True when it did not exist before. */
  readonly isNew: boolean;
  readonly #known = new Set<string>();

  private constructor(root: string, isNew: boolean) {
    this.root = root;
    this.isNew = isNew;
  }

  /** Opens `out`, or makes it. The user named it, so it may itself be a link. */
  static async open(out: string): Promise<Target> {
    const made = await mkdir(out, { recursive: true });
    return new Target(await realpath(out), made !== undefined);
  }

  /**
   * Where a manifest path lies here. Windows takes letters such as `:` for something else than a name.
   * @throws Failure `path/rejected`
   */
  locate(path: string): string {
    const components = checkPath(path).split("/");
    const names = process.platform === "win32" ? components.map(portableName) : components;
    const absolute = resolve(this.root, ...names);
    const prefix = this.root.endsWith(sep) ? this.root : this.root + sep;
    // Only a file system with other separators than the rules know could come here.
    if (absolute !== join(this.root, ...names) || !absolute.startsWith(prefix))
      throw new Failure("path/rejected", { reason: "outside" });
    return absolute;
  }

  /** Makes a folder and its parents inside the root. @throws Failure `sink/denied` where something else has the name */
  async ensureFolder(absolute: string): Promise<void> {
    if (absolute === this.root) return;
    if (this.#known.has(absolute)) {
      // Somebody may have put a link, or a file, in its place since. Folded: some disks give the case that they have.
      const real = await realpath(absolute + sep).catch(() => "");
      if (real.startsWith(this.root) && fold(real) === fold(absolute)) return;
      this.#known.clear();
    }
    await this.ensureFolder(dirname(absolute));
    try {
      await mkdir(absolute);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      if ((await kindOf(absolute)) !== "directory") throw notAFolder(absolute);
    }
    if (this.#known.size >= KNOWN_FOLDERS) this.#known.clear();
    this.#known.add(absolute);
  }

  /**
   * Looks whether everything can be placed, before anything is written.
   * @param files whether a file with a taken name stands in the way
   * @throws Failure `sink/denied` | `path/rejected`
   */
  async checkFree(entries: readonly Entry[], files: boolean): Promise<void> {
    const present = new Set((await readdir(this.root)).map(fold));
    const folders = new Map<string, Kind>();
    for (const { kind, path } of entries) {
      const absolute = this.locate(path);
      const top = path.split("/", 1)[0] ?? "";
      if (!present.has(fold(process.platform === "win32" ? portableName(top) : top))) continue;
      const parent = kind === "directory" ? absolute : dirname(absolute);
      if (!(await this.#checkFolder(parent, folders)) || kind === "directory") continue;
      if (files && (await kindOf(absolute)) !== "absent")
        throw taken(
          absolute,
          "exists already. Nothing was received. Choose another --out, or keep both with --rename.",
        );
    }
  }

  /** True when the folder exists; false when it can be made. */
  async #checkFolder(absolute: string, seen: Map<string, Kind>): Promise<boolean> {
    if (absolute === this.root) return true;
    const known = seen.get(absolute);
    if (known !== undefined) return known === "directory";
    const kind: Kind = (await this.#checkFolder(dirname(absolute), seen)) ? await kindOf(absolute) : "absent";
    if (kind === "file" || kind === "link") throw notAFolder(absolute);
    seen.set(absolute, kind);
    return kind === "directory";
  }
}

/** Equal for names that some file system takes for one. */
function fold(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

async function kindOf(absolute: string): Promise<Kind> {
  try {
    const found = await lstat(absolute);
    if (found.isSymbolicLink()) return "link";
    return found.isDirectory() ? "directory" : "file";
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return "absent";
    throw error;
  }
}

function notAFolder(absolute: string): Failure {
  return taken(absolute, "exists and is not a folder; a symbolic link is not followed. Choose another --out.");
}
