import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Failure } from "../core/failure.ts";
import type { Entry } from "../core/manifest/entry.ts";
import { FolderSink } from "./folder-sink.ts";

let top: string;
let out: string;
let renamed: string[];
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "warp-sink-"));
  out = join(top, "out");
  renamed = [];
});
afterEach(() => rm(top, { recursive: true, force: true }));

const file = (path: string, size = 3): Entry => ({ kind: "file", path, size, mtimeMs: 1_500 });
const folder = (path: string): Entry => ({ kind: "directory", path, size: 0, mtimeMs: 0 });
const sinkFor = (rename = false) =>
  new FolderSink(out, {
    rename,
    onRename: (path, actual) => renamed.push(`${path} → ${actual.slice(out.length + 1)}`),
  });
const plan = (entries: readonly Entry[], totalBytes = 0) => ({ entries, closed: true, totalBytes, title: "" });

async function put(sink: FolderSink, entry: Entry, text = "abc"): Promise<void> {
  const writer = await sink.openFile(entry);
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

async function receive(sink: FolderSink, entries: readonly Entry[]): Promise<void> {
  await sink.begin(plan(entries));
  for (const entry of entries) {
    if (entry.kind === "directory") await sink.createDirectory(entry);
    else await put(sink, entry);
  }
  await sink.finish();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  return (error as Failure).code;
}

test("files and empty folders stand under their names with their mtimes, and nothing else does", async () => {
  await receive(sinkFor(), [file("a/b/c"), folder("a/empty"), file("top")]);
  expect((await readdir(out, { recursive: true })).sort()).toEqual(["a", "a/b", "a/b/c", "a/empty", "top"]);
  expect((await lstat(join(out, "a/b/c"))).mtimeMs).toBe(1_500);
  expect(await readFile(join(out, "top"), "utf8")).toBe("abc");
});

test("a file has no final name before it is closed, and an aborted one never has", async () => {
  const sink = sinkFor();
  await sink.begin(plan([file("a"), file("b")]));
  await put(sink, file("a"));
  const writer = await sink.openFile(file("b"));
  await writer.write(new Uint8Array(3));
  expect((await readdir(out)).filter((name) => !name.startsWith(".warp-partial-"))).toEqual(["a"]);
  await sink.abort();
  expect(await readdir(out)).toEqual(["a"]);
});

test("an aborted receive that kept nothing leaves no folder of its own", async () => {
  const sink = sinkFor();
  await sink.begin(plan([file("a")]));
  await sink.openFile(file("a"));
  await sink.abort();
  expect(await readdir(top)).toEqual([]);
});

test("a taken name refuses everything before anything is written", async () => {
  await mkdir(join(out, "a"), { recursive: true });
  await writeFile(join(out, "a/b"), "mine");
  expect(await codeOf(sinkFor().begin(plan([file("new"), file("a/b")])))).toBe("sink/denied");
  expect(await readdir(out, { recursive: true })).toEqual(["a", "a/b"]);
  expect(await readFile(join(out, "a/b"), "utf8")).toBe("mine");
});

test("with rename a taken name gets a number, and what was there stays", async () => {
  await mkdir(out);
  await writeFile(join(out, "b.txt"), "mine");
  await writeFile(join(out, "b (2).txt"), "mine too");
  await receive(sinkFor(true), [file("b.txt")]);
  expect(await readFile(join(out, "b.txt"), "utf8")).toBe("mine");
  expect(await readFile(join(out, "b (2).txt"), "utf8")).toBe("mine too");
  expect(await readFile(join(out, "b (3).txt"), "utf8")).toBe("abc");
  expect(renamed).toEqual(["b.txt → b (3).txt"]);
});

test("a name that is taken while the bytes come is not overwritten either", async () => {
  const sink = sinkFor();
  await sink.begin(plan([file("a")]));
  const writer = await sink.openFile(file("a"));
  await writeFile(join(out, "a"), "mine");
  await writer.close();
  await sink.finish();
  expect(await readFile(join(out, "a"), "utf8")).toBe("mine");
  expect(renamed).toEqual(["a → a (2)"]);
});

test("existing folders are used, a file in the place of a folder is not", async () => {
  await mkdir(join(out, "a/b"), { recursive: true });
  await receive(sinkFor(), [file("a/b/c"), folder("a/b")]);
  expect(await codeOf(sinkFor().begin(plan([file("a/b/c/d")])))).toBe("sink/denied");
  expect(await codeOf(sinkFor().begin(plan([folder("a/b/c")])))).toBe("sink/denied");
});

test("a symbolic link in the folder is never followed, with rename neither", async () => {
  await mkdir(join(top, "elsewhere"));
  await mkdir(out);
  await symlink(join(top, "elsewhere"), join(out, "a"));
  for (const rename of [false, true]) {
    expect(await codeOf(sinkFor(rename).begin(plan([file("a/b")])))).toBe("sink/denied");
    expect(await codeOf(sinkFor(rename).begin(plan([folder("a")])))).toBe("sink/denied");
  }
  await symlink(join(top, "absent"), join(out, "dangling"));
  expect(await codeOf(sinkFor().begin(plan([file("dangling")])))).toBe("sink/denied");
  expect(await readdir(join(top, "elsewhere"))).toEqual([]);
});

test("a symbolic link that takes a folder's place while the bytes come is not followed", async () => {
  await mkdir(join(top, "elsewhere"));
  const sink = sinkFor();
  await sink.begin(plan([file("a/b")]));
  const writer = await sink.openFile(file("a/b"));
  await symlink(join(top, "elsewhere"), join(out, "a"));
  expect(await codeOf(writer.close())).toBe("sink/denied");
  await sink.abort();
  expect(await readdir(join(top, "elsewhere"))).toEqual([]);
  expect(await readdir(out)).toEqual(["a"]);
});

test("nor is one that takes the place of a folder in which files were received already", async () => {
  await mkdir(join(top, "elsewhere"));
  const sink = sinkFor();
  await sink.begin(plan([file("a/b/c"), file("a/b/d")]));
  await put(sink, file("a/b/c"));
  await rename(join(out, "a"), join(top, "moved"));
  await mkdir(join(top, "elsewhere/b"));
  await symlink(join(top, "elsewhere"), join(out, "a"));
  expect(await codeOf(put(sink, file("a/b/d")))).toBe("sink/denied");
  await sink.abort();
  expect(await readdir(join(top, "elsewhere/b"))).toEqual([]);
});

test.each(["../x", "/x", "a/../../x", "a//b", "", ".", "..\\x"])("the path %j is refused by itself", async (path) => {
  const sink = sinkFor();
  expect(await codeOf(sink.begin(plan([file(path)])))).toBe("path/rejected");
  await sink.abort();
  const later = sinkFor();
  await later.begin(plan([]));
  expect(await codeOf(later.openFile(file(path)))).toBe("path/rejected");
  expect(await codeOf(later.createDirectory(folder(path)))).toBe("path/rejected");
  await later.abort();
  expect(await readdir(top)).toEqual([]);
});

test("a folder without room refuses before anything is written, with both numbers", async () => {
  const error = await sinkFor()
    .begin(plan([file("a")], 2 ** 52))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "sink/full", details: { neededBytes: 2 ** 52 } });
});

test("a folder that may not be written to is sink/denied, where the system holds this process to it", async () => {
  await mkdir(out);
  await chmod(out, 0o500);
  const held = await writeFile(join(out, "probe"), "").then(
    () => false,
    () => true,
  );
  if (held) expect(await codeOf(sinkFor().begin(plan([file("a")])))).toBe("sink/denied");
  else await receive(sinkFor(), [file("a")]);
  await chmod(out, 0o700);
  expect((await readdir(out)).filter((name) => name.startsWith(".warp"))).toEqual([]);
});

test("a folder that is a file cannot be received into", async () => {
  await writeFile(out, "mine");
  expect(await codeOf(sinkFor().begin(plan([file("a")])))).toMatch(/^sink\//);
  expect(await readFile(out, "utf8")).toBe("mine");
});
