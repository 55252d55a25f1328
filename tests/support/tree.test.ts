import { cp, mkdir, open, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pathFault } from "../../core/manifest/path.ts";
import { compareTrees, freshPath, hostilePlan, hostileTree, listTree, type Tree } from "./tree.ts";

describe("the folder of awkward cases", () => {
  let tree: Tree;
  let copy: string;

  beforeAll(async () => {
    tree = await hostileTree();
  });
  afterAll(() => tree.remove());

  beforeEach(async (context) => {
    copy = freshPath();
    await cp(tree.root, copy, { recursive: true, preserveTimestamps: true });
    context.onTestFinished(() => rm(copy, { recursive: true }));
  });

  it("holds every case of the plan, also twins by case and by composition", async () => {
    const paths = new Set((await listTree(tree.root)).map(({ path }) => path));
    expect(Object.keys(hostilePlan()).filter((path) => !paths.has(path))).toEqual(tree.refused);
    if (process.platform === "linux") expect(tree.refused).toEqual([]);
  });

  it("has only paths that a manifest may carry", () => {
    expect(Object.keys(hostilePlan()).filter((path) => pathFault(path) !== undefined)).toEqual([]);
  });

  it("equals its copy", async () => {
    expect(await compareTrees(tree.root, copy, { mtimes: true })).toEqual([]);
  });

  it.each<[string, (root: string) => Promise<void>, string]>([
    [
      "a changed byte",
      (root) => flip(join(root, "data/zeros.bin"), 2_000_000),
      "data/zeros.bin differs at byte 2000000",
    ],
    ["a cut file", (root) => truncate(join(root, "one byte"), 0), "one byte has 0 bytes, not 1"],
    ["a lost empty file", (root) => rm(join(root, "empty file")), "missing: empty file"],
    ["a lost empty folder", (root) => rm(join(root, "empty folder"), { recursive: true }), "missing: empty folder"],
    ["a file too many", (root) => writeFile(join(root, "more"), ""), "unexpected: more"],
    [
      "a folder in place of a file",
      (root) => rm(join(root, "empty file")).then(() => mkdir(join(root, "empty file"))),
      "empty file is a directory, not a file",
    ],
    ["another mtime", (root) => utimes(join(root, "one byte"), 5, 5), "one byte has mtime 5000, not 1000"],
  ])("is told apart from a copy with %s", async (_what, spoil, difference) => {
    await spoil(copy);
    expect(await compareTrees(tree.root, copy, { mtimes: true })).toEqual([difference]);
  });

  it("is told apart from a copy with a name composed otherwise", async () => {
    await rename(join(copy, "names/caf\u00e9-nfc.txt"), join(copy, "names/cafe\u0301-nfc.txt"));
    expect(await compareTrees(tree.root, copy)).toHaveLength(2);
  });
});

async function flip(path: string, offset: number): Promise<void> {
  await using file = await open(path, "r+");
  await file.write(Uint8Array.of(0xff), 0, 1, offset);
}
