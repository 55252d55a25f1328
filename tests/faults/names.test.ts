/**
 * S1: names that harm somebody somewhere, through the whole of core and onto a real disk by way of the command line's
 * folder. Each is refused by both sides, or arrives as exactly one file inside the folder and is shown for what it is.
 *
 * @module
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, posix, win32 } from "node:path";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FolderSink } from "../../cli/folder-sink.ts";
import { quoted } from "../../cli/named-failure.ts";
import { walk } from "../../cli/walk.ts";
import { Failure } from "../../core/failure.ts";
import { displayPath } from "../../core/manifest/display-path.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath, pathFault, sendablePath } from "../../core/manifest/path.ts";
import { portableName } from "../../core/manifest/portable-name.ts";
import { uniquePaths } from "../../core/manifest/unique-paths.ts";
import type { SourceFile } from "../../core/ports/byte-source.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { MAX_PATH_BYTES, MAX_PATH_DEPTH } from "../../core/units.ts";
import { MemorySink, memoryFile } from "../support/fake-host.ts";
import { FakeRelay } from "../support/fake-relay.ts";
import { batchSource, createPortal, startReceive, startSend } from "../support/fake-transfer.ts";
import { loadEngine } from "../support/kernels.ts";
import { forge } from "./fuzz/forged-portal.ts";
import { anyHostilePath, HOSTILE_NAMES } from "./hostile-names.ts";
import { rounds } from "./scale.ts";

const ARRIVING = HOSTILE_NAMES.filter(({ fault }) => fault === undefined).map(({ path }) => path);
const REFUSED = HOSTILE_NAMES.filter(({ fault }) => fault !== undefined);
/** Paths of the property test, how many of them share a folder, and which batches reach the disk. */
const COUNT = rounds(5_000, 100_000);
const BATCH = 50;
const DISK_EVERY = rounds(4, 1);

/** What Unicode says of a letter that people cannot see, or that moves others: not the product's own list. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;
/** The places where such letters belong to others and are kept. */
const BELONGING =
  /[0-9#*]\ufe0f\u20e3|\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?(?:\u200d\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)*|\p{Unified_Ideograph}[\ufe00-\ufe02\u{e0100}-\u{e01ef}]|[\p{L}\p{M}][\u200c\u200d](?=\p{L})|[\p{L}&&\p{Script=Mongolian}][\u180b-\u180f]/gv;

let engine: Engine;
let top: string;
let out: string;
beforeAll(async () => {
  engine = await loadEngine();
});
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "warp-names-"));
  out = join(top, "out");
});
afterEach(() => rm(top, { recursive: true, force: true }));

/** Content by which a file is known again. */
const bytesOf = (path: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(path));
const fileOf = (path: string): Entry => ({ kind: "file", path, size: bytesOf(path).length, mtimeMs: 0 });

/** Every file below `folder` by its path there, with its content. Asserts that there is nothing but files and folders. */
async function filesIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    expect(entry.isFile() || entry.isDirectory()).toBe(true);
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.set(path.slice(folder.length + 1), await readFile(path, "utf8"));
  }
  return found;
}

/** Sends through the whole of core into the command line's folder. Gives the paths that got other names. */
async function transfer(sources: readonly SourceFile[]): Promise<Map<string, string>> {
  const relay = new FakeRelay();
  const portal = await createPortal();
  const renamed = new Map<string, string>();
  const onRename = (path: string, actual: string) => void renamed.set(path, actual.slice(out.length + 1));
  const sent = startSend(relay, portal, sources, batchSource(sources, engine));
  await startReceive(relay, portal, engine, new FolderSink(out, { rename: false, onRename })).done;
  await sent.done;
  return renamed;
}

function expectShown(path: string): void {
  const shown = displayPath(path);
  expect([path, shown.replace(BELONGING, "")]).toEqual([path, expect.not.stringMatching(UNSEEN)]);
  // The end is what a system goes by: it stands there as it is.
  const extension = /\.[A-Za-z0-9]+$/.exec(path)?.[0] ?? "";
  expect(shown.endsWith(extension)).toBe(true);
  expect(quoted(path)).toBe(`"${shown}"`);
}

describe("S1: hostile names", () => {
  it("are more than 200, each once, of more than 20 kinds", () => {
    expect(HOSTILE_NAMES.length).toBeGreaterThan(300);
    expect(new Set(HOSTILE_NAMES.map(({ path }) => path)).size).toBe(HOSTILE_NAMES.length);
    expect(new Set(HOSTILE_NAMES.map(({ what }) => what)).size).toBeGreaterThan(20);
  });

  it("that no name may be are refused by the sender, or sent as another name, and refused by the receiver", async () => {
    for (const { path, fault } of REFUSED) {
      const refusal = new Failure("path/rejected", { reason: fault ?? "" });
      expect(() => checkPath(path)).toThrow(refusal);
      let sent: string | undefined;
      try {
        sent = sendablePath(path);
      } catch (error) {
        expect(error).toMatchObject({ code: "path/rejected" });
      }
      if (sent !== undefined) expect([path, pathFault(sent)]).toEqual([path, undefined]);
      const row = (value: Record<string, unknown>) => ({
        ...value,
        e: (value["e"] as unknown[][]).map((each, i) => (i === 2 ? each.with(1, path) : each)),
      });
      const forged = await forge(engine, { value: row });
      const sink = new MemorySink();
      await expect(startReceive(forged.relay, forged.portal, engine, sink).done).rejects.toMatchObject(
        // Of what is longer than any path may be a page is refused before it is looked at.
        path.length > MAX_PATH_BYTES
          ? { code: "manifest/malformed" }
          : { code: "path/rejected", details: { reason: fault } },
      );
      expect([path, sink.plan, sink.files.size]).toEqual([path, undefined, 0]);
    }
  });

  it("that a name may be arrive, each as one file with its own content, and nothing lands beside the folder", async () => {
    const paths = uniquePaths(ARRIVING.map(fileOf)).map(({ path }) => path);
    expect(paths.length).toBe(ARRIVING.length);
    const renamed = await transfer(paths.map((path) => memoryFile(path, bytesOf(path))));
    const files = await filesIn(out);
    expect(files.size).toBe(paths.length);
    for (const path of paths) {
      const actual = renamed.get(path) ?? path;
      expect([path, files.get(actual)]).toEqual([path, JSON.stringify(path)]);
      // Only another file of the same name to this disk may have cost a file its own.
      if (actual !== path)
        expect(actual.toLowerCase().normalize("NFC")).toContain(basename(path).slice(0, 1).toLowerCase());
    }
    expect(await readdir(top)).toEqual(["out"]);
  });

  it("that a disk holds are all sent, as themselves or with visible signs in place of what no name may hold", async () => {
    const source = join(top, "source");
    const contents: string[] = [];
    for (const [index, { path }] of HOSTILE_NAMES.entries()) {
      const folder = join(source, String(index));
      const place = join(folder, path);
      if (path.includes("\0") || path.endsWith("/") || !place.startsWith(`${folder}/`)) continue;
      // What this disk takes no more is nothing that it holds; and two folders more are too deep for a few.
      const names = path.split("/");
      if (names.some((name) => Buffer.byteLength(name) > 255) || Buffer.byteLength(place) > 3_900) continue;
      if (names.length > MAX_PATH_DEPTH - 2) continue;
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, `${index}`);
      contents.push(`${index}`);
    }
    const found = await walk([source], { follow: false });
    const files = found.sources.filter((each): each is SourceFile => "read" in each);
    expect(files.length).toBe(contents.length);
    const renamed = await transfer(files);
    const arrived = await filesIn(out);
    expect([...arrived.values()].toSorted()).toEqual(contents.toSorted());
    expect(renamed.size).toBe(0);
    const told = new Set(found.renamed.map(([, path]) => path));
    for (const [path, index] of arrived) {
      expect(pathFault(path)).toBeUndefined();
      // Half a letter does not even reach the disk as such.
      const given = Buffer.from(join("source", index, HOSTILE_NAMES[Number(index)]?.path ?? "")).toString();
      if (path !== given) expect([given, told.has(path)]).toEqual([given, true]);
    }
    expect((await readdir(top)).toSorted()).toEqual(["out", "source"]);
  });

  it("are shown with every letter that cannot be seen, or that moves others, and with their real ends", () => {
    for (const { path } of HOSTILE_NAMES) expectShown(path);
  });

  it("that Windows would take for something else get others there, one component for each, inside the folder", () => {
    for (const path of ARRIVING) {
      const names = path.split("/").map(portableName);
      const read = win32.resolve("C:\\out", names.join("\\"));
      expect([path, read]).toEqual([path, `C:\\out\\${names.join("\\")}`]);
      for (const name of names) expect(name).not.toMatch(/[<>:"|?*]|[. ]$/);
    }
  });

  it(`that nobody thought of are no worse, ${COUNT} of them`, () => {
    let batch = 0;
    return fc.assert(
      fc.asyncProperty(fc.array(anyHostilePath, { minLength: BATCH, maxLength: BATCH }), async (paths) => {
        for (const path of paths) {
          expectShown(path);
          if (pathFault(path) === undefined) expectInside(path);
        }
        batch += 1;
        if (batch % DISK_EVERY === 0) await expectOnDisk(paths);
      }),
      { numRuns: COUNT / BATCH },
    );
  }, 600_000);
});

/** What a sender makes of a path: one that may be sent, or nothing. */
function sent(path: string): string[] {
  try {
    return [checkPath(sendablePath(path))];
  } catch (error) {
    expect(error).toMatchObject({ code: "path/rejected" });
    return [];
  }
}

/** Read by the rules of either system a path that is accepted stays below the folder that it is joined to. */
function expectInside(path: string): void {
  expect(posix.resolve("/out", path).startsWith("/out/")).toBe(true);
  expect(win32.resolve("C:\\out", path.split("/").map(portableName).join("\\")).startsWith("C:\\out\\")).toBe(true);
}

/** What may be sent of these paths arrives in a folder of the disk, each as one file; the rest is refused there too. */
async function expectOnDisk(paths: readonly string[]): Promise<void> {
  const wanted = uniquePaths(paths.flatMap(sent).map(fileOf));
  const renamed = new Map<string, string>();
  const onRename = (path: string, actual: string) => void renamed.set(path, actual.slice(out.length + 1));
  const sink = new FolderSink(out, { rename: false, onRename });
  await sink.begin({ entries: wanted, closed: true, totalBytes: 0, title: "" });
  for (const path of paths)
    if (pathFault(path) !== undefined)
      await expect(sink.openFile(fileOf(path))).rejects.toMatchObject({ code: "path/rejected" });
  for (const entry of wanted) {
    const writer = await sink.openFile(entry);
    await writer.write(bytesOf(entry.path));
    await writer.close();
  }
  await sink.finish();
  const files = await filesIn(out);
  expect(files.size).toBe(wanted.length);
  for (const { path } of wanted) expect(files.get(renamed.get(path) ?? path)).toBe(JSON.stringify(path));
  expect(await readdir(top)).toEqual(["out"]);
  await rm(out, { recursive: true });
}
