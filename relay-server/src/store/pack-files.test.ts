import type { MakeDirectoryOptions, PathLike } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newPortal } from "../../../tests/contract/store-suite.ts";
import { FILE_CALLS, type FileCalls } from "./file-calls.ts";
import { PackFiles } from "./pack-files.ts";

/** Real files whose n-th flush fails; lists what was flushed and made. */
function flushFailsAt(nth: number): { files: FileCalls; calls: string[] } {
  const calls: string[] = [];
  let flushes = 0;
  const files: FileCalls = {
    ...FILE_CALLS,
    fsync: async (file) => {
      const isBroken = ++flushes === nth;
      calls.push(isBroken ? "failed flush" : "flush");
      if (isBroken) throw Object.assign(new Error("injected"), { code: "EIO" });
      await FILE_CALLS.fsync(file);
    },
    mkdir: (async (path: PathLike, options: MakeDirectoryOptions & { recursive: true }) => {
      calls.push(`make ${String(path).split("/").at(-1)}`);
      return FILE_CALLS.mkdir(path, options);
    }) as FileCalls["mkdir"],
  };
  return { files, calls };
}

describe("object files", () => {
  const { key } = newPortal();
  // Of the file, of the two folders above the new one, of the new one.
  it.each([1, 2, 3, 4])(
    "[RELAY-41] keep nothing when flush %i fails, and make a folder whose flush failed change before the next",
    async (nth) => {
      const dataDir = await mkdtemp(join(tmpdir(), "warp-files-"));
      try {
        const { files, calls } = flushFailsAt(nth);
        const packs = new PackFiles(dataDir, files);
        await packs.prepare();
        const store = async (): Promise<void> => {
          const file = await packs.begin();
          await file.write([Buffer.from("bytes")], 0);
          await packs.publish(file, key, "pack", 0).finally(() => file.release());
        };
        await expect(store()).rejects.toThrow("injected");
        const left = await readdir(dataDir, { recursive: true, withFileTypes: true });
        expect(left.filter((entry) => entry.isFile())).toEqual([]);
        await store();
        const after = calls.slice(calls.indexOf("failed flush") + 1);
        expect(after.filter((call) => call === "make .flush").length).toBe(nth === 1 ? 0 : 1);
        const kept = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
        expect(kept.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual(["0"]);
      } finally {
        await rm(dataDir, { recursive: true });
      }
    },
  );
});
