/**
 * What every sink is put through, as plain data that a browser's thread and the test both understand.
 *
 * @module
 */

export interface CaseEntry {
  readonly kind: "file" | "directory";
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** The path under which it must arrive, when that is not `path`. */
  readonly arrives?: string;
  /** The same, inside an archive. */
  readonly arrivesZipped?: string;
}

export interface SinkCase {
  readonly rule: string;
  readonly entries: readonly CaseEntry[];
  /** False for a sender that is still sending. */
  readonly closed: boolean;
  /** Bytes per write. */
  readonly slice: number;
  /** How it ends: well; aborted in the middle of the last file; aborted when only `finish` was missing. */
  readonly end: "finish" | "abort-in-last-file" | "abort-before-finish";
}

/** One thing that a sink holds in the end. */
export interface Arrived {
  readonly kind: "file" | "directory";
  readonly path: string;
  readonly size: number;
  /** SHA-256, hexadecimal; empty for a folder. */
  readonly hash: string;
}

export interface Outcome {
  /** Code of the failure that the sink's caller got, or null. */
  readonly failure: string | null;
  /** What can be seen in the target, empty folders only as folders; null when nothing can be seen at all. */
  readonly arrived: readonly Arrived[] | null;
  /** What the sink said it renamed. */
  readonly renamed: readonly (readonly [string, string])[];
}

const MTIME_MS = Date.UTC(2020, 5, 15, 12, 30, 20);
const MIB = 1024 * 1024;

export function file(path: string, size: number, arrives?: string): CaseEntry {
  const entry = { kind: "file", path, size, mtimeMs: MTIME_MS } as const;
  return arrives === undefined ? entry : { ...entry, arrives };
}

export function folder(path: string): CaseEntry {
  return { kind: "directory", path, size: 0, mtimeMs: MTIME_MS };
}

/** The bytes of the file at `path`: different for each path, and at each offset under 2^32. */
export function caseBytes(path: string, offset: number, length: number): Uint8Array<ArrayBuffer> {
  let state = 2166136261;
  for (let index = 0; index < path.length; index += 1) state = Math.imul(state ^ path.charCodeAt(index), 16777619);
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    const at = offset + index;
    const mixed = Math.imul(at ^ state ^ (at >>> 11), 2654435761);
    bytes[index] = mixed >>> 24;
  }
  return bytes;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Names that file systems, browsers and readers of archives are known to treat badly. */
const HOSTILE_NAMES: readonly string[] = [
  "CON",
  "nul.txt",
  "COM1.tar.gz",
  "trailing dot.",
  "trailing space ",
  " leading space",
  "-rf",
  "~",
  "%41",
  "100%",
  "#1?.txt",
  'quote".txt',
  "it's (1) [2] {3}.txt",
  "a*b",
  "a|b",
  "<script>alert(1)<",
  "\u202egnp.exe",
  "zero\u200bwidth",
  "\ufeffbom",
  "cafe\u0301",
  "caf\u00e9",
  "CAF\u00c9",
  "\u65e5\u672c\u8a9e\u306e\u540d\u524d.txt",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}.png",
  "\u0627\u0644\u0639\u0631\u0628\u064a\u0629.txt",
  ".hidden",
  "...",
  "desktop.ini",
  "x.lnk",
  "__proto__",
  "constructor",
  "x".repeat(255),
  `${"\u00e9".repeat(125)}.txt`,
];

/** A backslash is mapped everywhere: no target of ours takes it for a letter. */
const HOSTILE: readonly CaseEntry[] = [
  ...HOSTILE_NAMES.map((name, index) => file(name, index)),
  // Readers of archives take it for a drive.
  { ...file("a:b", 3), arrivesZipped: "a%3Ab" },
  file("back\\slash", 7, "back%5Cslash"),
  ...HOSTILE_NAMES.slice(0, 12).map((name, index) => file(`in ${index}/${name}/${name}`, index + 1)),
];

const SIZES = [0, 1, 65_535, 65_536, MIB - 1, MIB, MIB + 1, 5 * MIB + 3];

const MANY = Array.from({ length: 300 }, (_, index) => file(`many/${index % 7}/${index}.txt`, index * 13));

export const SINK_CASES: readonly SinkCase[] = [
  {
    rule: "gives one file as it is",
    entries: [file("one.bin", 3 * MIB + 17)],
    closed: true,
    slice: 64 * 1024,
    end: "finish",
  },
  { rule: "gives one empty file", entries: [file("nothing", 0)], closed: true, slice: 1024, end: "finish" },
  {
    rule: "gives files of every size, written in odd slices",
    entries: SIZES.map((size) => file(`sizes/${size}`, size)),
    closed: true,
    slice: 10_007,
    end: "finish",
  },
  {
    rule: "gives files written in slices above every buffer",
    entries: SIZES.map((size) => file(`sizes/${size}`, size)),
    closed: true,
    slice: 4 * MIB,
    end: "finish",
  },
  {
    rule: "gives empty folders, nested ones too",
    entries: [folder("empty"), folder("a/b/c/d"), file("a/b/x", 5), folder("z \u00fc")],
    closed: true,
    slice: 1024,
    end: "finish",
  },
  { rule: "gives hostile names", entries: HOSTILE, closed: true, slice: 1024, end: "finish" },
  { rule: "gives many small files", entries: MANY, closed: true, slice: 1000, end: "finish" },
  {
    rule: "gives what a sender sends that was not finished when it began",
    entries: [file("live/one", 100_000), folder("live/none"), file("live/two", 0)],
    closed: false,
    slice: 30_000,
    end: "finish",
  },
  {
    rule: "gives files of one path both, the second under a number",
    entries: [file("same.tar.gz", 10), file("same.tar.gz", 20, "same (2).tar.gz")],
    closed: true,
    slice: 1024,
    end: "finish",
  },
  {
    rule: "shows nothing of a small file that was not finished",
    entries: [file("partial.txt", 5000)],
    closed: true,
    slice: 1000,
    end: "abort-in-last-file",
  },
  {
    rule: "shows nothing of a large file that was not finished",
    entries: [file("deep/partial.bin", 6 * MIB)],
    closed: true,
    slice: 256 * 1024,
    end: "abort-in-last-file",
  },
  {
    rule: "shows no incomplete file among finished ones",
    entries: [file("whole.bin", 2 * MIB), file("partial.bin", 6 * MIB)],
    closed: true,
    slice: 256 * 1024,
    end: "abort-in-last-file",
  },
  {
    rule: "shows no incomplete whole when only the end was missing",
    entries: [file("whole.bin", 2 * MIB)],
    closed: true,
    slice: 256 * 1024,
    end: "abort-before-finish",
  },
];
