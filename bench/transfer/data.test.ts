import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { writeData } from "./data.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function path(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "warp-bench-data-"));
  folders.push(folder);
  return join(folder, "data");
}

test("incompressible data has the asked length, its own hash, and no codec makes it smaller", async () => {
  const written = await writeData("incompressible", await path(), 1_500_000);
  const bytes = await readFile(written.path);
  expect(bytes.length).toBe(1_500_000);
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(written.sha256);
  expect(deflateRawSync(bytes).length).toBeGreaterThan(bytes.length);
});

test("each data set is the same every time", async () => {
  for (const name of ["incompressible", "mixed"] as const) {
    const [first, second] = [
      await writeData(name, await path(), 2_000_000),
      await writeData(name, await path(), 2_000_000),
    ];
    expect(second.sha256).toBe(first.sha256);
  }
});
