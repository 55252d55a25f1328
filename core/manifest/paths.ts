/**
 * The paths of a manifest as they are listed: each file once, each empty folder once, nothing both a file and a folder.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MAX_ENTRIES } from "../units.ts";
import type { Entry } from "./entry.ts";
import { checkPath } from "./path.ts";

/** Paths and the folders they imply; a stranger's deep paths must not fill the memory. */
const MAX_KNOWN_PATHS = 2 * MAX_ENTRIES;

/** `folder` was implied by a path below it, `listed` stood in the list itself. */
type Known = "file" | "folder" | "listed";

export class PathSet {
  readonly #known = new Map<string, Known>();

  /** @throws Failure `path/rejected` | `manifest/malformed` | `manifest/limit` */
  add({ kind, path }: Entry): void {
    checkPath(path);
    const known = this.#known.get(path);
    if (known !== undefined && !(kind === "directory" && known === "folder"))
      throw new Failure("manifest/malformed", { what: "a path twice, or a file where a folder is" });
    this.#known.set(path, kind === "file" ? "file" : "listed");
    if (known === undefined) this.#addFolders(path);
    if (this.#known.size > MAX_KNOWN_PATHS) throw new Failure("manifest/limit", { what: "folders" });
  }

  #addFolders(path: string): void {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const folder = path.slice(0, slash);
      const known = this.#known.get(folder);
      if (known === "file") throw new Failure("manifest/malformed", { what: "a file where a folder is" });
      // The folders above a known one are known.
      if (known !== undefined) return;
      this.#known.set(folder, "folder");
    }
  }
}
