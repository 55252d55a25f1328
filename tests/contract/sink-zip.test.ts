/**
 * Archives at the limits of the format, read by readers that share no code with the writer. The bytes of the large file
 * are zeros, so that the archive on disk is mostly a hole.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { type FileHandle, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 as zlibCrc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Entry } from "../../core/manifest/entry.ts";
import { createStreamSink } from "../../platform/sinks/stream-sink.ts";
import type { StreamHead, StreamTarget } from "../../platform/sinks/stream-target.ts";
import { ZipNames } from "../../platform/sinks/zip-names.ts";
import { listZip } from "../support/zip.ts";
import { file, folder } from "./sink-cases.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** A checksum over 4 GiB takes this long on a busy machine. */
const SLOW_MS = 120_000;

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "warp-zip-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** Writes to a file, leaving holes for large zeros. */
class FileTarget implements StreamTarget {
  readonly path: string;
  head: StreamHead | undefined;
  bytes = 0;
  #file: FileHandle | undefined;
  #small: Uint8Array<ArrayBuffer>[] = [];
  #smallAt = 0;

  constructor(name: string) {
    this.path = join(directory, name);
  }

  async begin(head: StreamHead): Promise<void> {
    this.head = head;
    this.#file = await open(this.path, "w");
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (bytes.length < MIB) this.#small.push(bytes.slice());
    this.bytes += bytes.length;
    if (bytes.length >= MIB || this.#small.length > 10_000) await this.#flush(bytes.length < MIB ? 0 : bytes.length);
  }

  /** Writes what was gathered, and leaves a hole of `hole` bytes behind it. */
  async #flush(hole: number): Promise<void> {
    const joined = Buffer.concat(this.#small);
    this.#small = [];
    await this.#file?.write(joined, 0, joined.length, this.#smallAt);
    this.#smallAt = this.bytes;
    if (joined.length + hole > 0) await this.#file?.truncate(this.bytes);
  }

  async end(): Promise<void> {
    await this.#flush(0);
    await this.#file?.close();
  }

  async fail(): Promise<void> {
    await this.#file?.close();
  }
}

/** Writes entries full of zeros; gives the archive. */
async function archive(name: string, entries: readonly Entry[]): Promise<FileTarget> {
  const target = new FileTarget(name);
  const sink = createStreamSink(target);
  await sink.begin({ entries, closed: true, totalBytes: 0, title: "zeros" });
  const zeros = new Uint8Array(4 * MIB);
  for (const entry of entries) {
    if (entry.kind === "directory") {
      await sink.createDirectory(entry);
      continue;
    }
    const writer = await sink.openFile(entry);
    for (let at = 0; at < entry.size; at += zeros.length) await writer.write(zeros.subarray(0, entry.size - at));
    await writer.close();
  }
  await sink.finish();
  return target;
}

function crcOfZeros(length: number): number {
  const zeros = new Uint8Array(4 * MIB);
  let crc = 0;
  for (let at = 0; at < length; at += zeros.length) crc = zlibCrc32(zeros.subarray(0, length - at), crc);
  return crc;
}

/** What `unzip -t` finds wrong; nothing where it is not installed, since yauzl has read the archive then already. */
async function unzipComplains(path: string): Promise<string> {
  try {
    await promisify(execFile)("unzip", ["-tqq", path], { maxBuffer: 64 * MIB });
    return "";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    return String(error);
  }
}

describe("an archive", () => {
  it(
    "holds a file over 4 GiB, and files behind it",
    async () => {
      const entries = [file("before", 5), file("large", 4 * GIB + 3 * MIB), folder("none"), file("behind", 7)];
      const { path, bytes, head } = await archive("large.zip", entries);
      expect(await listZip(path)).toEqual([
        { name: "before", size: 5, crc32: crcOfZeros(5) },
        { name: "large", size: 4 * GIB + 3 * MIB, crc32: crcOfZeros(4 * GIB + 3 * MIB) },
        { name: "none/", size: 0, crc32: 0 },
        { name: "behind", size: 7, crc32: crcOfZeros(7) },
      ]);
      expect((await stat(path)).size).toBe(bytes);
      expect(head?.length).toBe(bytes);
    },
    SLOW_MS,
  );

  it.each([65_535, 65_536])(
    "of %d files shows all of them",
    async (count) => {
      const entries = Array.from({ length: count }, (_, index) => file(`${index}`, index % 2));
      const { path, bytes, head } = await archive(`${count}.zip`, entries);
      expect((await listZip(path)).length).toBe(count);
      expect(head?.length).toBe(bytes);
      expect(await unzipComplains(path)).toBe("");
    },
    SLOW_MS,
  );
});

describe("names in an archive", () => {
  const names = ["a:b", "C:", "x\\y", "con", "A", "a", "caf\u00e9", "cafe\u0301"].map((name) => file(name, 0));
  const given = (rules?: ConstructorParameters<typeof ZipNames>[0]): string[] => {
    const zip = new ZipNames(rules);
    return names.map((entry) => zip.give(entry));
  };

  it("are the true ones where the system keeps them, save what readers take for paths", () => {
    expect(given({ refuses: false, folds: false })).toEqual([
      "a%3Ab",
      "C%3A",
      "x%5Cy",
      "con",
      "A",
      "a",
      "caf\u00e9",
      "cafe\u0301",
    ]);
  });

  it("are ones that Windows can unpack, and keeps apart", () => {
    expect(given({ refuses: true, folds: true })).toEqual([
      "a%3Ab",
      "C%3A",
      "x%5Cy",
      "%63on",
      "A",
      "a (2)",
      "caf\u00e9",
      "cafe\u0301 (2)",
    ]);
  });
});
