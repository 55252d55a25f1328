/**
 * A target's folders and free names. The target itself decides which names are equal and which it refuses, by being
 * asked; so the rules of every file system hold without being known here.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { numberedName } from "../../core/manifest/path.ts";
import { portableName } from "../../core/manifest/portable-name.ts";
import { PARTIAL_FOLDER } from "./partial-folder.ts";
import { errorName } from "./sink-failure.ts";

/** Folder handles kept; a manifest lists a folder's files together, so few are in use at a time. */
const KEPT_FOLDERS = 256;

/** Told each time the target could not take a path as it is. */
export type OnRename = (path: string, actual: string) => void;

/** Names that an earlier run gave to folders, and who is told of new ones. */
export interface FolderNames {
  /** By manifest path. */
  readonly given: ReadonlyMap<string, string>;
  readonly onGiven: (path: string, name: string) => void;
}

/** An opened folder of the target and its real path there, empty for the target itself. */
export interface Folder {
  readonly handle: FileSystemDirectoryHandle;
  readonly path: string;
}

type NameState = "free" | "taken" | "refused";

export class Folders {
  readonly #root: Folder;
  readonly #onRename: OnRename;
  /** By manifest path, least recently used first. */
  readonly #kept = new Map<string, Promise<Folder>>();
  /** Manifest path of a renamed folder to its real name: evicted and opened again, it must be the same one. */
  readonly #renamed: Map<string, string>;
  readonly #onGiven: FolderNames["onGiven"];
  /** Highest number given per taken real path. */
  readonly #counters = new Map<string, number>();
  /** Names being published, which the target does not show yet, by folded real path. */
  readonly #claimed = new Map<string, Promise<void>>();

  constructor(root: FileSystemDirectoryHandle, onRename: OnRename, { given, onGiven }: FolderNames) {
    this.#root = { handle: root, path: "" };
    this.#onRename = onRename;
    this.#renamed = new Map(given);
    this.#onGiven = onGiven;
  }

  /** Opens the folder at a manifest path, creating what is missing. @throws Failure `path/rejected`, DOMException */
  open(path: string): Promise<Folder> {
    if (path === "") return Promise.resolve(this.#root);
    const kept = this.#kept.get(path);
    this.#kept.delete(path);
    const opening = kept ?? this.#openIn(path);
    this.#kept.set(path, opening);
    if (this.#kept.size > KEPT_FOLDERS)
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    return opening;
  }

  async #openIn(path: string): Promise<Folder> {
    const [parentPath, name] = splitPath(path);
    const parent = await this.open(parentPath);
    let candidate = this.#renamed.get(path) ?? name;
    if (parent.path === "" && fold(candidate) === PARTIAL_FOLDER) candidate = numberedName(name, 2);
    for (let number = 2, base = candidate; ; number += 1) {
      try {
        const actual = joinPath(parent.path, candidate);
        const handle = await parent.handle.getDirectoryHandle(candidate, { create: true });
        if (candidate !== name && !this.#renamed.has(path)) {
          this.#renamed.set(path, candidate);
          this.#onGiven(path, candidate);
          this.#onRename(path, actual);
        }
        return { handle, path: actual };
      } catch (error) {
        const reason = errorName(error);
        // A file has the name.
        if (reason === "TypeMismatchError") candidate = numberedName(base, number);
        else if (reason === "TypeError") base = candidate = portableOrRejected(candidate);
        else throw error;
      }
    }
  }

  /**
   * Finds a free name for the file at a manifest path, keeps it from others while `publish` runs, and runs it.
   * @throws what `publish` throws; Failure `path/rejected` when the target takes no form of the name
   */
  async place(path: string, publish: (folder: Folder, name: string) => Promise<void>): Promise<void> {
    const [parentPath, name] = splitPath(path);
    const folder = await this.open(parentPath);
    const counterKey = joinPath(folder.path, name);
    let base = name;
    let number = this.#counters.get(counterKey) ?? 1;
    let candidate = name;
    if (number > 1) candidate = numberedName(name, ++number);
    for (;;) {
      const folded = fold(candidate);
      const key = joinPath(fold(folder.path), folded);
      const claim = this.#claimed.get(key);
      if (claim !== undefined) {
        await claim;
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#claimed.set(key, promise);
      try {
        const state = await tryName(folder, candidate, publish);
        if (state === "free") {
          if (number > 1) this.#counters.set(counterKey, number);
          if (candidate !== name) this.#onRename(path, joinPath(folder.path, candidate));
          return;
        }
        if (state === "refused") base = candidate = portableOrRejected(candidate);
        else candidate = numberedName(base, ++number);
      } finally {
        this.#claimed.delete(key);
        resolve();
      }
    }
  }
}

/**
 * Publishes under `name` when it is free, and tells what it was. The target is asked each time, also in a folder that was made
 * here: somebody else may have put a file there since, and what moves a file writes over that one without a word.
 */
async function tryName(
  folder: Folder,
  name: string,
  publish: (folder: Folder, name: string) => Promise<void>,
): Promise<NameState> {
  const state = await nameState(folder.handle, name);
  if (state !== "free") return state;
  try {
    await publish(folder, name);
  } catch (error) {
    if (errorName(error) === "TypeError") return "refused";
    throw error;
  }
  return "free";
}

async function nameState(folder: FileSystemDirectoryHandle, name: string): Promise<NameState> {
  try {
    await folder.getFileHandle(name);
    return "taken";
  } catch (error) {
    const reason = errorName(error);
    if (reason === "NotFoundError") return "free";
    if (reason === "TypeMismatchError") return "taken";
    if (reason === "TypeError") return "refused";
    throw error;
  }
}

/** The portable form of a refused name. @throws Failure `path/rejected` when that form was the refused one */
function portableOrRejected(name: string): string {
  const portable = portableName(name);
  if (portable === name) throw new Failure("path/rejected", { reason: "refused-by-target" });
  return portable;
}

/** Equal for names that some file system takes for one. Only ever used to wait, so folding too much is harmless. */
function fold(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

/** The folder, empty for none, and the name in it. */
export function splitPath(path: string): readonly [folder: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}

/** The path of `name` in `folder`. */
export function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
