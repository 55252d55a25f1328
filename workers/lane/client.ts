/**
 * Starts a lane and speaks to it.
 *
 * @module
 */
import type { Codec } from "../../core/ports/engine.ts";
import type { BatchSource, CompressedBatch, Expander } from "../../core/transfer/batch.ts";
import type { ScanStart } from "../../core/transfer/scan.ts";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";
import type { EngineWish } from "../../platform/engine.ts";
import { callback, type RemoteWorker, transferring, wrapWorker } from "../rpc.ts";
import { appScriptUrl } from "../script-url.ts";
import type { LaneApi, LaneItem, LaneRun } from "./api.ts";
import laneUrl from "./lane.worker.ts?worker&url";

/** Lanes that expand runs: one core is left for the network and the page. */
const MAX_LANES = 4;

export class LaneClient implements BatchSource, Expander {
  readonly #worker: RemoteWorker<LaneApi>;
  /** Runs being expanded here, for choosing the least busy lane. */
  busy = 0;
  /** Memory of batches that were sent, on its way back to the lane. */
  readonly #spare: ArrayBuffer[] = [];
  #ahead: Promise<CompressedBatch | undefined> | undefined;

  constructor(wish: EngineWish, onStatus: (status: EngineStatus) => void) {
    this.#worker = wrapWorker<LaneApi>(startLane());
    // What fails here fails every other call too.
    this.#worker.call((api) => api.start(wish, callback(onStatus))).catch(() => {});
  }

  addItems(items: readonly LaneItem[], isLast: boolean): Promise<void> {
    return this.#worker.call((api) => api.addItems(items, isLast));
  }

  begin(start: ScanStart, totalBytes: number): Promise<void> {
    return this.#worker.call((api) => api.begin(start, totalBytes));
  }

  /** So many plaintext bytes are to be expanded. */
  expect(totalBytes: number): void {
    // A lane that cannot start says so when it is to expand something.
    this.#worker.call((api) => api.expect(totalBytes)).catch(() => {});
  }

  repeat(runs: readonly LaneRun[]): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    return this.#worker.call((api) => api.repeat(runs));
  }

  /** Keeps one batch ahead, so that the lane works while the last one is sealed and sent. */
  async next(codec: Codec): Promise<CompressedBatch | undefined> {
    const batch = await (this.#ahead ?? this.#next(codec));
    this.#ahead = batch === undefined ? undefined : this.#next(codec);
    this.#ahead?.catch(() => {}); // met by the next call
    return batch;
  }

  async expand(
    stored: Uint8Array<ArrayBuffer>,
    codec: Codec,
    ends: Uint32Array<ArrayBuffer>,
    hashes: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.busy += 1;
    try {
      const moved = transferring(stored, [stored.buffer]);
      return await this.#worker.call((api) => api.expand(moved, codec, ends, hashes));
    } finally {
      this.busy -= 1;
    }
  }

  hashFile(file: File): Promise<string> {
    return this.#worker.call((api) => api.hashFile(file));
  }

  terminate(): void {
    this.#worker.terminate();
  }

  recycle(batch: CompressedBatch): void {
    for (const buffer of new Set(batch.runs.map((run) => run.bytes.buffer))) this.#spare.push(buffer);
  }

  #next(codec: Codec): Promise<CompressedBatch | undefined> {
    const spare = this.#spare.splice(0);
    return this.#worker.call((api) => api.next(codec, transferring(spare, spare)));
  }
}

/** Measures the engines of this machine in a lane of its own. @throws Failure `engine/failed` */
export async function measureEngine(): Promise<EngineStatus> {
  const worker = wrapWorker<LaneApi>(startLane());
  try {
    return await worker.call((api) => api.measure());
  } finally {
    worker.terminate();
  }
}

function startLane(): Worker {
  return new Worker(appScriptUrl(laneUrl), { type: "module", name: "lane" });
}

/** Lanes that share the expanding of runs. */
export class LanePool implements Expander {
  readonly #lanes: readonly [LaneClient, ...LaneClient[]];
  #isTold = false;

  /** The first lane has the wish, and is alone where the GPU is asked for by name; the others stay on the CPU. */
  constructor(wish: EngineWish, onStatus: (status: EngineStatus) => void) {
    const cores = Math.max(1, Math.min(MAX_LANES, navigator.hardwareConcurrency - 1));
    const others = wish.override === "gpu" ? 0 : cores - 1;
    const onCpu = { ...wish, override: "cpu" } as const;
    this.#lanes = [
      new LaneClient(wish, onStatus),
      ...Array.from({ length: others }, () => new LaneClient(onCpu, () => {})),
    ];
  }

  /** So many plaintext bytes are to be expanded: the first lane may look for a GPU. Only the first call counts. */
  expect(totalBytes: number): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#lanes[0].expect(totalBytes);
  }

  expand(...args: Parameters<Expander["expand"]>): Promise<Uint8Array<ArrayBuffer>> {
    const [first, ...rest] = this.#lanes;
    const lane = rest.reduce((best, next) => (next.busy < best.busy ? next : best), first);
    return lane.expand(...args);
  }

  terminate(): void {
    for (const lane of this.#lanes) lane.terminate();
  }
}
