import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import { PINNED_NODE, ROOT } from "../../scripts/lib/process.ts";
import { rounds } from "./scale.ts";
import { KILLED_LIMITS, KILLED_PORTAL, storedBytes } from "./store-killed.ts";

const ROUNDS = rounds(2, 40);
/** Acknowledged in each round before the kill, at least and at most. */
const LEAST = 5;
const MOST = 300;

/** Lets a process store objects from `first` on, kills it at a random instant, and gives what it had acknowledged. */
async function storeAndKill(folder: string, first: number): Promise<number[]> {
  const writer = join(ROOT, "tests/faults/store-writer.ts");
  const child = spawn(PINNED_NODE, [writer, folder, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "exit");
  const goal = LEAST + Math.floor(Math.random() * (MOST - LEAST));
  const acknowledged: number[] = [];
  // Lines that are on their way when it is killed were acknowledged too.
  for await (const line of createInterface({ input: child.stdout }))
    if (acknowledged.push(Number(line)) === goal) child.kill("SIGKILL");
  await gone;
  if (acknowledged.length < goal) throw new Error(`the writer ended by itself after ${acknowledged.length}`);
  return acknowledged;
}

/** The contents of all object files, by their number. */
async function filesOf(folder: string): Promise<Map<number, Buffer>> {
  const entries = await readdir(join(folder, "blobs"), { recursive: true, withFileTypes: true });
  const files = new Map<number, Buffer>();
  for (const { name, parentPath } of entries.filter((entry) => entry.isFile()))
    files.set(Number(name), await readFile(join(parentPath, name)));
  return files;
}

describe("R2: a store whose process is killed", () => {
  it(`has every object that it acknowledged, whole, and no rests of others, over ${ROUNDS} kills`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "warp-store-kill-"));
    const acknowledged = new Set<number>();
    try {
      let next = 0;
      for (let round = 0; round < ROUNDS; round++) {
        for (const index of await storeAndKill(folder, next)) acknowledged.add(index);
        const store = await openSqliteStore({ ...KILLED_LIMITS, dataDir: folder });
        const held = new Set(await store.heldIndexes(KILLED_PORTAL.key, "pack"));
        await store.close();
        expect([...acknowledged].filter((index) => !held.has(index))).toEqual([]);
        expect(await readdir(join(folder, "incoming"))).toEqual([]);
        const db = new DatabaseSync(join(folder, "relay.db"));
        expect(db.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
        const rows = db.prepare("SELECT number, bytes FROM objects WHERE inside = 1").all();
        db.close();
        const files = await filesOf(folder);
        expect(rows.length + files.size).toBe(held.size);
        for (const { number, bytes } of rows) files.set(Number(number), Buffer.from(bytes as Uint8Array));
        for (const [index, bytes] of files)
          expect(bytes.equals(storedBytes(index)), `object ${index}, which is held: ${held.has(index)}`).toBe(true);
        next = Math.max(...held) + 1;
      }
      expect(acknowledged.size).toBeGreaterThanOrEqual(ROUNDS * LEAST);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 600_000);
});
