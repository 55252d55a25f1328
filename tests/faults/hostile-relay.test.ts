/**
 * A relay that lies, garbles, floods and stalls, against the client as it is. Receivers end with the right bytes, with a clear
 * code, or go on waiting until they are told to stop; senders are not kept busy for ever.
 *
 * @module
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../../core/failure.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { KIB, MIB, SEALED_PACK_BYTES } from "../../core/units.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { noise } from "../support/bytes.ts";
import { MemorySink, memoryFile } from "../support/fake-host.ts";
import { FakeRelay } from "../support/fake-relay.ts";
import {
  batchSource,
  createPortal,
  type Portal,
  repeaterOf,
  startReceive,
  startSend,
} from "../support/fake-transfer.ts";
import { loadEngine } from "../support/kernels.ts";
import { MemoryJournal } from "../support/memory-journal.ts";
import { type Behaviour, drive, HostileRelay } from "./fuzz/hostile-relay.ts";
import { usedBytes } from "./fuzz/judge.ts";
import { type Ending, type Loot, receiveCases } from "./fuzz/receive-malice.ts";
import { SEND_CASES } from "./fuzz/send-malice.ts";

vi.setConfig({ testTimeout: 30_000 });

/** What a receive may hold at the worst, by MOVE-5, and what the relay in the test has on its way. */
const MAX_EXTRA_BYTES = 14 * SEALED_PACK_BYTES + 128 * MIB;
const MAX_PACKS_HELD = 14;
/** How often a relay may make its sender read its journal: a few times at once, and then ever more slowly. */
const MAX_READINGS = 12;
const ATTEMPT_MS = 10_000;
/** What one behaviour may leave behind. */
const MAX_KEPT_BYTES = 16 * MIB;

const files = [
  memoryFile("a.bin", noise(5 * MIB, "a")),
  memoryFile("b.bin", noise(300 * KIB, "b")),
  memoryFile("c.bin", noise(4 * MIB, "c")),
];

let engine: Engine;
let portal: Portal;
let honest: FakeRelay;
let loot: Loot;

beforeAll(async () => {
  engine = await loadEngine();
  portal = await createPortal();
  honest = new FakeRelay();
  await startSend(honest, portal, files, batchSource(files, engine)).done;
  const other = new FakeRelay();
  await startSend(other, await createPortal(), files, batchSource(files, engine)).done;
  const of = (kind: string) => [...honest.objects.values()].filter(({ header }) => header.kind === kind);
  const foreign = other.objects.get("pack 0");
  if (foreign === undefined) throw new Error("the other portal is empty");
  loot = { packs: of("pack"), pages: of("page"), foreign };
});

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", onUnhandled);
});
afterEach(() => {
  process.off("unhandledRejection", onUnhandled);
  expect(unhandled).toEqual([]);
});

async function expectRight(sink: MemorySink): Promise<void> {
  for (const file of files) {
    const got = sink.files.get(file.path);
    if (got === undefined) continue;
    expect(Buffer.compare(got, await file.read(0, file.size)), `${file.path} has other bytes`).toBe(0);
  }
}

/** The code of what a transfer ended with; "right" when it ended well. */
function endingOf(error: unknown): Ending {
  if (error === undefined) return "right";
  if (error instanceof Failure) return error.code;
  throw new Error("not a failure", { cause: error });
}

/** Buffers that were in use at the most while `work` ran on the relay's clock, and whether it came to an end by itself. */
async function watched(relay: HostileRelay, work: Promise<void>, stop: () => void) {
  const before = process.memoryUsage().arrayBuffers;
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers - before);
  }, 5);
  const isSettled = await drive(relay.fakeClock, work);
  if (!isSettled) stop();
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  clearInterval(watch);
  // An attempt to connect that was given up ends with its own time.
  await relay.fakeClock.advance(ATTEMPT_MS);
  expect(relay.fakeClock.sleeping, "timers are left").toBe(0);
  const ending = endingOf(error);
  if (!isSettled) expect(ending).toBe("cancelled");
  expect(peakBytes).toBeLessThan(MAX_EXTRA_BYTES);
  return isSettled ? ending : "waits";
}

async function receiveFrom(behaviour: Behaviour, from = honest): Promise<{ ending: Ending; sink: MemorySink }> {
  const relay = new HostileRelay(behaviour, from);
  const sink = new MemorySink();
  const receive = startReceive(relay, portal, engine, sink);
  let peakPacks = 0;
  sink.onWrite = async () => {
    peakPacks = Math.max(peakPacks, receive.packs.size);
  };
  const ending = await watched(relay, receive.done, () => receive.cancel());
  expect(peakPacks).toBeLessThanOrEqual(MAX_PACKS_HELD);
  return { ending, sink };
}

describe("S14: a receiver whose relay", () => {
  const nothing = { header: { kind: "pack", index: 0, final: true, length: 0, hash: new Uint8Array(32) } } as const;
  const empty: SealedObject = { ...nothing, bytes: new Uint8Array(0) };
  const names = receiveCases({ packs: [empty, empty], pages: [empty], foreign: empty });
  it.each(names.map(([what, ending], index) => [what, ending, index] as const))(
    "%s: %s",
    async (_what, ending, index) => {
      const [, , behaviour = () => ({})] = receiveCases(loot)[index] ?? [];
      const before = usedBytes();
      const result = await receiveFrom(behaviour);
      expect(result.ending).toBe(ending);
      await expectRight(result.sink);
      if (ending === "right") expect(result.sink.files.size).toBe(files.length);
      else expect([result.sink.state, result.sink.open]).toEqual(["aborted", 0]);
      result.sink.files.clear();
      expect(usedBytes() - before).toBeLessThan(MAX_KEPT_BYTES);
    },
  );
});

/** A journal that counts how often it is read from its beginning. */
class CountingJournal extends MemoryJournal {
  readings = 0;

  override records(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    this.readings += 1;
    return super.records();
  }
}

describe("S14: a sender whose relay", () => {
  it.each(SEND_CASES)("%s: %s", async (_what, expected, behaviour) => {
    const relay = new HostileRelay(behaviour);
    const journal = new CountingJournal();
    const parts = { journal, repeater: repeaterOf(files, engine), onFailed: () => {} };
    const send = startSend(relay, portal, files, batchSource(files, engine), parts);
    const ending = await watched(relay, send.done, () => send.link.close());
    expect(ending).toBe(expected === "believes" ? "right" : expected);
    expect(journal.readings).toBeLessThanOrEqual(MAX_READINGS);
    if (ending !== "right") return;
    // Whatever the sender was told, a receiver gets what was sent, or learns that it is not there.
    relay.commitment ??= { packs: 3, pages: 1, root: noise(32, "lie") };
    const { ending: received, sink } = await receiveFrom(() => ({}), relay);
    expect(received).toBe(expected === "believes" ? "object/absent" : "right");
    await expectRight(sink);
  });
});
