/**
 * Real folders on disk: one that holds every awkward case a transfer must carry, and the comparison of two folders
 * byte for byte.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, mkdtemp, open, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { KIB, MIB, PACK_PAYLOAD_BYTES, SEALED_PACK_BYTES } from "../../core/units.ts";
import { noise, prose } from "./bytes.ts";

/** One thing in a folder, relative to its top, with `/`. */
export interface TreeEntry {
  readonly kind: "file" | "directory" | "other";
  readonly path: string;
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Milliseconds since 1970, cut to whole seconds as the coarsest archive keeps them. */
  readonly mtimeMs: number;
}

/** A folder made for one test. */
export interface Tree {
  /** Absolute path of the folder. */
  readonly root: string;
  /** Cases that this file system refused or holds to be the same as another; empty on Linux. */
  readonly refused: readonly string[];
  /** Removes the folder. */
  remove(): Promise<void>;
}

/** What to put at a path; undefined makes an empty folder. */
export type TreePlan = Readonly<Record<string, Uint8Array | undefined>>;

/** Makes a fresh folder under the system's temporary one, removed with the tree. `plan` is borrowed. */
export async function makeTree(plan: TreePlan): Promise<Tree> {
  const top = await mkdtemp(join(tmpdir(), "warp-tree-"));
  const root = join(top, "folder to send");
  await mkdir(root);
  const refused: string[] = [];
  for (const [path, bytes] of Object.entries(plan)) {
    const absolute = join(root, path);
    try {
      await mkdir(bytes === undefined ? absolute : dirname(absolute), { recursive: true });
      // `wx` refuses a name that the file system takes for one already there.
      if (bytes !== undefined) await writeFile(absolute, bytes, { flag: "wx" });
    } catch {
      refused.push(path);
    }
  }
  return { root, refused, remove: () => rm(top, { recursive: true, force: true }) };
}

/** Names that break programs which take a name for markup, a command, a device or another name. */
const HOSTILE_NAMES: readonly string[] = [
  "with space.txt",
  " leading and trailing ",
  "-rf",
  ".hidden",
  "trailing dot.",
  "con",
  "a:b|c?d*e",
  "back\\slash.txt",
  "100%25.txt",
  "question?hash#frag&amp;=.txt",
  "<img src=x onerror=alert(1)>.txt",
  "\"double\" 'single' `tick` $(touch oops).txt",
  "__proto__",
  "constructor",
  "invoice\u202efdp.exe",
  "zero\u200bwidth.txt",
  "日本語/ファイル.txt",
  "مرحبا/عالم.txt",
  "emoji-👩‍🚀-🏴‍☠️.txt",
  "caf\u00e9-nfc.txt",
  // The same name for a reader, composed and decomposed.
  "twin-\u00e9.txt",
  "twin-e\u0301.txt",
  "Case.txt",
  "case.txt",
  "CASE.txt",
  `${"n".repeat(251)}.txt`,
  `${"é".repeat(125)}.bin`,
];

/** Sizes on, just below and just above every boundary that cuts data somewhere. */
const BOUNDARIES: Readonly<Record<string, number>> = {
  "chunk-min": 16 * KIB,
  "chunk-average": 64 * KIB,
  "chunk-max": 256 * KIB,
  run: MIB,
  "pack-payload": PACK_PAYLOAD_BYTES,
  "pack-sealed": SEALED_PACK_BYTES,
};

/** The plan of `hostileTree`, about 60 MiB in 60 entries. */
export function hostilePlan(): TreePlan {
  const plan: Record<string, Uint8Array | undefined> = {
    "empty file": new Uint8Array(0),
    "empty folder": undefined,
    "nested/empty/folder": undefined,
    [`${Array.from({ length: 30 }, (_, depth) => `d${depth}`).join("/")}/deep.txt`]: prose(100, "deep"),
    "one byte": Uint8Array.of(0),
    "data/incompressible.bin": noise(3 * MIB + 17, "incompressible"),
    "data/compressible.log": prose(3 * MIB + 17, "compressible"),
    "data/zeros.bin": new Uint8Array(2 * MIB + 1),
    "data/mixed.bin": Buffer.concat([noise(700 * KIB, "m"), prose(700 * KIB, "m"), noise(700 * KIB, "m2")]),
    "twins/original.bin": noise(600 * KIB, "twin"),
    "twins/copy.bin": noise(600 * KIB, "twin"),
    "twins/shifted.bin": Buffer.concat([Uint8Array.of(1), noise(600 * KIB, "twin")]),
  };
  for (const name of HOSTILE_NAMES) plan[`names/${name}`] = prose(50, name);
  for (const [name, size] of Object.entries(BOUNDARIES)) {
    for (const off of [-1, 0, 1])
      plan[`sizes/${name}${off < 0 ? off : `+${off}`}.bin`] = noise(size + off, `${name}${off}`);
  }
  return plan;
}

/** A folder with every awkward case at once; one file has an old mtime, one lies in the future. */
export async function hostileTree(): Promise<Tree> {
  const tree = await makeTree(hostilePlan());
  await utimes(join(tree.root, "one byte"), 1, 1);
  await utimes(join(tree.root, "data/zeros.bin"), 4_000_000_000, 4_000_000_000);
  return tree;
}

/** Everything below a folder, sorted by path (by code unit). Links are not followed. */
export async function listTree(root: string): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const name of await readdir(join(root, folder))) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const found = await lstat(join(root, path));
      const kind = found.isDirectory() ? "directory" : found.isFile() ? "file" : "other";
      const mtimeMs = Math.floor(found.mtimeMs / 1000) * 1000;
      entries.push({ kind, path, size: kind === "file" ? found.size : 0, mtimeMs });
      if (kind === "directory") await walk(path);
    }
  };
  await walk("");
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Offset of the first byte that differs between two files of equal size; undefined when there is none. */
async function firstDifference(a: string, b: string): Promise<number | undefined> {
  await using left = await open(a);
  await using right = await open(b);
  const mine = Buffer.alloc(MIB);
  const theirs = Buffer.alloc(MIB);
  for (let offset = 0; ; ) {
    const { bytesRead } = await left.read(mine, 0, MIB, offset);
    if (bytesRead === 0) return undefined;
    for (let filled = 0; filled < bytesRead; ) {
      const more = await right.read(theirs, filled, bytesRead - filled, offset + filled);
      if (more.bytesRead === 0) return offset + filled;
      filled += more.bytesRead;
    }
    if (!mine.subarray(0, bytesRead).equals(theirs.subarray(0, bytesRead))) {
      return offset + mine.subarray(0, bytesRead).findIndex((byte, at) => byte !== theirs[at]);
    }
    offset += bytesRead;
  }
}

/** How closely two folders must match. */
export interface CompareOptions {
  /** Also compare the mtimes of files, to the second. */
  readonly mtimes?: boolean;
}

/**
 * How `actual` differs from `expected`: names, kinds, sizes and every byte. One sentence per difference, none when
 * they are the same.
 */
export async function compareTrees(expected: string, actual: string, options: CompareOptions = {}): Promise<string[]> {
  const wanted = new Map((await listTree(expected)).map((entry) => [entry.path, entry]));
  const got = new Map((await listTree(actual)).map((entry) => [entry.path, entry]));
  const differences = [...got.keys()].filter((path) => !wanted.has(path)).map((path) => `unexpected: ${path}`);
  for (const [path, entry] of wanted) {
    const other = got.get(path);
    if (other === undefined) differences.push(`missing: ${path}`);
    else if (other.kind !== entry.kind) differences.push(`${path} is a ${other.kind}, not a ${entry.kind}`);
    else if (other.size !== entry.size) differences.push(`${path} has ${other.size} bytes, not ${entry.size}`);
    else if (entry.kind === "file") {
      const at = await firstDifference(join(expected, path), join(actual, path));
      if (at !== undefined) differences.push(`${path} differs at byte ${at}`);
      else if (options.mtimes === true && other.mtimeMs !== entry.mtimeMs) {
        differences.push(`${path} has mtime ${other.mtimeMs}, not ${entry.mtimeMs}`);
      }
    }
  }
  return differences;
}

/** A path for an empty folder that does not exist yet, for something to be received into. */
export function freshPath(): string {
  return join(tmpdir(), `warp-received-${randomUUID()}`);
}
