/**
 * S3: nothing is written beside the chosen folder, and nothing that stands in it is written over: whatever lies in the way,
 * whenever it came to lie there. The command line's folder, on a real disk.
 *
 * @module
 */
import { once } from "node:events";
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FolderSink } from "../../cli/folder-sink.ts";
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { rounds } from "./scale.ts";

let top: string;
let out: string;
let elsewhere: string;
const servers: Server[] = [];
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "warp-over-"));
  await makePlaces();
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  await rm(top, { recursive: true, force: true });
});

/** The folder that is received into, and one that is nobody's business. */
async function makePlaces(): Promise<void> {
  [out, elsewhere] = [join(top, "out"), join(top, "elsewhere")];
  await Promise.all([mkdir(out), mkdir(join(elsewhere, "inner"), { recursive: true })]);
  await writeFile(join(elsewhere, "precious"), "precious");
}

const file = (path: string): Entry => ({ kind: "file", path, size: path.length, mtimeMs: 0 });
const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);

async function put(sink: FolderSink, entry: Entry): Promise<void> {
  const writer = await sink.openFile(entry);
  await writer.write(text(entry.path));
  await writer.close();
}

/** Everything below a folder, with what it is and holds; links are not followed, and what the sink keeps aside is left out. */
async function treeOf(folder: string, prefix = ""): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [path, name] = [join(folder, entry.name), prefix + entry.name];
    if (entry.name.startsWith(".warp-partial-")) continue;
    if (entry.isSymbolicLink()) tree[name] = `link to ${await readlink(path)}`;
    else if (entry.isFile()) tree[name] = `file: ${await readFile(path, "utf8")}`;
    else if (entry.isDirectory()) Object.assign(tree, { [name]: "folder" }, await treeOf(path, `${name}/`));
    else tree[name] = `special ${(await lstat(path)).ino}`;
  }
  return tree;
}

/** What may lie where something is to be written. */
const OBSTACLES: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  "a file": (path) => writeFile(path, "mine"),
  "an empty file": (path) => writeFile(path, ""),
  "a folder": (path) => mkdir(path),
  "a folder with files": async (path) => {
    await mkdir(path);
    await writeFile(join(path, "mine"), "mine");
    await writeFile(join(path, "second"), "mine too");
  },
  "a hard link to a file elsewhere": (path) => link(join(elsewhere, "precious"), path),
  "a link to a file elsewhere": (path) => symlink(join(elsewhere, "precious"), path),
  "a link to a folder elsewhere": (path) => symlink(join(elsewhere, "inner"), path),
  "a relative link out of the folder": (path) => symlink("../../../elsewhere", path),
  "a link to where nothing is": (path) => symlink(join(elsewhere, "absent"), path),
  "a link to itself": (path) => symlink(path, path),
  "a link to the folder itself": (path) => symlink(out, path),
  "a socket": async (path) => {
    const server = createServer();
    servers.push(server);
    await once(server.listen(path), "listening");
  },
};

/** Where it lies: in the place of a file, of its folder, or of the folder above; all of them hold a first file. */
const PLACES = { "a file": "a/b/second", "its folder": "a/b", "the folder above": "a" } as const;
const ENTRIES = [file("a/b/first"), file("a/b/second"), file("a/b/third"), file("other")];

const MOMENTS = ["was there before", "came before the first file", "came between two files"] as const;

/** Puts the obstacle there; what has the name is moved away, as somebody else might. */
async function obstruct(path: string, obstacle: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rename(path, join(top, "moved away")).catch(() => {});
  await OBSTACLES[obstacle]?.(path);
}

/** Receives while something comes into the way. Gives the code of the failure, or null, and what got other names. */
async function receive(
  place: string,
  obstacle: string,
  moment: (typeof MOMENTS)[number],
  rename: boolean,
): Promise<{ code: string | null; renamed: Map<string, string>; before: Record<string, string> }> {
  const renamed = new Map<string, string>();
  const onRename = (path: string, actual: string) => void renamed.set(path, actual.slice(out.length + 1));
  const sink = new FolderSink(out, { rename, onRename });
  let before: Record<string, string> = {};
  const step = async (now: (typeof MOMENTS)[number]): Promise<void> => {
    if (now !== moment) return;
    await obstruct(join(out, place), obstacle);
    before = await treeOf(out);
  };
  try {
    await step(MOMENTS[0]);
    await sink.begin({ entries: ENTRIES, closed: true, totalBytes: 0, title: "" });
    await step(MOMENTS[1]);
    for (const [index, entry] of ENTRIES.entries()) {
      if (index === 1) await step(MOMENTS[2]);
      await put(sink, entry);
    }
    await sink.finish();
    return { code: null, renamed, before };
  } catch (error) {
    await sink.abort();
    if (!(error instanceof Failure)) throw error;
    return { code: error.code, renamed, before };
  }
}

describe("S3: a folder on the disk", () => {
  it.each(
    MOMENTS.flatMap((moment) => Object.keys(PLACES).map((place) => [moment, place as keyof typeof PLACES] as const)),
  )(
    "in which something %s in the place of %s is not left, and nothing in it is written over",
    async (moment, place) => {
      for (const obstacle of Object.keys(OBSTACLES))
        for (const rename of [false, true]) {
          const what = `${obstacle}, ${rename ? "renaming" : "refusing"}`;
          const outside = await treeOf(elsewhere);
          const { code, renamed, before } = await receive(PLACES[place], obstacle, moment, rename);
          const after = await treeOf(out);
          expect([what, await treeOf(elsewhere)]).toEqual([what, outside]);
          // What was there is there, the same.
          expect([what, after]).toEqual([what, expect.objectContaining(before)]);
          if (code === null) {
            for (const { path } of ENTRIES) {
              const isMoved = moment === MOMENTS[2] && path === "a/b/first";
              const actual = renamed.get(path) ?? path;
              if (!isMoved) expect([what, path, after[actual]]).toEqual([what, path, `file: ${path}`]);
              expect([what, before[actual] ?? `file: ${path}`]).toEqual([what, `file: ${path}`]);
            }
          } else expect([what, code]).toEqual([what, "sink/denied"]);
          // Nothing that was there before was touched, and nothing of what was refused stays.
          if (moment === MOMENTS[0] && code !== null && !rename) expect([what, after]).toEqual([what, before]);
          expect((await readdir(out)).filter((name) => name.startsWith(".warp"))).toEqual([]);
          await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
          for (const name of await readdir(top)) await rm(join(top, name), { recursive: true, force: true });
          await makePlaces();
        }
    },
  );

  it("into which three write the same names at once keeps all of theirs", async () => {
    const names = Array.from({ length: rounds(40, 1000) }, (_, index) => `many/${index % 3}/${index}.txt`);
    const entries = names.map((path) => file(path));
    const receiving = ["one", "two"].map(async (who) => {
      const actual = new Map<string, string>(names.map((name) => [name, join(out, name)]));
      const sink = new FolderSink(out, { rename: true, onRename: (path, at) => void actual.set(path, at) });
      await sink.begin({ entries, closed: true, totalBytes: 0, title: "" });
      for (const entry of entries) {
        const writer = await sink.openFile(entry);
        await writer.write(text(`${who} ${entry.path}`));
        await writer.close();
      }
      await sink.finish();
      return names.map((name) => [actual.get(name) ?? "", `${who} ${name}`] as const);
    });
    const stranger = (async () => {
      const mine: (readonly [string, string])[] = [];
      for (const name of names.toReversed()) {
        await mkdir(dirname(join(out, name)), { recursive: true });
        const isMine = await writeFile(join(out, name), `three ${name}`, { flag: "wx" }).then(
          () => true,
          () => false,
        );
        if (isMine) mine.push([join(out, name), `three ${name}`]);
      }
      return mine;
    })();
    const all = (await Promise.all([...receiving, stranger])).flat();
    expect(new Set(all.map(([path]) => path)).size).toBe(all.length);
    for (const [path, content] of all) expect(await readFile(path, "utf8")).toBe(content);
    expect(Object.values(await treeOf(out)).filter((one) => one.startsWith("file"))).toHaveLength(all.length);
  });

  it("that takes no path of that length refuses it by a code and keeps what came before", async () => {
    const long = `${Array.from({ length: 15 }, () => "x".repeat(255)).join("/")}/${"y".repeat(250)}`;
    const sink = new FolderSink(out, { rename: false, onRename: () => {} });
    await sink.begin({ entries: [file("before"), file(long)], closed: true, totalBytes: 0, title: "" });
    await put(sink, file("before"));
    await expect(put(sink, file(long))).rejects.toMatchObject({ code: "path/rejected" });
    await sink.abort();
    const left = Object.entries(await treeOf(out)).filter(([, what]) => what !== "folder");
    expect(left).toEqual([["before", "file: before"]]);
  });
});
