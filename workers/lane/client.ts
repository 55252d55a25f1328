/**
 * Starts a lane and speaks to it.
 *
 * @module
 */
import type { Codec } from "../../core/ports/engine.ts";
import type { BatchSource, CompressedBatch, Expander } from "../../core/transfer/batch.ts";
import { type RemoteWorker, transferring, wrapWorker } from "../rpc.ts";
import { appScriptUrl } from "../script-url.ts";
import type { LaneApi, LaneItem } from "./api.ts";
import laneUrl from "./lane.worker.ts?worker&url";

export class LaneClient implements BatchSource, Expander {
  readonly #worker: RemoteWorker<LaneApi>;
  /** Runs being expanded here, for choosing the least busy lane. */
  busy = 0;
  /** Memory of batches that were sent, on its way back to the lane. */
  readonly #spare: ArrayBuffer[] = [];
  #ahead: Promise<CompressedBatch | undefined> | undefined;

  constructor() {
    this.#worker = wrapWorker<LaneApi>(new Worker(appScriptUrl(laneUrl), { type: "module", name: "lane" }));
  }

  prepare(): Promise<void> {
    return this.#worker.call((api) => api.prepare());
  }

  addItems(items: readonly LaneItem[], isLast: boolean): Promise<void> {
    return this.#worker.call((api) => api.addItems(items, isLast));
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

/** Lanes that share the expanding of runs. */
export class LanePool implements Expander {
  readonly #lanes: readonly LaneClient[];

  constructor(size: number) {
    this.#lanes = Array.from({ length: size }, () => new LaneClient());
  }

  expand(...args: Parameters<Expander["expand"]>): Promise<Uint8Array<ArrayBuffer>> {
    const [first, ...rest] = this.#lanes as [LaneClient, ...LaneClient[]];
    const lane = rest.reduce((best, next) => (next.busy < best.busy ? next : best), first);
    return lane.expand(...args);
  }

  terminate(): void {
    for (const lane of this.#lanes) lane.terminate();
  }
}
