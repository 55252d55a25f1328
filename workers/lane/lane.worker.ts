/**
 * One thread of the engine: builds the CPU engine and serves the lane's contract.
 *
 * @module
 */
import { cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import { deferred } from "../../core/edge/deferred.ts";
import { Failure } from "../../core/failure.ts";
import type { SourceEntry, SourceFile } from "../../core/ports/byte-source.ts";
import type { Codec } from "../../core/ports/engine.ts";
import type { CompressedBatch, ScannedBatch } from "../../core/transfer/batch.ts";
import { BatchPool } from "../../core/transfer/batch-pool.ts";
import { compressBatch } from "../../core/transfer/compress.ts";
import { expandRun } from "../../core/transfer/expand.ts";
import { READ_BYTES } from "../../core/transfer/read-ahead.ts";
import { repeatRun } from "../../core/transfer/repeat.ts";
import { SCAN_BEGINNING, type ScanStart, scan } from "../../core/transfer/scan.ts";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";
import { systemClock } from "../../platform/clock.ts";
import { type EngineWish, type LaneEngine, loadLaneEngine, measureEngine } from "../../platform/engine.ts";
import { createSource } from "../../platform/file-source.ts";
import { exposeApi, transferring } from "../rpc.ts";
import type { LaneApi, LaneItem, LaneRun } from "./api.ts";

class Lane implements LaneApi {
  readonly #started = deferred<LaneEngine>();
  readonly #sources: (SourceEntry | SourceFile)[] = [];
  #pool: BatchPool | undefined;
  #batches: AsyncGenerator<ScannedBatch, void, undefined> | undefined;

  async start(wish: EngineWish, onStatus: (status: EngineStatus) => void): Promise<void> {
    this.#started.promise.catch(() => {}); // met by every other call
    try {
      this.#started.resolve(await loadLaneEngine(wish, onStatus));
    } catch (error) {
      this.#started.reject(error);
      throw error;
    }
  }

  measure(): Promise<EngineStatus> {
    return measureEngine();
  }

  async expect(totalBytes: number): Promise<void> {
    (await this.#started.promise).expect(totalBytes);
  }

  async addItems(items: readonly LaneItem[], isLast: boolean): Promise<void> {
    const sources = this.#sources;
    for (const { path, file } of items) sources.push(createSource(path, file));
    if (!isLast) return;
    const totalBytes = sources.reduce((sum, { size }) => sum + size, 0);
    await this.begin(SCAN_BEGINNING, totalBytes);
  }

  async begin(start: ScanStart, totalBytes: number): Promise<void> {
    const { engine, expect } = await this.#started.promise;
    expect(totalBytes);
    this.#pool = new BatchPool(engine.batchBytes);
    this.#batches = scan(this.#sources, engine, cutSizesFor(totalBytes), systemClock, this.#pool, start);
  }

  async repeat(runs: readonly LaneRun[]): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    const { engine } = await this.#started.promise;
    const made: Uint8Array<ArrayBuffer>[] = [];
    for (const { spans, ...run } of runs) {
      // In a lane a span is one of the files that came with the run.
      const sources = spans.map(({ file }) => createSource("", file));
      const flat = spans.flatMap(({ offset, bytes }, i) => [i, offset, bytes]);
      const read = async (i: number, offset: number, bytes: number) => {
        const source = sources[i];
        if (source === undefined || !("read" in source)) throw new Failure("file/absent");
        return source.read(offset, bytes);
      };
      made.push(await repeatRun({ ...run, spans: flat }, engine, read));
    }
    return transferring(
      made,
      made.map(({ buffer }) => buffer),
    );
  }

  async next(codec: Codec, spare: readonly ArrayBuffer[]): Promise<CompressedBatch | undefined> {
    const pool = this.#pool;
    if (this.#batches === undefined || pool === undefined) throw new Error("scan not started");
    for (const buffer of spare) pool.give(buffer);
    const { done, value } = await this.#batches.next();
    if (done) return undefined;
    const batch = await compressBatch(value, codec, (await this.#started.promise).engine, systemClock);
    if (!batch.runs.some((run) => run.bytes.buffer === value.bytes.buffer)) pool.give(value.bytes.buffer);
    return transferring(batch, [batch.chunkHashes.buffer, ...batch.runs.map((run) => run.bytes.buffer)]);
  }

  async expand(
    stored: Uint8Array<ArrayBuffer>,
    codec: Codec,
    ends: Uint32Array<ArrayBuffer>,
    hashes: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const plain = await expandRun((await this.#started.promise).engine, stored, codec, ends, hashes);
    return transferring(plain, [plain.buffer]);
  }

  async hashFile(file: File): Promise<string> {
    const source = createSource("", file);
    if (!("read" in source)) throw new Failure("file/unreadable");
    const hasher = (await this.#started.promise).engine.createFileHasher();
    for (let offset = 0; offset < source.size; offset += READ_BYTES)
      hasher.update(await source.read(offset, Math.min(READ_BYTES, source.size - offset)));
    return Array.from(hasher.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

exposeApi(new Lane());
