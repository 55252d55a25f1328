/**
 * S3: archives of hostile names, read by a reader of its own: everything in them unpacks inside, each file by itself.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix, win32 } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { createStreamSink } from "../../platform/sinks/stream-sink.ts";
import { listZip, readZip } from "../support/zip.ts";
import { HOSTILE_NAMES } from "./hostile-names.ts";

let top: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "warp-archives-"));
});
afterEach(() => rm(top, { recursive: true, force: true }));

const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);
const file = (path: string): Entry => ({ kind: "file", path, size: text(path).length, mtimeMs: 0 });

/** Writes an archive of these paths; each file holds its path. Gives the code of the failure instead where there is one. */
async function archive(paths: readonly string[]): Promise<Uint8Array | string> {
  const parts: Uint8Array[] = [];
  let isWhole = false;
  const sink = createStreamSink({
    begin: async () => {},
    write: async (bytes) => void parts.push(bytes.slice()),
    end: async () => {
      isWhole = true;
    },
    fail: async () => {},
  });
  try {
    const entries = [...paths, "the last one"].map(file);
    await sink.begin({ entries, closed: false, totalBytes: 0, title: "" });
    for (const entry of entries) {
      const writer = await sink.openFile(entry);
      await writer.write(text(entry.path));
      await writer.close();
    }
    await sink.finish();
  } catch (error) {
    await sink.abort("path/rejected");
    if (!(error instanceof Failure)) throw error;
    expect(isWhole).toBe(false);
    // Without its index no reader takes it for an archive.
    await expect(readZip(Buffer.concat(parts))).rejects.toThrow();
    return error.code;
  }
  return Buffer.concat(parts);
}

const KINDS = [...new Set(HOSTILE_NAMES.map(({ what }) => what))];
const pathsOf = (kind: string): string[] =>
  HOSTILE_NAMES.filter(({ what, fault }) => what === kind && fault === undefined).map(({ path }) => path);

describe.each(["Linux x86_64", "Win32", "MacIntel"])("S3: an archive made on %s", (platform) => {
  beforeEach(() => vi.stubGlobal("navigator", { platform }));
  const fold = (name: string): string => name.normalize("NFC").toLowerCase();

  it("unpacks inside, whatever its names are, each file by itself", async () => {
    for (const kind of KINDS) {
      const paths = pathsOf(kind);
      const made = await archive(paths);
      if (typeof made === "string") throw new Error(made);
      const path = join(top, "made.zip");
      await writeFile(path, made);
      const [entries, listed] = [await readZip(made), await listZip(path)];
      expect(entries.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([...paths, "the last one"]);
      expect(listed.map(({ name }) => name)).toEqual(entries.map((entry) => entry.path));
      for (const entry of entries) {
        expect([kind, entry.kind, posix.resolve("/out", entry.path).startsWith("/out/")]).toEqual([kind, "file", true]);
        if (platform !== "Win32") continue;
        expect(win32.resolve("C:\\out", entry.path)).toBe(`C:\\out\\${entry.path.replaceAll("/", "\\")}`);
        expect(entry.path).not.toMatch(/[<>:"|?*\\]|[. ](?:\/|$)/);
      }
      const names = entries.map((entry) => (platform.startsWith("Linux") ? entry.path : fold(entry.path)));
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe("S3: an archive", () => {
  it("with a name that no name may be is never whole", async () => {
    for (const { path, fault } of HOSTILE_NAMES)
      if (fault !== undefined) expect([path, await archive(["first", path])]).toEqual([path, "path/rejected"]);
  });

  it("holds no links and nothing that may be run: no entry says what it is to the system", async () => {
    const made = await archive(["a", "b/c"]);
    if (typeof made === "string") throw new Error(made);
    const bytes = Buffer.from(made);
    let found = 0;
    for (let at = bytes.indexOf("PK\u0001\u0002"); at >= 0; at = bytes.indexOf("PK\u0001\u0002", at + 1)) {
      const unixMode = bytes.readUInt32LE(at + 38) >>> 16;
      expect([0, 0o100000]).toContain(unixMode & 0o170000);
      expect(unixMode & 0o111).toBe(0);
      found += 1;
    }
    expect(found).toBe(3);
  });
});
