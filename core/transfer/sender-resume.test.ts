import { beforeAll, describe, expect, it } from "vitest";
import { noise, prose } from "../../tests/support/bytes.ts";
import { emptyFolder, MemorySink, memoryFile } from "../../tests/support/fake-host.ts";
import { FakeRelay } from "../../tests/support/fake-relay.ts";
import {
  batchSource,
  createPortal,
  type Portal,
  repeaterOf,
  startReceive,
  startSend,
} from "../../tests/support/fake-transfer.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { MemoryJournal } from "../../tests/support/memory-journal.ts";
import { Failure } from "../failure.ts";
import type { SourceEntry, SourceFile } from "../ports/byte-source.ts";
import type { Engine } from "../ports/engine.ts";
import { MIB, UPLOAD_WINDOW_BYTES } from "../units.ts";
import type { ObjectHeader } from "../wire/object.ts";
import type { Repeater } from "./batch.ts";
import { readEntries } from "./take-up.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

type Tree = readonly (SourceEntry | SourceFile)[];

const random = noise(13 * MIB, "random");
const text = prose(9 * MIB, "text");

/** Incompressible and compressible, repeated inside and across files, empty, tiny, large. */
const tree: Tree = [
  memoryFile("empty", new Uint8Array(0)),
  memoryFile("a.log", text.subarray(0, 5 * MIB)),
  memoryFile("large.bin", random),
  emptyFolder("nothing"),
  ...Array.from({ length: 60 }, (_, i) => memoryFile(`small/${i}`, random.subarray(i * 777, i * 1777 + 5))),
  memoryFile("again.bin", random.subarray(2 * MIB)),
  memoryFile("b.log", text),
  memoryFile("last", Uint8Array.of(1)),
];

/** More than a window's worth of packs between what is done early and what is read late. */
const longTree: Tree = [...tree.slice(0, 3), memoryFile("huge.bin", noise(44 * MIB, "huge")), ...tree.slice(3)];

interface Life {
  readonly relay: FakeRelay;
  readonly portal: Portal;
  readonly journal: MemoryJournal;
  readonly puts: ObjectHeader[];
}

async function newLife(onPut: (header: ObjectHeader, count: number) => void = () => {}): Promise<Life> {
  const puts: ObjectHeader[] = [];
  const relay = new FakeRelay({
    fault: (_operation, direction, header) => {
      if (direction === "put") {
        puts.push(header);
        onPut(header, puts.length);
      }
      return "none";
    },
  });
  return { relay, portal: await createPortal(), journal: new MemoryJournal(), puts };
}

function run({ relay, portal, journal }: Life, entries: Tree, isResumed: boolean, repeater?: Repeater) {
  const source = batchSource(entries, engine);
  return startSend(relay, portal, entries, source, {
    journal,
    repeater: repeater ?? repeaterOf(entries, engine),
    onFailed: () => {},
    ...(isResumed && { resume: { begin: source.begin } }),
  });
}

/** A sender that dies at its `kill`-th object on the wire. Gives the life as the next sender finds it. */
async function killedAt(kill: number, entries: Tree = tree): Promise<Life> {
  const { promise: died, resolve: die } = Promise.withResolvers<void>();
  const life = await newLife((_header, count) => {
    if (count === kill) die();
  });
  const send = run(life, entries, false);
  await Promise.race([died, send.done]);
  const journal = life.journal.die();
  send.link.close();
  await send.done.catch(() => {});
  life.puts.length = 0;
  return { ...life, journal };
}

async function expectArrived({ relay, portal }: Life, entries: Tree = tree): Promise<void> {
  const sink = new MemorySink();
  await startReceive(relay, portal, engine, sink).done;
  expect(sink.state).toBe("finished");
  expect(sink.entries.map(({ path }) => path)).toEqual(entries.map(({ path }) => path));
  for (const entry of entries) {
    if (!("read" in entry)) continue;
    const bytes = await entry.read(0, entry.size);
    expect(`${entry.path} ${Buffer.compare(sink.files.get(entry.path) ?? Buffer.from("?"), bytes)}`).toBe(
      `${entry.path} 0`,
    );
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "resolved";
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
}

describe("a send that is resumed", () => {
  it.each([1, 2, 3, 4, 6, 8, 10])(
    "[MOVE-13] goes on after its %i. object, sends nothing that the relay holds, and arrives whole",
    async (kill) => {
      const life = await killedAt(kill);
      const held = new Set(life.relay.objects.keys());
      const { receivedBytes } = life.relay;
      await run(life, tree, true).done;
      expect(life.puts.filter(({ kind, index }) => held.has(`${kind} ${index}`))).toEqual([]);
      const stored = [...life.relay.objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
      expect(life.relay.receivedBytes - stored).toBeLessThanOrEqual(UPLOAD_WINDOW_BYTES);
      expect(life.relay.receivedBytes).toBeGreaterThanOrEqual(receivedBytes);
      await expectArrived(life);
    },
    60_000,
  );

  it("[MOVE-13] goes on after every one of several deaths", async () => {
    let life = await newLife();
    for (const puts of [2, 3, 1, 4, 2, 3, Number.POSITIVE_INFINITY]) {
      const before = life.puts.length;
      const send = run(life, longTree, life.journal.durable.length > 0);
      let isOver = false;
      send.done.then(
        () => {
          isOver = true;
        },
        () => {},
      );
      while (!isOver && life.puts.length < before + puts) await new Promise((resolve) => setImmediate(resolve));
      if (isOver) break;
      const journal = life.journal.die();
      send.link.close();
      await send.done.catch(() => {});
      life = { ...life, journal };
    }
    expect(life.relay.commitment).not.toBeNull();
    await expectArrived(life, longTree);
  });

  it("[MOVE-13] that was committed has nothing left to do", async () => {
    const life = await newLife();
    await run(life, tree, false).done;
    life.puts.length = 0;
    const journal = life.journal.die();
    await run({ ...life, journal }, tree, true).done;
    expect(life.puts).toEqual([]);
    await expectArrived(life);
  });

  it("[MOVE-13] does not read again the files that are done", async () => {
    const life = await killedAt(9, longTree);
    const read: string[] = [];
    const watched = longTree.map((entry) => {
      if (!("read" in entry)) return entry;
      return {
        ...entry,
        read: (offset: number, length: number) => {
          read.push(entry.path);
          return entry.read(offset, length);
        },
      };
    });
    await run(life, watched, true, repeaterOf(longTree, engine)).done;
    expect(read).not.toContain("a.log");
    expect(read).toContain("huge.bin");
    expect(read).toContain("b.log");
  });

  it("lists its entries from the journal alone", async () => {
    const { journal } = await killedAt(5);
    const { entries, listed } = await readEntries(journal);
    expect(listed).toBe(true);
    expect(entries.map(({ path }) => path)).toEqual(tree.map(({ path }) => path));
  });
});

describe("what cannot be resumed as it was", () => {
  const changed = (path: string, bytes: Uint8Array): Tree =>
    longTree.map((entry) => (entry.path === path ? memoryFile(path, bytes) : entry));

  it("[MOVE-11] a file that changed in what was sent of it is refused, and nothing of it is mixed in", async () => {
    // Killed in the midst of huge.bin: the window is smaller than it.
    const life = await killedAt(9, longTree);
    const other = noise(44 * MIB, "huge");
    other[100] = (other[100] ?? 0) ^ 1;
    expect(await codeOf(run(life, changed("huge.bin", other), true).done)).toBe("file/changed");
    expect(life.relay.commitment).toBeNull();
    // With the right file it goes on.
    await run({ ...life, journal: life.journal.die() }, longTree, true).done;
    await expectArrived(life, longTree);
  });

  it("[MOVE-11] a journal that is damaged is refused before anything is sent", async () => {
    const life = await killedAt(6);
    const { durable } = life.journal;
    const middle = durable[durable.length >> 1];
    if (middle !== undefined) middle[0] = 0xc0;
    expect(await codeOf(run(life, tree, true).done)).toBe("journal/damaged");
  });

  it("[MOVE-12] a pack that no engine here makes again is refused", async () => {
    const life = await killedAt(6);
    for (const key of [...life.relay.objects.keys()]) if (key === "pack 0") life.relay.objects.delete(key);
    const repeater: Repeater = { repeat: async (runs) => runs.map(() => new Uint8Array(1)) };
    expect(await codeOf(run(life, tree, true, repeater).done)).toBe("pack/unrepeatable");
  });

  it("[MOVE-12] a run of which a part is sealed goes on with its own bytes only, also where others have its length", async () => {
    const life = await killedAt(9, longTree);
    const good = repeaterOf(longTree, engine);
    const asked: string[] = [];
    const other: Repeater = {
      repeat: async (runs, wanted) => {
        asked.push(wanted);
        return (await good.repeat(runs, wanted)).map((bytes) => bytes.map((byte) => byte ^ 1));
      },
    };
    expect(await codeOf(run(life, longTree, true, other).done)).toBe("pack/unrepeatable");
    expect(asked).toEqual(["cpu", "gpu"]);
    await run({ ...life, journal: life.journal.die() }, longTree, true).done;
    await expectArrived(life, longTree);
  });

  it("[MOVE-12] a pack that the other engine made is made by that one again", async () => {
    const life = await killedAt(6);
    life.relay.objects.delete("pack 0");
    const good = repeaterOf(tree, engine);
    const asked: string[] = [];
    const repeater: Repeater = {
      repeat: async (runs, wanted) => {
        asked.push(wanted);
        return wanted === "gpu" ? good.repeat(runs, wanted) : runs.map(() => new Uint8Array(1));
      },
    };
    await run(life, tree, true, repeater).done;
    expect(asked.slice(0, 2)).toEqual(["cpu", "gpu"]);
    await expectArrived(life);
  });
});

describe("a send with a journal", () => {
  it("[MOVE-13] goes on without it when nothing more can be written down, and says so", async () => {
    const life = await newLife((_header, count) => {
      if (count === 3) life.journal.isFull = true;
    });
    let failed = 0;
    const send = startSend(life.relay, life.portal, tree, batchSource(tree, engine), {
      journal: life.journal,
      repeater: repeaterOf(tree, engine),
      onFailed: () => {
        failed += 1;
      },
    });
    expect(send.progress.resumable).toBe(true);
    await send.done;
    expect(send.progress.resumable).toBe(false);
    expect(failed).toBe(1);
    await expectArrived(life);
  });

  it("[MOVE-12] makes an object that the relay lost again, the same bytes, while it goes on", async () => {
    const life = await newLife((header) => {
      if (header.kind !== "pack" || header.index !== 4 || life.puts.length === 0) return;
      for (const [kind, index] of [
        ["pack", 1],
        ["pack", 2],
        ["page", 1],
      ] as const) {
        if (life.relay.objects.delete(`${kind} ${index}`)) send.sender.lost(kind, index);
      }
    });
    const send = run(life, tree, false);
    await send.done;
    const again = life.puts.filter(({ kind, index }) => kind === "pack" && index === 1);
    expect(again.length).toBe(2);
    expect(again[0]?.hash).toEqual(again[1]?.hash);
    await expectArrived(life);
  });
});
