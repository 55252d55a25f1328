/**
 * The bytes that travel: some that no codec makes smaller, and a mix of what lies on a disk. Both are streamed, so
 * that their size is no matter of memory.
 *
 * @module
 */
import { createCipheriv, createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MIB } from "../../core/units.ts";

export type DataName = "incompressible" | "mixed";

/** Folders of every Debian-like system that hold libraries, headers, documents and scripts. */
const MIXED_FOLDERS = ["/usr/include", "/usr/lib", "/usr/share"];

/** A data set in a file. */
export interface DataFile {
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Writes `bytes` bytes of a data set to `path`. @throws Error when the machine has too few files for the mix */
export async function writeData(name: DataName, path: string, bytes: number): Promise<DataFile> {
  const hash = createHash("sha256");
  const source = name === "incompressible" ? noise(bytes) : mixed(bytes);
  await pipeline(
    Readable.from(source),
    async function* (slices: AsyncIterable<Buffer>) {
      for await (const slice of slices) {
        hash.update(slice);
        yield slice;
      }
    },
    createWriteStream(path),
  );
  return { path, bytes, sha256: hash.digest("hex") };
}

/** The same bytes each time. */
function* noise(bytes: number): Generator<Buffer> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, "warp bench"), Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  for (let left = bytes; left > 0; left -= MIB) yield cipher.update(zeros.subarray(0, Math.min(MIB, left)));
}

/** Files in the order of their paths, one after the other, from the start again when there are too few. */
async function* mixed(bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  while (left > 0) {
    const before = left;
    for (const folder of MIXED_FOLDERS) {
      for await (const path of filesBelow(folder)) {
        for await (const slice of createReadStream(path, { highWaterMark: MIB }) as AsyncIterable<Buffer>) {
          yield slice.subarray(0, left);
          left -= Math.min(left, slice.length);
          if (left === 0) return;
        }
      }
    }
    if (left === before) throw new Error(`no files below ${MIXED_FOLDERS.join(", ")}`);
  }
}

/** Regular files, depth first, in the order of their names; links are not followed. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  if (!existsSync(folder)) return;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
