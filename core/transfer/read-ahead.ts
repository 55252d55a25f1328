/**
 * Reads a list of files in slices, in order, with a bounded number of bytes read ahead.
 *
 * @module
 */
import type { SourceEntry, SourceFile } from "../ports/byte-source.ts";
import { MIB } from "../units.ts";

/** Bytes of one read. */
export const READ_BYTES = 4 * MIB;
/** Bytes that may be read and not yet used, beyond the slice in use. */
const READ_AHEAD_BYTES = 8 * MIB;
/** Reads under way at once; small files are latency-bound. */
const READS_AHEAD = 64;

/** Consecutive bytes of one entry; given. */
export interface Slice {
  readonly entry: number;
  /** Empty for a folder and for an empty file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** True for the last slice of its entry. */
  readonly final: boolean;
}

interface Pending {
  readonly entry: number;
  readonly length: number;
  readonly final: boolean;
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * @param first index of the entry to begin with
 * @throws what `SourceFile.read` throws, in the place of that slice
 */
export async function* readAhead(
  entries: readonly (SourceEntry | SourceFile)[],
  first = 0,
): AsyncGenerator<Slice, void, undefined> {
  const plan = planReads(entries, first);
  const queue: Pending[] = [];
  let queuedBytes = 0;
  for (let more = true; more || queue.length > 0; ) {
    while (more && queue.length < READS_AHEAD && queuedBytes < READ_AHEAD_BYTES) {
      const next = plan.next();
      more = !next.done;
      if (next.done) break;
      queue.push(next.value);
      queuedBytes += next.value.length;
    }
    const head = queue.shift();
    if (head === undefined) return;
    queuedBytes -= head.length;
    yield { entry: head.entry, bytes: await head.bytes, final: head.final };
  }
}

function* planReads(
  entries: readonly (SourceEntry | SourceFile)[],
  first: number,
): Generator<Pending, void, undefined> {
  for (const [entry, source] of entries.entries()) {
    if (entry < first) continue;
    if (!("read" in source) || source.size === 0) {
      yield { entry, length: 0, final: true, bytes: Promise.resolve(new Uint8Array(0)) };
      continue;
    }
    for (let offset = 0; offset < source.size; offset += READ_BYTES) {
      const length = Math.min(READ_BYTES, source.size - offset);
      const bytes = source.read(offset, length);
      bytes.catch(() => {}); // awaited later, in order
      yield { entry, length, final: offset + length === source.size, bytes };
    }
  }
}
