/**
 * Files and folders of the command line as a list of things to send: every file, every empty folder, in order of name,
 * each path once and such as a manifest may hold. Symbolic links are refused, or followed where that is asked for.
 *
 * @module
 */
import type { BigIntStats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, resolve, sep } from "node:path";
import { Failure } from "../core/failure.ts";
import { sendablePath } from "../core/manifest/path.ts";
import { uniquePaths } from "../core/manifest/unique-paths.ts";
import type { SourceEntry, SourceFile } from "../core/ports/byte-source.ts";
import { MAX_ENTRIES } from "../core/units.ts";
import { createFileSource, mtimeMsOf, unreadable } from "./file-source.ts";
import { NamedFailure, quoted } from "./named-failure.ts";

/** Names looked at at once. */
const LOOK_AHEAD = 64;

export type Source = SourceEntry | SourceFile;

export interface Walk {
  readonly sources: readonly Source[];
  /** Sum of the sizes, bytes. */
  readonly totalBytes: number;
  /** Things that are sent under another name than they have: the name they have, and the path sent. */
  readonly renamed: readonly (readonly [name: string, path: string])[];
}

export interface WalkOptions {
  readonly follow: boolean;
  readonly signal?: AbortSignal;
}

/** @throws Failure `file/unreadable` | `path/rejected` | `manifest/limit`, with the path in its sentence; `cancelled` */
export async function walk(paths: readonly string[], options: WalkOptions): Promise<Walk> {
  const walker = new Walker(options);
  for (const path of paths) {
    const absolute = Buffer.from(resolve(path));
    const found = await walker.look(absolute);
    await walker.add(basename(resolve(path)), absolute, found, []);
  }
  const sources = uniquePaths(walker.found);
  const totalBytes = sources.reduce((sum, { size }) => sum + size, 0);
  return { sources, totalBytes, renamed: [...walker.renamed, ...numbered(walker.found, sources)] };
}

/** Files whose path was taken by an earlier one: `uniquePaths` keeps files in their order. */
function numbered(before: readonly Source[], after: readonly Source[]): (readonly [string, string])[] {
  const files = after.filter(({ kind }) => kind === "file");
  return before
    .filter(({ kind }) => kind === "file")
    .flatMap(({ path }, i) =>
      files[i] === undefined || files[i].path === path ? [] : [[path, files[i].path] as const],
    );
}

class Walker {
  readonly found: Source[] = [];
  readonly renamed: (readonly [string, string])[] = [];
  readonly #options: WalkOptions;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  /** What lies at a path; what a link points to where links are followed. */
  async look(absolute: Buffer): Promise<BigIntStats> {
    try {
      return this.#options.follow ? await stat(absolute, { bigint: true }) : await lstat(absolute, { bigint: true });
    } catch (cause) {
      throw unreadable(absolute, cause);
    }
  }

  /** @param parents folders above, as identities, so that a link that leads back is found */
  async add(path: string, absolute: Buffer, found: BigIntStats, parents: readonly string[]): Promise<void> {
    if (this.#options.signal?.aborted) throw new Failure("cancelled");
    if (found.isSymbolicLink()) throw new NamedFailure("file/unreadable", linkSentence(absolute), { reason: "link" });
    if (found.isFile())
      this.#push(createFileSource(this.#sendable(path, absolute), absolute, found, this.#options.follow));
    else if (found.isDirectory()) await this.#addFolder(path, absolute, found, parents);
    else throw new NamedFailure("file/unreadable", specialSentence(absolute), { reason: "special" });
  }

  async #addFolder(path: string, absolute: Buffer, found: BigIntStats, parents: readonly string[]): Promise<void> {
    const identity = `${found.dev}:${found.ino}`;
    if (parents.includes(identity))
      throw new NamedFailure("file/unreadable", `${quoted(absolute)} is a link to a folder above it.`, {
        reason: "loop",
      });
    const names = await readdir(absolute, { encoding: "buffer" }).catch((cause: unknown) => {
      throw unreadable(absolute, cause);
    });
    if (names.length === 0 && path !== "") {
      const empty = this.#sendable(path, absolute);
      this.#push({ kind: "directory", path: empty, size: 0, mtimeMs: mtimeMsOf(found) });
    }
    names.sort(Buffer.compare);
    for (let from = 0; from < names.length; from += LOOK_AHEAD) {
      const children = names.slice(from, from + LOOK_AHEAD).map((name) => ({
        path: path === "" ? name.toString() : `${path}/${name.toString()}`,
        absolute: Buffer.concat([absolute, Buffer.from(sep), name]),
      }));
      const looks = await Promise.all(children.map((child) => this.look(child.absolute)));
      for (const [i, look] of looks.entries()) {
        const child = children[i];
        if (child !== undefined) await this.add(child.path, child.absolute, look, [...parents, identity]);
      }
    }
  }

  /** Bytes that are not text, and letters that a manifest may not hold, are replaced; that is told at the end. */
  #sendable(path: string, absolute: Buffer): string {
    try {
      const sendable = sendablePath(path);
      const notText = !Buffer.from(absolute.toString()).equals(absolute);
      if (sendable !== path || notText) this.renamed.push([absolute.toString(), sendable]);
      return sendable;
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      const sentence = `${quoted(absolute)} cannot be sent: its path is too long, too deep or not allowed. Rename it or move it up.`;
      throw new NamedFailure(cause.code, sentence, cause.details, { cause });
    }
  }

  #push(source: Source): void {
    if (this.found.length >= MAX_ENTRIES) throw new Failure("manifest/limit", { what: "entries" });
    this.found.push(source);
  }
}

function linkSentence(absolute: Buffer): string {
  return `${quoted(absolute)} is a symbolic link. Give --follow to send what it points to, or leave it out.`;
}

function specialSentence(absolute: Buffer): string {
  return `${quoted(absolute)} is not a file or a folder (a device, a pipe or a socket) and cannot be sent.`;
}
