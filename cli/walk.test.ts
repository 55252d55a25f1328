import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Failure } from "../core/failure.ts";
import type { SourceFile } from "../core/ports/byte-source.ts";
import { NamedFailure } from "./named-failure.ts";
import { type Walk, walk } from "./walk.ts";

let top: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "warp-walk-"));
});
afterEach(() => rm(top, { recursive: true, force: true }));

const paths = ({ sources }: Walk) => sources.map(({ kind, path }) => (kind === "directory" ? `${path}/` : path));

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NamedFailure);
  return error as Failure;
}

function fileAt({ sources }: Walk, path: string): SourceFile {
  const found = sources.find((source) => source.path === path);
  if (found === undefined || !("read" in found)) throw new Error(`no file ${path}`);
  return found;
}

test("a folder gives its files and its empty folders, in order of name, below its own name", async () => {
  await mkdir(join(top, "f/empty/deep"), { recursive: true });
  await writeFile(join(top, "f/b"), "12345");
  await writeFile(join(top, "f/a"), "");
  await utimes(join(top, "f/b"), 1, 1_234.5);
  const found = await walk([join(top, "f/"), join(top, "f/b")], { follow: false });
  expect(paths(found)).toEqual(["f/a", "f/b", "f/empty/deep/", "b"]);
  expect(found.totalBytes).toBe(10);
  expect(fileAt(found, "f/b").mtimeMs).toBe(1_234_500);
  expect(Buffer.from(await fileAt(found, "f/b").read(1, 3)).toString()).toBe("234");
});

test("two files of one name both arrive, and the new name is told", async () => {
  for (const folder of ["x", "y"]) {
    await mkdir(join(top, folder));
    await writeFile(join(top, folder, "same.txt"), folder);
  }
  const found = await walk([join(top, "x/same.txt"), join(top, "y/same.txt")], { follow: false });
  expect(paths(found)).toEqual(["same.txt", "same (2).txt"]);
  expect(found.renamed).toEqual([["same.txt", "same (2).txt"]]);
});

test("letters that a manifest may not hold, and bytes that are no text, are replaced and told", async () => {
  await writeFile(join(top, "bell\u0007"), "1");
  await writeFile(Buffer.concat([Buffer.from(`${top}/latin-`), Buffer.of(0xe9)]), "22");
  const found = await walk([top], { follow: false });
  expect(paths(found).map((path) => path.split("/")[1])).toEqual(["bell\u2407", "latin-\ufffd"]);
  expect(found.renamed).toHaveLength(2);
  const latin = found.sources.find(({ path }) => path.endsWith("\ufffd")) as SourceFile;
  expect(Buffer.from(await latin.read(0, 2)).toString()).toBe("22");
});

test("a symbolic link is refused with a sentence, and followed when asked", async () => {
  await mkdir(join(top, "real"));
  await writeFile(join(top, "real/file"), "1");
  await mkdir(join(top, "f"));
  await symlink(join(top, "real"), join(top, "f/link\u001b[2J"));
  const failure = await failureOf(walk([join(top, "f")], { follow: false }));
  expect(failure.code).toBe("file/unreadable");
  expect((failure as NamedFailure).sentence).toContain("link⟨U+001B⟩[2J");
  expect((failure as NamedFailure).sentence).toContain("--follow");
  const found = await walk([join(top, "f")], { follow: true });
  expect(paths(found)).toEqual(["f/link\u241b[2J/file"]);
  expect(Buffer.from(await fileAt(found, "f/link\u241b[2J/file").read(0, 1)).toString()).toBe("1");
});

test("a link that leads back to a folder above it ends with a sentence, not never", async () => {
  await mkdir(join(top, "f/g"), { recursive: true });
  await symlink("..", join(top, "f/g/up"));
  expect((await failureOf(walk([join(top, "f")], { follow: true }))).details).toEqual({ reason: "loop" });
});

test("what is neither file nor folder is refused, and so is what is not there", async () => {
  execFileSync("mkfifo", [join(top, "pipe")]);
  expect((await failureOf(walk([join(top, "pipe")], { follow: false }))).details).toEqual({ reason: "special" });
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(join(top, "socket"), resolve));
  expect((await failureOf(walk([join(top, "socket")], { follow: false }))).details).toEqual({ reason: "special" });
  socket.close();
  expect((await failureOf(walk([join(top, "absent")], { follow: false }))).details).toEqual({ reason: "ENOENT" });
});

test.each([
  ["grew", (file: string) => appendFile(file, "x")],
  [
    "was replaced by an equal one",
    async (file: string) => {
      await writeFile(`${file}.new`, "12345");
      await utimes(`${file}.new`, 5, 5);
      await rename(`${file}.new`, file);
    },
  ],
  [
    "became a pipe",
    async (file: string) => {
      await rm(file);
      execFileSync("mkfifo", [file]);
    },
  ],
  ["is gone", (file: string) => rm(file)],
  ["shrank", (file: string) => writeFile(file, "1")],
])("a file that %s since it was found is file/changed", async (_what, change) => {
  const file = join(top, "file");
  await writeFile(file, "12345");
  await utimes(file, 5, 5);
  const found = await walk([file], { follow: false });
  await change(file);
  expect((await failureOf(fileAt(found, "file").read(0, 5))).code).toBe("file/changed");
});

test("a file that a link takes the place of is not followed", async () => {
  const file = join(top, "file");
  await writeFile(file, "12345");
  await writeFile(join(top, "secret"), "67890");
  const found = await walk([file], { follow: false });
  await rm(file);
  await symlink(join(top, "secret"), file);
  expect((await failureOf(fileAt(found, "file").read(0, 5))).code).toMatch(/^file\//);
});
