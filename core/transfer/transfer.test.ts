import { beforeAll, describe, expect, it } from "vitest";
import { noise, prose } from "../../tests/support/bytes.ts";
import { emptyFolder, MemorySink, memoryFile } from "../../tests/support/fake-host.ts";
import { FakeRelay, type Fault, type RelayOptions } from "../../tests/support/fake-relay.ts";
import { batchSource, createPortal, startReceive, startSend } from "../../tests/support/fake-transfer.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { Failure } from "../failure.ts";
import type { SourceEntry, SourceFile } from "../ports/byte-source.ts";
import type { Engine } from "../ports/engine.ts";
import { MIB, SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../units.ts";
import type { BatchSource } from "./batch.ts";
import { followReceive } from "./follow.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

const random = noise(21 * MIB, "random");
const text = prose(3 * MIB, "text");

/** Files of every awkward kind: empty, tiny, equal, repeated, compressible, larger than a pack, and empty folders. */
const tree: readonly (SourceEntry | SourceFile)[] = [
  memoryFile("empty", new Uint8Array(0)),
  memoryFile("one", Uint8Array.of(7)),
  memoryFile("text.log", text),
  memoryFile("same/a.bin", random.subarray(0, 300_000)),
  memoryFile("same/b.bin", random.subarray(0, 300_000)),
  memoryFile("same/c.bin", random.subarray(0, 300_000)),
  memoryFile("large.bin", random),
  emptyFolder("nothing/here"),
  memoryFile("again/large.bin", random),
  memoryFile("again/empty", new Uint8Array(0)),
  memoryFile("日本/ü", text.subarray(5, 70_000)),
];

async function expectArrived(sink: MemorySink, entries: readonly (SourceEntry | SourceFile)[]): Promise<void> {
  expect(sink.state).toBe("finished");
  expect(sink.open).toBe(0);
  expect(sink.entries.map(({ kind, path, size, mtimeMs }) => [kind, path, size, mtimeMs])).toEqual(
    entries.map(({ kind, path, size, mtimeMs }) => [kind, path, size, mtimeMs]),
  );
  for (const entry of entries) {
    if (!("read" in entry)) continue;
    const expected = await entry.read(0, entry.size);
    expect(`${entry.path} ${Buffer.compare(sink.files.get(entry.path) ?? Buffer.from("absent"), expected)}`).toBe(
      `${entry.path} 0`,
    );
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "resolved";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

/** Sends `tree` and receives it at the same time. */
async function throughRelay(options: RelayOptions, entries = tree) {
  const relay = new FakeRelay(options);
  const portal = await createPortal();
  const sink = new MemorySink();
  const receive = startReceive(relay, portal, engine, sink);
  const send = startSend(relay, portal, entries, batchSource(entries, engine));
  await send.done;
  await receive.done;
  return { relay, portal, sink, send, receive };
}

describe("a transfer", () => {
  it("[MOVE-1] arrives byte for byte, with every name, time, empty file and empty folder, while it is still being sent", async () => {
    const { relay, sink, send, receive } = await throughRelay({});
    await expectArrived(sink, tree);
    const total = tree.reduce((sum, { size }) => sum + size, 0);
    expect([send.progress.bytesDone, receive.progress.bytesDone]).toEqual([total, total]);
    expect([send.progress.entriesDone, receive.progress.entriesDone]).toEqual([tree.length, tree.length]);
    // Repeated files cost nothing and text little: not much more than the random bytes, once.
    const stored = [...relay.objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(stored).toBeLessThan(1.2 * random.length);
    expect(send.progress.knownBytes).toBeGreaterThanOrEqual(random.length + 2 * 300_000);
    expect(relay.receivedBytes).toBe(stored);
  }, 120_000);

  it("[MOVE-1] arrives after its sender has left", async () => {
    const relay = new FakeRelay();
    const portal = await createPortal();
    await startSend(relay, portal, tree, batchSource(tree, engine)).done;
    expect(relay.pipes.size).toBe(0);
    const sink = new MemorySink();
    await startReceive(relay, portal, engine, sink).done;
    await expectArrived(sink, tree);
  }, 120_000);

  it.each([
    ["nothing at all", []],
    ["one empty file", [memoryFile("e", new Uint8Array(0))]],
    ["one empty folder", [emptyFolder("d")]],
    ["one byte", [memoryFile("b", Uint8Array.of(1))]],
    ["exactly one pack", [memoryFile("p", random.subarray(0, SEALED_PACK_BYTES - 32))]],
    ["one byte more than a pack", [memoryFile("p", random.subarray(0, SEALED_PACK_BYTES - 31))]],
    ["three equal files in a row", [1, 2, 3].map((i) => memoryFile(`f${i}`, random.subarray(0, 90_000)))],
    ["thousands of small files", Array.from({ length: 3_000 }, (_, i) => memoryFile(`dir/${i}`, prose(i % 200, i)))],
  ] as [string, (SourceEntry | SourceFile)[]][])(
    "[MOVE-1] of %s arrives",
    async (_what, entries) => {
      const { sink } = await throughRelay({}, entries);
      await expectArrived(sink, entries);
    },
    120_000,
  );

  const everyNth =
    (nth: number, fault: Fault) =>
    (operation: number): Fault =>
      operation % nth === 0 ? fault : "none";

  it.each<[string, RelayOptions["fault"]]>([
    ["loses its connections at every 5th object", everyNth(5, "cut")],
    ["loses its connections at every 7th object", everyNth(7, "cut")],
    ["refuses every 3rd object once", refuseSome()],
    ["answers every 2nd object late, so that they come in another order", everyNth(2, "late")],
    [
      "damages every 4th object on its way down",
      (n, direction) => (direction === "get" && n % 4 === 0 ? "corrupt" : "none"),
    ],
  ])(
    "[MOVE-2] arrives through a relay that %s",
    async (_what, fault) => {
      const { relay, sink } = await throughRelay({ ...(fault && { fault }) });
      await expectArrived(sink, tree);
      expect(relay.operations).toBeGreaterThan(10);
    },
    120_000,
  );

  it("[MOVE-3] sends again only what was on its way when a connection died", async () => {
    let cuts = 0;
    const fault = (_n: number, direction: string): Fault => {
      if (direction === "put" && Math.random() < 0.1) {
        cuts += 1;
        return "cut";
      }
      return "none";
    };
    const { relay, sink } = await throughRelay({ fault });
    await expectArrived(sink, tree);
    const stored = [...relay.objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(relay.receivedBytes - stored).toBeLessThanOrEqual(cuts * UPLOAD_WINDOW_BYTES);
  }, 120_000);

  it("[MOVE-4] never has more on the way than the relay's window, nor asks for more than it allows", async () => {
    const wide = await throughRelay({ fault: everyNth(2, "late") });
    expect(wide.relay.peakWindowBytes).toBeLessThanOrEqual(UPLOAD_WINDOW_BYTES);
    const limits = { windowBytes: 2 * SEALED_PACK_BYTES, maxWants: 4 };
    const { relay, sink } = await throughRelay({ limits });
    await expectArrived(sink, tree);
    expect(relay.peakWindowBytes).toBeLessThanOrEqual(limits.windowBytes);
    expect(relay.peakWants).toBeLessThanOrEqual(limits.maxWants);
  }, 120_000);

  it("[MOVE-5] keeps no more packs than its window, also where all of it is a repetition", async () => {
    const relay = new FakeRelay();
    const portal = await createPortal();
    // A file of 21 MiB, then its chunks again from many places: each a look back.
    const jumble = Array.from({ length: 40 }, (_, i) => {
      const from = ((i * 7) % 20) * MIB;
      return memoryFile(`jumble/${i}`, random.subarray(from, from + 600_000));
    });
    const entries = [memoryFile("large.bin", random), memoryFile("copy.bin", random), ...jumble];
    await startSend(relay, portal, entries, batchSource(entries, engine)).done;
    const sink = new MemorySink();
    const receive = startReceive(relay, portal, engine, sink);
    let peak = 0;
    sink.onWrite = async () => {
      peak = Math.max(peak, receive.packs.size);
    };
    await receive.done;
    await expectArrived(sink, entries);
    expect(peak).toBeLessThanOrEqual(8 + 3 + 3);
    expect(peak).toBeGreaterThan(0);
  }, 120_000);

  it("[MOVE-6] stops while it is paused, at both ends, and goes on", async () => {
    const relay = new FakeRelay();
    const portal = await createPortal();
    const entries = [memoryFile("a", random)];
    const send = startSend(relay, portal, entries, batchSource(entries, engine));
    send.sender.gate.shut();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([...relay.objects.keys()].filter((key) => key.startsWith("pack"))).toEqual([]);
    send.sender.gate.open();
    const sink = new MemorySink();
    const receive = startReceive(relay, portal, engine, sink);
    receive.gate.shut();
    await send.done;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([sink.writes, receive.progress.bytesDone]).toEqual([0, 0]);
    receive.gate.open();
    await receive.done;
    await expectArrived(sink, entries);
  }, 120_000);

  it("[MOVE-26] waits while its owner paused the portal, says so, and goes on", async () => {
    const relay = new FakeRelay();
    const portal = await createPortal();
    const entries = [memoryFile("a", random)];
    await startSend(relay, portal, entries, batchSource(entries, engine)).done;
    const sink = new MemorySink();
    const receive = startReceive(relay, portal, engine, sink);
    const reached = new Promise<void>((resolve) => {
      sink.onWrite = async () => {
        if (sink.writes === 1) relay.setPaused(true);
        resolve();
      };
    });
    await reached;
    const isWaiting = () => {
      followReceive(receive.progress, receive.link, receive.feed.manifest);
      return receive.progress.waitingFor === "owner";
    };
    await expect.poll(isWaiting, { timeout: 10_000 }).toBe(true);
    expect(sink.state).not.toBe("finished");
    relay.setPaused(false);
    await receive.done;
    expect(isWaiting()).toBe(false);
    await expectArrived(sink, entries);
  }, 120_000);

  it("[MOVE-28] whose downloads are limited is given to one receiver for each of them, and to the next when one gives up", async () => {
    const relay = new FakeRelay();
    const portal = await createPortal();
    const entries = [memoryFile("a", random)];
    await startSend(relay, portal, entries, batchSource(entries, engine)).done;
    relay.downloadsLeft = 1;
    const [first, second] = [new MemorySink(), new MemorySink()];
    const holding = new Promise<void>((resolve) => {
      first.onWrite = async () => {
        resolve();
        await new Promise(() => {});
      };
    });
    const held = startReceive(relay, portal, engine, first, undefined, noise(16, "first"));
    await holding;
    const waiting = startReceive(relay, portal, engine, second, undefined, noise(16, "second"));
    const isInTurn = () => {
      followReceive(waiting.progress, waiting.link, waiting.feed.manifest);
      return waiting.progress.waitingFor === "turn";
    };
    await expect.poll(isInTurn, { timeout: 10_000 }).toBe(true);
    await waiting.feed.until(() => waiting.feed.manifest.listed);
    expect([second.writes, waiting.progress.wireBytes]).toEqual([0, 0]);
    held.cancel();
    expect(await codeOf(held.done)).toBe("cancelled");
    relay.claims.clear();
    await waiting.done;
    await expectArrived(second, entries);
    await waiting.complete();
    expect(relay.downloadsLeft).toBe(0);
    const late = startReceive(relay, portal, engine, new MemorySink(), undefined, noise(16, "third"));
    expect(await codeOf(late.done)).toBe("portal/unknown");
  }, 120_000);

  it("[MOVE-7] that is cancelled ends at once: running, paused, or with a sink that takes no more", async () => {
    const relay = new FakeRelay();
    const portal = await createPortal();
    const entries = [memoryFile("a", random), memoryFile("b", text)];
    await startSend(relay, portal, entries, batchSource(entries, engine)).done;
    for (const how of ["running", "paused", "stuck"]) {
      const sink = new MemorySink();
      const receive = startReceive(relay, portal, engine, sink);
      const reached = new Promise<void>((resolve) => {
        sink.onWrite = async () => {
          if (sink.writes < 2) return;
          resolve();
          if (how === "paused") receive.gate.shut();
          if (how === "stuck") await new Promise(() => {});
        };
      });
      await reached;
      receive.cancel();
      expect(await codeOf(receive.done)).toBe("cancelled");
      expect([sink.state, sink.abortCode, sink.files.size]).toEqual(["aborted", "cancelled", 0]);
      const { writes } = sink;
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(sink.writes).toBeLessThanOrEqual(writes + 1);
      expect([sink.state, sink.files.size]).toEqual(["aborted", 0]);
    }
  }, 120_000);

  it("[MOVE-7] whose sender is stopped never looks complete to a receiver", async () => {
    const relay = new FakeRelay();
    const portal = await createPortal();
    const entries = [memoryFile("a", random)];
    const batches = batchSource(entries, engine);
    let given = 0;
    const stopping: BatchSource = {
      next: (codec) => (given++ < 4 ? batches.next(codec) : new Promise(() => {})),
      recycle: (batch) => batches.recycle(batch),
    };
    const send = startSend(relay, portal, entries, stopping);
    const sink = new MemorySink();
    const receive = startReceive(relay, portal, engine, sink);
    await new Promise<void>((resolve) => {
      sink.onWrite = async () => resolve();
    });
    send.link.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([sink.state, sink.files.size, relay.commitment]).toEqual(["begun", 0, null]);
    receive.cancel();
    await codeOf(receive.done);
    expect(sink.state).toBe("aborted");
  }, 120_000);

  it("[MOVE-8] fails with the source's failure, and with nothing committed", async () => {
    for (const code of ["file/unreadable", "file/changed"] as const) {
      const relay = new FakeRelay();
      const portal = await createPortal();
      const bad: SourceFile = {
        ...memoryFile("bad", random),
        read: async (offset, length) => {
          if (offset >= 8 * MIB) throw new Failure(code);
          return new Uint8Array(random.subarray(offset, offset + length));
        },
      };
      const send = startSend(relay, portal, [bad], batchSource([bad], engine));
      expect(await codeOf(send.done)).toBe(code);
      expect(relay.commitment).toBeNull();
    }
  }, 120_000);

  it("[MOVE-8] fails with the relay's final failure, and with the sink's", async () => {
    const relay = new FakeRelay({ fault: () => "refuse" });
    const portal = await createPortal();
    const send = startSend(relay, portal, tree, batchSource(tree, engine));
    expect(await codeOf(send.done)).toBe("object/hash");
    const other = new FakeRelay();
    await startSend(other, portal, tree, batchSource(tree, engine)).done;
    const sink = new MemorySink();
    sink.onWrite = async (path) => {
      if (path === "large.bin") throw new Failure("sink/full");
    };
    expect(await codeOf(startReceive(other, portal, engine, sink).done)).toBe("sink/full");
    expect([sink.state, sink.abortCode, sink.open]).toEqual(["aborted", "sink/full", 0]);
    expect([...sink.files.keys()]).not.toContain("large.bin");
  }, 120_000);

  it("[MOVE-9] counts only what is stored without gaps as sent", async () => {
    const relay = new FakeRelay({
      fault: (_n, direction, { kind, index }) =>
        direction === "put" && kind === "pack" && index === 1 ? "late" : "none",
    });
    const portal = await createPortal();
    const entries = [memoryFile("a", random)];
    const send = startSend(relay, portal, entries, batchSource(entries, engine));
    let last = 0;
    const timer = setInterval(() => {
      const { bytesDone } = send.progress;
      expect(bytesDone).toBeGreaterThanOrEqual(last);
      last = bytesDone;
      const packs = [0, 1, 2, 3, 4, 5].findIndex((index) => !relay.objects.has(`pack ${index}`));
      if (packs >= 0) expect(bytesDone).toBeLessThanOrEqual(packs * SEALED_PACK_BYTES);
    }, 1);
    await send.done;
    clearInterval(timer);
    expect(send.progress.bytesDone).toBe(random.length);
  }, 120_000);
});

/** Refuses every third object that it has not refused before. */
function refuseSome(): RelayOptions["fault"] {
  const refused = new Set<string>();
  return (operation, direction, { kind, index }) => {
    const key = `${direction} ${kind} ${index}`;
    if (operation % 3 !== 0 || refused.has(key)) return "none";
    refused.add(key);
    return "refuse";
  };
}
