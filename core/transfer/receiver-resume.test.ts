import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { rounds } from "../../tests/faults/scale.ts";
import { noise, prose } from "../../tests/support/bytes.ts";
import { emptyFolder, memoryFile } from "../../tests/support/fake-host.ts";
import { FakeKeptSink, FakeTarget, Fuse, failingJournal } from "../../tests/support/fake-kept-sink.ts";
import { FakeRelay } from "../../tests/support/fake-relay.ts";
import {
  batchSource,
  createPortal,
  type Portal,
  type RunningReceive,
  readManifest,
  startReceive,
  startSend,
} from "../../tests/support/fake-transfer.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { Failure } from "../failure.ts";
import { packSpans } from "../pack/packer.ts";
import type { SourceEntry, SourceFile } from "../ports/byte-source.ts";
import type { Engine } from "../ports/engine.ts";
import type { Journal } from "../ports/journal.ts";
import { DOWNLOAD_WINDOW_PACKS, MIB } from "../units.ts";

const random = noise(60 * MIB, "resume");

/** Small files that share packs, a file of many packs, a copy of a part of it, and small ones again. */
const tree: readonly (SourceEntry | SourceFile)[] = [
  ...Array.from({ length: 30 }, (_, i) => memoryFile(`small/${i}`, prose(7_000 * i, i))),
  emptyFolder("nothing/here"),
  memoryFile("empty", new Uint8Array(0)),
  memoryFile("large.bin", random.subarray(0, 45 * MIB)),
  memoryFile("copy.bin", random.subarray(5 * MIB, 14 * MIB)),
  ...Array.from({ length: 30 }, (_, i) => memoryFile(`more/${i}`, noise(5_000 * i, i))),
  memoryFile("last.bin", random.subarray(45 * MIB)),
];

let engine: Engine;
let portal: Portal;
let relay: FakeRelay;
/** Packs that the relay gave, in order. */
let given: number[] = [];
beforeAll(async () => {
  engine = await loadEngine();
  portal = await createPortal();
  relay = new FakeRelay({
    fault: (_operation, direction, { kind, index }) => {
      if (direction === "get" && kind === "pack") given.push(index);
      return "none";
    },
  });
  await startSend(relay, portal, tree, batchSource(tree, engine)).done;
}, 60_000);

function receive(sink: FakeKeptSink, journal: Journal, resume: boolean): RunningReceive {
  given = [];
  const onTrouble = () => {};
  return startReceive(relay, portal, engine, sink, { journal, resume, onTrouble });
}

/** Receives until `steps` steps of sink and journal were made, and no further. True when it was killed before its end. */
async function receiveAndKill(target: FakeTarget, steps: number, resume: boolean, isForgetful = false) {
  const fuse = new Fuse(steps);
  const running = receive(new FakeKeptSink(target, fuse, isForgetful), target.journal(fuse), resume);
  await Promise.race([fuse.out, running.done]);
  running.cancel();
  await running.done.catch(() => {});
  return fuse.isOut;
}

async function expectWhole(target: FakeTarget): Promise<void> {
  const files = tree.filter((entry) => "read" in entry);
  expect([...target.placed.keys()].toSorted()).toEqual(files.map(({ path }) => path).toSorted());
  for (const file of files) {
    const bytes = await file.read(0, file.size);
    expect(`${file.path} ${Buffer.compare(target.placed.get(file.path) ?? Buffer.from("absent"), bytes)}`).toBe(
      `${file.path} 0`,
    );
  }
  expect([target.partial.size, [...target.folders]]).toEqual([0, ["nothing/here"]]);
}

/** Packs that hold anything which the sink did not find. */
async function packsNeeded({ found }: FakeKeptSink): Promise<Set<number>> {
  const { manifest, events } = await readManifest(relay, portal);
  const needed = new Set<number>();
  let at = 0;
  for (const event of events) {
    if (event.kind === "end") {
      at = 0;
      continue;
    }
    for (let chunk = event.firstChunk; chunk < event.firstChunk + event.chunks; chunk++) {
      at += manifest.chunkBytes(chunk);
      if (found.placed.has(event.entry) || at <= (found.bytes.get(event.entry) ?? 0)) continue;
      const { start, storedBytes } = manifest.run(manifest.runOf(chunk));
      for (const { pack } of packSpans(start, storedBytes)) needed.add(pack);
    }
  }
  return needed;
}

describe("an interrupted receive", () => {
  it(
    "[MOVE-20] [MOVE-21] goes on after a kill at any step, and again, and fetches no pack that holds only what it has",
    () =>
      fc.assert(
        fc.asyncProperty(fc.nat(420), fc.nat(200), fc.boolean(), async (first, second, isForgetful) => {
          const target = new FakeTarget();
          const before = new Set<number>();
          if (await receiveAndKill(target, 1 + first, false, isForgetful)) {
            for (const pack of given) before.add(pack);
            await receiveAndKill(target, 1 + second, true, isForgetful);
          }
          const sink = new FakeKeptSink(target, new Fuse(), isForgetful);
          await receive(sink, target.journal(), true).done;
          const fetched = [...given];
          await expectWhole(target);
          const needed = await packsNeeded(sink);
          expect(fetched.filter((pack) => !needed.has(pack))).toEqual([]);
          expect(sink.state).toBe("finished");
        }),
        { numRuns: rounds(12, 200) },
      ),
    600_000,
  );

  it("[MOVE-21] fetches no more than its window twice", async () => {
    await receive(new FakeKeptSink(new FakeTarget()), new FakeTarget().journal(), false).done;
    const plain = given.length;
    for (const steps of [90, 140, 200, 260]) {
      const target = new FakeTarget();
      expect(await receiveAndKill(target, steps, false)).toBe(true);
      const first = given.length;
      await receive(new FakeKeptSink(target), target.journal(), true).done;
      await expectWhole(target);
      // Asked for and on their way, and what was written since the last mark.
      expect(first + given.length).toBeLessThanOrEqual(plain + DOWNLOAD_WINDOW_PACKS + 6);
    }
  }, 120_000);

  it("[MOVE-20] receives a file again that someone removed meanwhile, and only that one", async () => {
    const target = new FakeTarget();
    await receiveAndKill(target, 10_000, false);
    await expectWhole(target);
    target.placed.delete("small/20");
    target.placed.delete("copy.bin");
    const sink = new FakeKeptSink(target);
    await receive(sink, target.journal(), true).done;
    await expectWhole(target);
    const needed = await packsNeeded(sink);
    expect([...new Set(given)].toSorted()).toEqual([...needed].toSorted());
    expect(needed.size).toBeLessThan(8);
  }, 120_000);

  it("[MOVE-20] goes on while it is still being sent, after its relay was gone", async () => {
    const shut: (() => void)[] = [];
    const live = new FakeRelay({
      fault: (_operation, direction, { kind, index }) => {
        if (direction === "put" && kind === "pack" && index === 7) for (const each of shut.splice(0)) each();
        return "none";
      },
    });
    const send = startSend(live, portal, tree, batchSource(tree, engine));
    shut.push(() => send.sender.gate.shut());
    const target = new FakeTarget();
    const sink = new FakeKeptSink(target);
    const keep = { journal: target.journal(), onTrouble: () => {} };
    const first = startReceive(live, portal, engine, sink, { ...keep, resume: false });
    while (target.records.length < 10) await new Promise((resolve) => setImmediate(resolve));
    first.cancel(new Failure("relay/unreachable"));
    await expect(first.done).rejects.toMatchObject({ code: "relay/unreachable" });
    expect([sink.state, live.commitment]).toEqual(["suspended", null]);
    const second = startReceive(live, portal, engine, new FakeKeptSink(target), { ...keep, resume: true });
    while (second.progress.bytesDone === 0 || shut.length > 0) await new Promise((resolve) => setImmediate(resolve));
    send.sender.gate.open();
    await Promise.all([send.done, second.done]);
    await expectWhole(target);
    expect(second.progress.bytesDone).toBe(tree.reduce((sum, { size }) => sum + size, 0));
  }, 60_000);

  it("[MOVE-22] keeps the names that it gave, beside what was there before", async () => {
    const target = new FakeTarget();
    target.placed.set("small/3", Buffer.from("mine"));
    target.placed.set("large.bin", Buffer.from("mine too"));
    for (let steps = 20; await receiveAndKill(target, steps, target.records.length > 0); steps += 37);
    expect(target.placed.get("small/3")?.toString()).toBe("mine");
    expect(target.placed.get("large.bin")?.toString()).toBe("mine too");
    for (const path of ["small/3", "large.bin"]) {
      const copy = target.placed.get(`${path} (2)`);
      expect(copy).toBeDefined();
      expect(target.placed.has(`${path} (3)`)).toBe(false);
      if (copy !== undefined) target.placed.set(path, copy);
      target.placed.delete(`${path} (2)`);
    }
    await expectWhole(target);
  }, 120_000);

  it("[MOVE-23] is kept where a later try may go well, and removed where none can", async () => {
    const codes = ["relay/unreachable", "sink/full", "transfer/elsewhere", "portal/expired", "cancelled"] as const;
    for (const code of codes) {
      const sink = new FakeKeptSink(new FakeTarget());
      const target = new FakeTarget();
      const running = receive(sink, target.journal(), false);
      while (target.records.length === 0 && sink.state !== "begun")
        await new Promise((resolve) => setImmediate(resolve));
      running.cancel(new Failure(code));
      await expect(running.done).rejects.toMatchObject({ code });
      const isFinal = code === "portal/expired" || code === "cancelled";
      expect(`${code} ${sink.state}`).toBe(`${code} ${isFinal ? "aborted" : "suspended"}`);
    }
  });

  it("[MOVE-24] whose journal takes nothing more goes on, and says that it cannot be continued", async () => {
    const target = new FakeTarget();
    let told = 0;
    const keep = { journal: failingJournal(target, 2), resume: false, onTrouble: () => void told++ };
    const sink = new FakeKeptSink(target);
    await startReceive(relay, portal, engine, sink, keep).done;
    await expectWhole(target);
    expect([told, sink.state, target.records.length]).toEqual([1, "finished", 2]);
    // Without its journal it is removed when it fails.
    const other = new FakeKeptSink(new FakeTarget());
    const running = startReceive(relay, portal, engine, other, { ...keep, journal: failingJournal(target, 0) });
    while (told === 1) await new Promise((resolve) => setImmediate(resolve));
    running.cancel(new Failure("relay/unreachable"));
    await expect(running.done).rejects.toMatchObject({ code: "relay/unreachable" });
    expect(other.state).toBe("aborted");
  }, 60_000);

  it("[MOVE-25] ends without giving another name when another one took it over", async () => {
    const target = new FakeTarget();
    const journal = failingJournal(target, 3, new Failure("transfer/elsewhere"));
    const sink = new FakeKeptSink(target);
    await expect(receive(sink, journal, false).done).rejects.toMatchObject({ code: "transfer/elsewhere" });
    expect([sink.state, target.placed.size]).toEqual(["suspended", 3]);
  });

  it("[MOVE-24] is not continued from a journal that is damaged", async () => {
    for (const record of [Uint8Array.of(1, 2, 3), Uint8Array.of(0x80)]) {
      const target = new FakeTarget();
      await receiveAndKill(target, 40, false);
      target.records.splice(1, 0, record);
      const sink = new FakeKeptSink(target);
      await expect(receive(sink, target.journal(), true).done).rejects.toMatchObject({ code: "journal/damaged" });
      expect([sink.state, given]).toEqual(["suspended", []]);
    }
  });
});
