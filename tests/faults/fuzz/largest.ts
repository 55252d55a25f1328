/**
 * Inputs as large as a decoder takes, each made to cost as much as it can.
 *
 * @module
 */
import { merkleRoot } from "../../../core/hash/merkle.ts";
import { encodePage, type Page } from "../../../core/manifest/page.ts";
import { MAX_FRAME_BYTES, MAX_SEALED_PAGE_BYTES } from "../../../core/units.ts";
import { encodeCanonical } from "../../../core/wire/codec.ts";
import { noise } from "../../support/bytes.ts";
import { JSON_ANSWERS } from "./corpus.ts";

/** Of what `around` encodes, almost the largest that fits `maxBytes`. */
function fill(maxBytes: number, around: (count: number) => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const each = around(1000).length / 1000;
  for (let count = Math.floor(maxBytes / each); ; count = Math.floor(count * 0.97)) {
    const encoded = around(count);
    if (encoded.length <= maxBytes) return encoded;
  }
}

const empty: Page = {
  entries: [],
  listed: false,
  runs: [],
  chunkHashes: new Uint8Array(0),
  chunkBytes: [],
  events: [],
  packHashes: new Uint8Array(0),
  end: null,
};

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const page = (change: (count: number) => Partial<Page>) =>
  fill(MAX_SEALED_PAGE_BYTES, (count) => encodePage({ ...empty, ...change(count) }));

export function largestPages(): Uint8Array<ArrayBuffer>[] {
  const file = (path: string) => ({ kind: "file" as const, path, size: 0, mtimeMs: 0 });
  const deep = (i: number) => `${i.toString(36)}/`.repeat(63);
  const root = merkleRoot("chunks", new Uint8Array(0));
  const one = noise(32, 1);
  return [
    page((count) => ({ entries: times(count, (i) => file(i.toString(36))) })),
    page((count) => ({ entries: times(count, (i) => file(`${deep(i)}x`)) })),
    page((count) => ({ entries: times(count, () => file("")) })),
    page((count) => ({ runs: times(count, () => ({ codec: "none" as const, storedBytes: 1, chunks: 1 })) })),
    page((count) => ({ chunkBytes: times(count, () => 1) })),
    page((count) => ({
      runs: times(count, () => ({ codec: "none" as const, storedBytes: 1, chunks: 1 })),
      chunkBytes: times(count, () => 1),
      chunkHashes: new Uint8Array(32 * count),
    })),
    page((count) => ({
      entries: [{ ...file("f"), size: count }],
      runs: [{ codec: "none", storedBytes: 1, chunks: 1 }],
      chunkBytes: [1],
      chunkHashes: one,
      events: times(count, () => ({ kind: "extent" as const, entry: 0, firstChunk: 0, chunks: 1 })),
    })),
    page((count) => ({
      entries: times(count, (i) => file(`${i}`)),
      events: times(count, (entry) => ({ kind: "end" as const, entry, root })),
    })),
    page((count) => ({ packHashes: new Uint8Array(32 * count) })),
    fill(MAX_SEALED_PAGE_BYTES, (count) => encodeCanonical(times(count, () => null))),
    fill(MAX_SEALED_PAGE_BYTES, (count) => encodeCanonical(times(count, () => ({ a: {} })))),
    fill(MAX_SEALED_PAGE_BYTES, (count) => encodeCanonical([[[[[[times(count, () => [])]]]]]])),
    fill(MAX_SEALED_PAGE_BYTES, (count) => encodeCanonical("\u6f22".repeat(count))),
  ];
}

export function largestFrames(): Uint8Array<ArrayBuffer>[] {
  const [state] = JSON_ANSWERS as [Record<string, unknown>];
  const { version: _version, ...told } = state;
  const frame = (around: (count: number) => unknown) =>
    fill(MAX_FRAME_BYTES, (count) => encodeCanonical(around(count)));
  const ranges = times(8192, (i) => 3 * i);
  return [
    encodeCanonical({ t: "state", state: { ...told, commitment: null, heldPacks: ranges, heldPages: ranges } }),
    frame((count) => times(count, () => 0)),
    frame((count) => ({ t: "state", state: times(count, () => ({})) })),
    frame((count) => ({ t: "x".repeat(count) })),
    frame((count) => ({ t: "bye", code: new Uint8Array(count) })),
    new Uint8Array(MAX_FRAME_BYTES).fill(0x91),
  ];
}

/** States as JSON. */
export function largestStates(): unknown[] {
  const [state] = JSON_ANSWERS as [object];
  return [
    { ...state, heldPacks: times(500_000, (i) => 2 * i) },
    { ...state, heldPages: times(8192, (i) => 2 * i) },
  ];
}

export function largestLinks(): string[] {
  return ["/p/".repeat(682), "/p/?".repeat(511), `/p/${"A".repeat(22)}#1.${".".repeat(2000)}`, "/p/A#1.".repeat(290)];
}
