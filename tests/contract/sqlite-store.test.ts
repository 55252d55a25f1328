import { mkdtemp, open, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FILE_CALLS, type FileCalls } from "../../relay-server/src/store/file-calls.ts";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import type { Store } from "../../relay-server/src/store/store.ts";
import { sealed } from "../integration/relay-client.ts";
import { describeAccess } from "./store-access-suite.ts";
import { describeLeases } from "./store-lease-suite.ts";
import { codeOf, describeStore, LIMITS, newPortal, readObject, type StoreSubject, storeObject } from "./store-suite.ts";

const FAULTS = ["EIO on flush", "ENOSPC on write", "EIO on rename"] as const;

class SqliteSubject implements StoreSubject {
  readonly dataDir: string;
  readonly #files: FileCalls | undefined;
  store: Store;

  private constructor(dataDir: string, store: Store, files: FileCalls | undefined) {
    this.dataDir = dataDir;
    this.store = store;
    this.#files = files;
  }

  static async make(files?: FileCalls): Promise<SqliteSubject> {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-store-"));
    return new SqliteSubject(dataDir, await SqliteSubject.#open(dataDir, files), files);
  }

  static #open(dataDir: string, files: FileCalls | undefined): Promise<Store> {
    return openSqliteStore({ ...LIMITS, dataDir, minFreeBytes: 0, ...(files && { files }) });
  }

  async reopen(): Promise<Store> {
    await this.store.close();
    this.store = await SqliteSubject.#open(this.dataDir, this.#files);
    return this.store;
  }

  /** Names of all files of objects, and of what is half-written. */
  async files(): Promise<string[]> {
    const lists = ["blobs", "incoming"].map((folder) =>
      readdir(join(this.dataDir, folder), { recursive: true, withFileTypes: true }),
    );
    return (await Promise.all(lists))
      .flat()
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await rm(this.dataDir, { recursive: true });
  }
}

describeStore("the embedded store", () => SqliteSubject.make());
describeLeases("leases and walks of the embedded store", () => SqliteSubject.make());
describeAccess("links and claims of the embedded store", () => SqliteSubject.make());

describe("files of the embedded store", () => {
  it("[RELAY-34] is used by one process at a time", async () => {
    await using subject = await SqliteSubject.make();
    expect(await codeOf(openSqliteStore({ ...LIMITS, dataDir: subject.dataDir, minFreeBytes: 0 }))).toBe("relay/busy");
  });

  it("[RELAY-8] sweeps half-written files and files without a row at start, and nothing else", async () => {
    await using subject = await SqliteSubject.make();
    const portal = newPortal();
    await subject.store.createPortal(portal);
    const pack = sealed("pack", 3, 4 * 2 ** 20);
    await storeObject(subject.store, portal, pack);
    const [held] = await subject.files();
    const folder = join(held ?? "", "..");
    for (const name of ["4", "3.page", "03", "x"]) await writeFile(join(folder, name), "orphan");
    await writeFile(join(subject.dataDir, "incoming", "99"), "half");
    const store = await subject.reopen();
    expect(await subject.files()).toEqual([held]);
    await readObject(store, portal, pack);
  });

  it("[RELAY-19] that were repaired while somebody still read the damaged bytes stay held", async () => {
    const gate = { reads: [] as (() => void)[], isShut: false };
    const files: FileCalls = {
      ...FILE_CALLS,
      readv: async (...call) => {
        if (gate.isShut) await new Promise<void>((resolve) => gate.reads.push(resolve));
        return FILE_CALLS.readv(...call);
      },
    };
    await using subject = await SqliteSubject.make(files);
    const portal = newPortal();
    await subject.store.createPortal(portal);
    const pack = sealed("pack", 0, 100_000, true);
    await storeObject(subject.store, portal, pack);
    await flipBit((await subject.files())[0] ?? "");
    gate.isShut = true;
    const slow = subject.store.open(portal.key, "pack", 0);
    await vi.waitUntil(() => gate.reads.length === 1);
    gate.isShut = false;
    expect(await codeOf(subject.store.open(portal.key, "pack", 0))).toBe("object/corrupt");
    await storeObject(subject.store, portal, pack);
    for (const go of gate.reads) go();
    (await slow).close();
    expect(await subject.store.heldIndexes(portal.key, "pack")).toEqual([0]);
    expect(Buffer.compare(await readObject(subject.store, portal, pack), pack.bytes)).toBe(0);
  });

  it("[RELAY-8] needs no file for a small transfer", async () => {
    await using subject = await SqliteSubject.make();
    const portal = newPortal();
    await subject.store.createPortal(portal);
    await storeObject(subject.store, portal, sealed("pack", 0, 8 * 1024, true));
    await storeObject(subject.store, portal, sealed("page", 0, 16 * 1024, true));
    expect(await subject.files()).toEqual([]);
  });

  it.each([
    ["one changed bit", async (path: string) => void (await flipBit(path))],
    ["a cut end", (path: string) => truncate(path, 1000)],
    ["a missing file", (path: string) => rm(path)],
  ])("[RELAY-19] never gives an object with %s, and takes the same bytes again", async (_name, damage) => {
    await using subject = await SqliteSubject.make();
    const portal = newPortal();
    await subject.store.createPortal(portal);
    const pack = sealed("pack", 0, 4 * 2 ** 20);
    await storeObject(subject.store, portal, pack);
    const [path = ""] = await subject.files();
    await damage(path);
    expect(await codeOf(subject.store.open(portal.key, "pack", 0))).toBe("object/corrupt");
    expect(await subject.store.heldIndexes(portal.key, "pack")).toEqual([]);
    await storeObject(subject.store, portal, pack);
    expect(Buffer.compare(await readObject(subject.store, portal, pack), pack.bytes)).toBe(0);
    expect(subject.store.usage().bytes).toBe(pack.bytes.length);
  });

  it.each(FAULTS)(
    "[RELAY-20] does not acknowledge an object after %s, keeps nothing of it, and takes it later",
    async (fault) => {
      const disk = { isBroken: false };
      await using subject = await SqliteSubject.make(brokenFiles(fault, disk));
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const pack = sealed("pack", 0, 4 * 2 ** 20);
      disk.isBroken = true;
      const incoming = await subject.store.receive(portal.key, pack.header, 1);
      const appended = await codeOf(incoming.append([pack.bytes]));
      const stored = appended === "nothing failed" ? await codeOf(incoming.store()) : appended;
      if (appended !== "nothing failed") await incoming.discard();
      expect(stored).toBe(fault === "ENOSPC on write" ? "relay/full" : "relay/storage");
      expect(await subject.store.heldIndexes(portal.key, "pack")).toEqual([]);
      disk.isBroken = false;
      await subject.reopen();
      expect(await subject.files()).toEqual([]);
      await storeObject(subject.store, portal, pack);
      await readObject(subject.store, portal, pack);
    },
  );
});

async function flipBit(path: string): Promise<void> {
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 777);
  await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, 777);
  await file.close();
}

/** The real file system until it breaks. */
function brokenFiles(fault: (typeof FAULTS)[number], disk: { isBroken: boolean }): FileCalls {
  const calls = { "EIO on flush": "fsync", "ENOSPC on write": "writev", "EIO on rename": "rename" } as const;
  const name = calls[fault];
  const real = FILE_CALLS[name] as (...args: unknown[]) => Promise<unknown>;
  return {
    ...FILE_CALLS,
    [name]: async (...args: unknown[]) => {
      if (disk.isBroken) throw Object.assign(new Error(fault), { code: fault.split(" ")[0] });
      return real(...args);
    },
  };
}
