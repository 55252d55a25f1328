import { describe, expect, it } from "vitest";
import { collectDrop, collectInput } from "./collect.ts";

/** A dropped tree as plain data: text is a file, an object a folder, null a file that cannot be opened. */
type Tree = { readonly [name: string]: Tree | string | null };

/** The batch size of Chromium's reader. */
const READER_BATCH = 100;

function entryOf(name: string, content: Tree | string | null): FileSystemEntry {
  if (content === null || typeof content === "string") {
    const file = (resolve: (file: File) => void, reject: (error: Error) => void): void => {
      if (content === null) reject(new Error("NotReadableError"));
      else resolve(new File([content], name));
    };
    return { name, isFile: true, isDirectory: false, file } as unknown as FileSystemEntry;
  }
  const createReader = () => {
    const children = Object.entries(content).map(([child, inner]) => entryOf(child, inner));
    return {
      readEntries: (resolve: (entries: FileSystemEntry[]) => void) => resolve(children.splice(0, READER_BATCH)),
    };
  };
  return { name, isFile: false, isDirectory: true, createReader } as unknown as FileSystemEntry;
}

function listOf(tree: Tree): DataTransferItemList {
  return Object.entries(tree).map(([name, content]) => ({
    kind: "file",
    webkitGetAsEntry: () => entryOf(name, content),
    getAsFile: () => null,
  })) as unknown as DataTransferItemList;
}

const quiet = (): void => {};

describe("a dropped tree", () => {
  it("becomes files with their whole paths, sorted", async () => {
    const { items, refused } = await collectDrop(listOf({ set: { b: "2", a: "1", deep: { c: "3" } }, x: "4" }), quiet);
    expect(items.map((item) => item.path)).toEqual(["set/a", "set/b", "set/deep/c", "x"]);
    expect(await items[2]?.file?.text()).toBe("3");
    expect(refused).toEqual([]);
  });

  it("keeps empty folders, also the dropped one itself and one deep inside", async () => {
    const { items } = await collectDrop(listOf({ hollow: {}, set: { deep: { hollow: {} } } }), quiet);
    expect(items).toEqual([
      { path: "hollow", file: null },
      { path: "set/deep/hollow", file: null },
    ]);
  });

  it("does not list a folder that holds only an empty folder twice", async () => {
    const { items } = await collectDrop(listOf({ outer: { inner: {} } }), quiet);
    expect(items.map((item) => item.path)).toEqual(["outer/inner"]);
  });

  it("reads on until the reader is empty, past its batches of a hundred", async () => {
    const many = Object.fromEntries(Array.from({ length: 1234 }, (_, index) => [`f${index}`, "x"]));
    const counts: number[] = [];
    const { items } = await collectDrop(listOf({ set: many }), (count) => counts.push(count));
    expect(items.length).toBe(1234);
    expect(new Set(items.map((item) => item.path)).size).toBe(1234);
    expect(counts.at(-1)).toBe(1234);
  });

  it("names what the browser will not open and keeps the rest", async () => {
    const { items, refused } = await collectDrop(listOf({ set: { locked: null, open: "1" } }), quiet);
    expect(items.map((item) => item.path)).toEqual(["set/open"]);
    expect(refused).toEqual(["set/locked"]);
  });

  it("takes a pasted picture, which has no entry", async () => {
    const list = [
      { kind: "string" },
      { kind: "file", webkitGetAsEntry: () => null, getAsFile: () => new File(["p"], "image.png") },
    ] as unknown as DataTransferItemList;
    const { items } = await collectDrop(list, quiet);
    expect(items.map((item) => item.path)).toEqual(["image.png"]);
  });
});

describe("handles", () => {
  type Give = (() => Promise<FileSystemHandle | null>) | undefined;
  const handle = { kind: "file", name: "a" } as FileSystemHandle;
  const handlesOf = async (...gives: Give[]): Promise<readonly FileSystemHandle[]> => {
    const list = gives.map((getAsFileSystemHandle) => ({
      kind: "file",
      webkitGetAsEntry: () => entryOf("a", "1"),
      ...(getAsFileSystemHandle === undefined ? {} : { getAsFileSystemHandle }),
    }));
    return (await collectDrop(list as unknown as DataTransferItemList, quiet)).handles;
  };
  const give = async (): Promise<FileSystemHandle> => handle;

  it("of a drop are those of all its things", async () => {
    expect(await handlesOf(give, give)).toEqual([handle, handle]);
  });

  it("are none where one is missing or refused, where the browser has none, and where there are very many", async () => {
    expect(await handlesOf(give, async () => null)).toEqual([]);
    expect(await handlesOf(give, () => Promise.reject(new Error("AbortError")))).toEqual([]);
    expect(await handlesOf(undefined)).toEqual([]);
    expect(await handlesOf(...Array.from({ length: 33 }, () => give))).toEqual([]);
  });

  it("are asked for before the drop event is over", () => {
    let asked = 0;
    const count = async (): Promise<FileSystemHandle> => {
      asked += 1;
      return handle;
    };
    const collecting = handlesOf(count, count, count);
    expect(asked).toBe(3);
    return collecting;
  });

  it("do not hold up the items while the browser asks a question", async () => {
    const item = {
      kind: "file",
      webkitGetAsEntry: () => entryOf("a", "1"),
      getAsFileSystemHandle: () => new Promise(() => {}),
    };
    const { items } = await collectDrop([item] as unknown as DataTransferItemList, quiet);
    expect(items.map(({ path }) => path)).toEqual(["a"]);
  });
});

describe("files of an input", () => {
  it("keep the path below the chosen folder where there is one", () => {
    const inFolder = new File(["1"], "a.txt");
    Object.defineProperty(inFolder, "webkitRelativePath", { value: "set/a.txt" });
    const alone = new File(["2"], "b.txt");
    expect(collectInput([inFolder, alone]).items.map((item) => item.path)).toEqual(["b.txt", "set/a.txt"]);
  });
});
