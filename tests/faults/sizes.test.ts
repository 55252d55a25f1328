/**
 * Files of every awkward size through the whole of a transfer: scan, packs, seals, manifest, and back.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { SourceFile } from "../../core/ports/byte-source.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { GIB, KIB, MIB, PACK_PAYLOAD_BYTES, SEALED_PACK_BYTES } from "../../core/units.ts";
import { noise } from "../support/bytes.ts";
import { MemorySink, memoryFile } from "../support/fake-host.ts";
import { FakeRelay } from "../support/fake-relay.ts";
import { batchSource, createPortal, startReceive, startSend } from "../support/fake-transfer.ts";
import { loadEngine } from "../support/kernels.ts";
import { ComparingSink, realClock, rememberingZeros, SparseFile } from "./fuzz/large-files.ts";
import { noteFigures } from "./lab/figures.ts";
import { rounds } from "./scale.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

async function transfer(files: readonly SourceFile[]): Promise<MemorySink> {
  const [relay, portal] = [new FakeRelay(), await createPortal()];
  await startSend(relay, portal, files, batchSource(files, engine)).done;
  const sink = new MemorySink();
  await startReceive(relay, portal, engine, sink).done;
  return sink;
}

/** Sealed bytes of a pack without its overhead, were it sealed in one piece. */
const PACK_CONTENT_BYTES = SEALED_PACK_BYTES - 28;
const SIZES = [
  0,
  1,
  16 * KIB,
  64 * KIB,
  256 * KIB,
  PACK_PAYLOAD_BYTES - 1,
  PACK_PAYLOAD_BYTES,
  PACK_PAYLOAD_BYTES + 1,
  PACK_CONTENT_BYTES - 1,
  PACK_CONTENT_BYTES,
  PACK_CONTENT_BYTES + 1,
  2 * PACK_PAYLOAD_BYTES,
];

describe("R22: a file arrives byte for byte", () => {
  it.each(SIZES)("of %i bytes, alone", async (size) => {
    const bytes = noise(size, `size ${size}`);
    const sink = await transfer([memoryFile("f", bytes)]);
    expect(sink.state).toBe("finished");
    expect([...sink.files.keys()]).toEqual(["f"]);
    expect(Buffer.compare(sink.files.get("f") ?? Buffer.of(1), bytes)).toBe(0);
  });

  it("of each of these sizes, all together and one byte apart", async () => {
    const files = SIZES.flatMap((size) => [size, size + 1].map((bytes) => memoryFile(`${bytes}`, noise(bytes, bytes))));
    const unique = [...new Map(files.map((file) => [file.path, file])).values()];
    const sink = await transfer(unique);
    for (const file of unique)
      expect(Buffer.compare(sink.files.get(file.path) ?? Buffer.of(1), await file.read(0, file.size))).toBe(0);
  });

  const count = rounds(5_000, 100_000);
  it(`in a crowd of ${count} small ones`, { timeout: 600_000 }, async () => {
    const pool = noise(MIB, "crowd");
    const bytesOf = (i: number) => pool.subarray((i * 997) % 900_000, ((i * 997) % 900_000) + (i % 700));
    const files = Array.from({ length: count }, (_, i) => memoryFile(`${i % 100}/${i}`, bytesOf(i)));
    const sink = await transfer(files);
    expect(sink.files.size).toBe(count);
    let different = 0;
    for (let i = 0; i < count; i++)
      if (Buffer.compare(sink.files.get(`${i % 100}/${i}`) ?? Buffer.of(1, 2, 3), bytesOf(i)) !== 0) different++;
    expect(different).toBe(0);
  });

  const large = rounds(4, 100);
  it(`of ${large > 5 ? "5 GiB and of " : ""}${large} GiB that are mostly zeros, at places beyond 2^32 too`, {
    timeout: 1_800_000,
  }, async () => {
    const files = [
      new SparseFile("large", large * GIB + 2 * MIB + 3),
      ...(large > 5 ? [new SparseFile("medium", 5 * GIB)] : []),
    ];
    const quick = rememberingZeros(engine);
    const [relay, portal] = [new FakeRelay({ clock: realClock }), await createPortal()];
    const started = performance.now();
    const send = startSend(relay, portal, files, batchSource(files, quick));
    await send.done;
    const sent = performance.now();
    expect(relay.receivedBytes).toBeLessThan(128 * MIB);
    const sink = new ComparingSink(files);
    const receive = startReceive(relay, portal, quick, sink);
    await receive.done;
    noteFigures(`R22 ${large} GiB`, { sendMs: sent - started, receiveMs: performance.now() - sent });
    expect(sink.isFinished).toBe(true);
    expect([...sink.equal]).toEqual(files.map(({ path }) => path));
    expect(receive.progress.bytesDone).toBe(files.reduce((sum, { size }) => sum + size, 0));
  });
});
