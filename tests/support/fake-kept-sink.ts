/**
 * A target in memory that outlives the receives into it, a sink over it that can be killed between any two of its steps,
 * and a journal that is killed with it.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import type { Journal } from "../../core/ports/journal.ts";
import type {
  EntryPlace,
  FileWriter,
  ResumableSink,
  SinkFound,
  SinkLog,
  SinkPast,
  SinkPlan,
} from "../../core/ports/sink.ts";

/** Burns down step by step; when it is out, nothing happens any more and nothing resolves. */
export class Fuse {
  #left: number;
  #onOut: () => void = () => {};
  readonly out = new Promise<void>((resolve) => {
    this.#onOut = resolve;
  });

  constructor(steps = Number.POSITIVE_INFINITY) {
    this.#left = steps;
  }

  get isOut(): boolean {
    return this.#left <= 0;
  }

  async step(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#left -= 1;
    if (!this.isOut) return;
    this.#onOut();
    await new Promise(() => {});
  }
}

/** What is on the disk. */
export class FakeTarget {
  readonly records: Uint8Array<ArrayBuffer>[] = [];
  readonly placed = new Map<string, Buffer>();
  readonly partial = new Map<number, Buffer>();
  readonly folders = new Set<string>();

  journal(fuse = new Fuse()): Journal {
    const { records } = this;
    return {
      append: async (record) => {
        await fuse.step();
        records.push(record.slice());
        await fuse.step();
      },
      records: async function* () {
        for (const record of records) yield record.slice();
      },
    };
  }
}

/** Twins of a name get a number, as in a folder; `isForgetful` keeps no bytes of an open file. */
export class FakeKeptSink implements ResumableSink {
  readonly kind = "directory";
  readonly #target: FakeTarget;
  readonly #fuse: Fuse;
  readonly #isForgetful: boolean;
  #log: SinkLog | undefined;
  #open: { readonly number: number; bytes: number } | undefined;
  state: "idle" | "begun" | "finished" | "aborted" | "suspended" = "idle";
  found: SinkFound = { placed: new Set(), bytes: new Map() };

  constructor(target: FakeTarget, fuse = new Fuse(), isForgetful = false) {
    this.#target = target;
    this.#fuse = fuse;
    this.#isForgetful = isForgetful;
  }

  async begin(_plan: SinkPlan, log?: SinkLog): Promise<void> {
    this.#log = log;
    this.#target.partial.clear();
    this.state = "begun";
  }

  async resume({ entries }: SinkPlan, past: SinkPast, log: SinkLog): Promise<SinkFound> {
    this.#log = log;
    this.state = "begun";
    const path = (number: number) => past.paths.get(number) ?? entries[number]?.path ?? "";
    const placed = new Set([...past.placed].filter((number) => this.#target.placed.has(path(number))));
    const bytes = new Map<number, number>();
    for (const [number, { length }] of this.#target.partial) {
      const durable = past.placed.has(number) ? length : (past.bytes.get(number) ?? 0);
      if (!placed.has(number) && durable > 0 && length >= durable) bytes.set(number, durable);
    }
    this.found = { placed, bytes };
    return this.found;
  }

  async createDirectory(entry: Entry): Promise<void> {
    await this.#fuse.step();
    this.#target.folders.add(entry.path);
  }

  async openFile(entry: Entry, place?: EntryPlace): Promise<FileWriter> {
    if (place === undefined) throw new Error("no place was told");
    const { number, bytes } = place;
    const { partial } = this.#target;
    const slices = [(partial.get(number) ?? Buffer.alloc(0)).subarray(0, bytes)];
    if (slices[0]?.length !== bytes) throw new Error("bytes were asked for that are not there");
    const open = { number, bytes };
    this.#open = open;
    return {
      write: async (given) => {
        const taken = structuredClone(given, { transfer: [given.buffer] });
        await this.#fuse.step();
        slices.push(Buffer.from(taken));
        open.bytes += taken.length;
        if (!this.#isForgetful) partial.set(number, Buffer.concat(slices));
      },
      close: async () => {
        partial.set(number, Buffer.concat(slices));
        const path = freeName(entry.path, this.#target.placed);
        await this.#log?.placing(number, path === entry.path ? null : path);
        await this.#fuse.step();
        this.#target.placed.set(path, partial.get(number) ?? Buffer.alloc(0));
        partial.delete(number);
        this.#open = undefined;
      },
      abort: async () => {
        partial.delete(number);
      },
    };
  }

  async flush(): Promise<number> {
    await this.#fuse.step();
    return this.#isForgetful ? 0 : (this.#open?.bytes ?? 0);
  }

  async finish(): Promise<void> {
    if (this.#target.partial.size > 0) throw new Error("something is left");
    this.state = "finished";
  }

  async abort(): Promise<void> {
    this.state = "aborted";
  }

  async suspend(): Promise<void> {
    this.state = "suspended";
  }
}

/** A journal that takes `records` records and then nothing more. */
export function failingJournal(target: FakeTarget, records: number, failure = new Failure("journal/damaged")): Journal {
  const journal = target.journal();
  return {
    append: (record) => (target.records.length < records ? journal.append(record) : Promise.reject(failure)),
    records: () => journal.records(),
  };
}

function freeName(path: string, taken: ReadonlyMap<string, unknown>): string {
  let name = path;
  for (let number = 2; taken.has(name); number += 1) name = `${path} (${number})`;
  return name;
}
