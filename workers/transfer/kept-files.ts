/**
 * The files of an interrupted send as they were chosen again: found by path, refused where they are not what they were, and
 * read once more where the relay lost something.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import type { Repeater, RunSource } from "../../core/transfer/batch.ts";
import { createSource } from "../../platform/file-source.ts";
import type { LaneItem, LaneRun, LaneSpan } from "../lane/api.ts";
import { LaneClient } from "../lane/client.ts";
import type { SendItem } from "./api.ts";

export class KeptFiles implements Repeater {
  readonly #entries: readonly Entry[];
  readonly #items = new Map<string, SendItem>();
  readonly #lanes = new Map<"cpu" | "gpu", LaneClient>();

  /** @param entries borrowed; as the journal lists them */
  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  add(items: readonly SendItem[]): void {
    for (const item of items) this.#items.set(item.path, item);
  }

  /**
   * What a lane scans from the entry `first` on; those before it are stand-ins.
   * @throws Failure `file/absent` | `file/changed`
   */
  laneItems(first: number): LaneItem[] {
    return this.#entries.map((entry, i) => (i < first ? { path: entry.path, file: null } : this.#find(i)));
  }

  async repeat(runs: readonly RunSource[], engine: "cpu" | "gpu"): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    if (runs.length === 0) return [];
    return this.#lane(engine).repeat(runs.map((run): LaneRun => ({ ...run, spans: this.#spans(run) })));
  }

  terminate(): void {
    for (const lane of this.#lanes.values()) lane.terminate();
    this.#lanes.clear();
  }

  #spans({ spans }: RunSource): LaneSpan[] {
    return Array.from({ length: spans.length / 3 }, (_, i) => {
      const entry = spans[3 * i] ?? 0;
      const { file } = this.#find(entry);
      if (file === null) throw new Failure("file/absent", { entry });
      return { file, offset: spans[3 * i + 1] ?? 0, bytes: spans[3 * i + 2] ?? 0 };
    });
  }

  #find(index: number): LaneItem {
    const entry = this.#entries[index];
    if (entry === undefined) throw new Failure("journal/damaged", { what: "entry" });
    if (entry.kind === "directory") return { path: entry.path, file: null };
    const file = this.#items.get(entry.path)?.file ?? null;
    if (file === null) throw new Failure("file/absent", { entry: index });
    const { size, mtimeMs } = createSource(entry.path, file);
    if (size !== entry.size || mtimeMs !== entry.mtimeMs) throw new Failure("file/changed", { entry: index });
    return { path: entry.path, file };
  }

  /** Repairs are rare: their lanes start when they are needed, beside the one that scans. */
  #lane(engine: "cpu" | "gpu"): LaneClient {
    const known = this.#lanes.get(engine);
    if (known !== undefined) return known;
    const lane = new LaneClient({ work: "send", override: engine, figures: null }, () => {});
    this.#lanes.set(engine, lane);
    return lane;
  }
}
