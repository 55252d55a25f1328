/**
 * Valid inputs of every decoder, small enough that millions of damaged copies are decoded in a minute.
 *
 * @module
 */
import { MerkleBuilder, merkleRoot } from "../../../core/hash/merkle.ts";
import { encodePage, type Page } from "../../../core/manifest/page.ts";
import { formatLink } from "../../../core/seal/link.ts";
import { encodeSendRecord } from "../../../core/transfer/send-record.ts";
import { MIB } from "../../../core/units.ts";
import { decodeCanonical, encodeCanonical } from "../../../core/wire/codec.ts";
import { type ClientFrame, encodeFrame, type PortalState, type RelayFrame } from "../../../core/wire/frame.ts";
import { delimit } from "../../../core/wire/frame-stream.ts";
import { encodeHeader } from "../../../core/wire/object.ts";
import { noise } from "../../support/bytes.ts";

const root = noise(32, "root");
const commitment = { packs: 3, pages: 2, root };

const STATE: PortalState = {
  phase: "active",
  heldPacks: [0, 2, 5, 1000],
  heldPages: [0, 1],
  commitment,
  senders: 1,
  receivers: 2,
  expiresAtMs: 1_900_000_000_000,
};

export const CLIENT_FRAMES: readonly ClientFrame[] = [
  { t: "hello", v: 1, portal: noise(16, "p"), role: "send", token: root, lease: 3, takeOver: false },
  { t: "hello", v: 1, portal: noise(16, "p"), role: "receive", token: root, lease: 0, takeOver: true },
  { t: "want", kind: "pack", index: 70_000 },
  { t: "unwant", kind: "page", index: 0 },
  { t: "commit", ...commitment },
  { t: "complete", claim: noise(16, "claim") },
  { t: "signal", to: 0, body: noise(60, "signal") },
  { t: "ping", n: 2 ** 40 },
  { t: "bye", code: 0 },
];

export const RELAY_FRAMES: readonly RelayFrame[] = [
  { t: "welcome", v: 1, limits: { windowBytes: 32 * MIB, maxWants: 64 }, lease: 1, member: 7, state: STATE },
  { t: "ack", kind: "pack", index: 3 },
  { t: "refuse", kind: "page", index: 300, code: 21 },
  { t: "state", state: { ...STATE, commitment: null } },
  { t: "lost", kind: "pack", index: 65_536 },
  { t: "committed" },
  { t: "completed" },
  { t: "signal", from: 2 ** 31 - 1, body: noise(60, "signal") },
  { t: "pong", n: 0 },
  { t: "bye", code: 15 },
];

/** Several frames behind each other, as on a control stream. */
export function frameStreams(): Uint8Array[] {
  const frames = RELAY_FRAMES.map((frame) => delimit(encodeFrame(frame)));
  return [Buffer.concat(frames), Buffer.concat(frames.slice(1, 4)), frames[0] as Uint8Array];
}

/** Objects behind each other, and headers alone. */
export function objectStreams(): Uint8Array[] {
  const object = (kind: "pack" | "page", index: number, length: number, final = true) =>
    Buffer.concat([encodeHeader({ kind, index, final, length, hash: root }), noise(Math.min(length, 300), index)]);
  return [
    Buffer.concat([object("page", 0, 40), object("page", 1, 32, false), object("pack", 2, 200)]),
    object("pack", 0, 4 * MIB, false),
    object("pack", 2 ** 20 - 1, 32),
    object("page", 7, 256 * 1024),
  ];
}

const chunkHashes = noise(96, "chunks");
const packHashes = noise(32, "pack");

/** A manifest of one file, one folder and one repetition, whole and in two pages. */
export function pages(): Page[] {
  const tree = new MerkleBuilder("packs");
  tree.append(packHashes);
  const first: Page = {
    entries: [
      { kind: "file", path: "a/b.txt", size: 300, mtimeMs: 1_700_000_000_000 },
      { kind: "directory", path: "empty", size: 0, mtimeMs: 0 },
      { kind: "file", path: "ü/漢", size: 600, mtimeMs: 0 },
    ],
    listed: true,
    runs: [
      { codec: "none", storedBytes: 300, chunks: 2 },
      { codec: "lz4", storedBytes: 200, chunks: 1 },
    ],
    chunkHashes,
    chunkBytes: [100, 200, 300],
    events: [
      { kind: "extent", entry: 0, firstChunk: 0, chunks: 2 },
      { kind: "end", entry: 0, root: merkleRoot("chunks", chunkHashes.subarray(0, 64)) },
      { kind: "end", entry: 1, root: null },
    ],
    packHashes: new Uint8Array(0),
    end: null,
  };
  const second: Page = {
    entries: [],
    listed: true,
    runs: [],
    chunkHashes: new Uint8Array(0),
    chunkBytes: [],
    events: [
      { kind: "extent", entry: 2, firstChunk: 2, chunks: 1 },
      { kind: "extent", entry: 2, firstChunk: 0, chunks: 2 },
      { kind: "end", entry: 2, root },
    ],
    packHashes,
    end: { packs: 1, runs: 2, chunks: 3, entries: 3, packRoot: tree.root() },
  };
  return [first, second];
}

export function pageBytes(): Uint8Array[] {
  return pages().map(encodePage);
}

export function sendRecords(): Uint8Array[] {
  const [first, second] = pages() as [Page, Page];
  const ivs = noise(96, "ivs");
  return [
    encodeSendRecord({
      rows: first,
      spans: [
        [0, 0, 300],
        [2, 0, 200, 2, 200, 100],
      ],
      pack: null,
      pageIv: ivs.slice(0, 12),
    }),
    encodeSendRecord({
      rows: second,
      spans: [],
      pack: { final: true, payloadBytes: 500, ivs, tail: null },
      pageIv: null,
    }),
  ];
}

/** Records of a receive, as core/transfer/receive-journal.ts writes them. */
export function receiveRecords(): Uint8Array[] {
  return [
    encodeCanonical({ v: 1, p: [0, 3], r: [3, "a (2).txt"], f: ["a", "a_"], b: [1, 70_000] }),
    encodeCanonical({ v: 1, p: [], r: [], f: [], b: [1, 2 ** 40, 2, 7] }),
  ];
}

/** Plain data that was encoded canonically. */
export function valuesOf(encoded: readonly Uint8Array[]): unknown[] {
  const limits = { maxBytes: MIB, malformed: "wire/malformed", tooLarge: "wire/too-large" } as const;
  return encoded.map((bytes) => decodeCanonical(bytes, limits));
}

export function linkTexts(): string[] {
  const link = (seed: string) => formatLink({ portal: noise(16, seed), secret: noise(32, `${seed} secret`) });
  return [
    `https://warp.example${link("a")}`,
    link("b"),
    `http://localhost:8080${link("c").replace("#", "?path=tcp#")}`,
  ];
}

/** Answers of a relay over plain HTTP, as JSON. */
export const JSON_ANSWERS: readonly unknown[] = [
  { ...STATE, commitment: { packs: 3, pages: 2, root: Buffer.from(root).toString("base64url") }, version: 9 },
  { ...STATE, commitment: null, version: 0 },
  {
    version: 1,
    name: "warp-portal",
    webtransport: { url: "https://localhost:1", certificateHashes: ["AAAA"], certificateExpiresAtMs: 5 },
    webtransportReason: null,
    limits: { maxPortalBytes: 1, maxExpirySeconds: 2, defaultExpirySeconds: 3 },
    creation: { invite: false, workBits: 0 },
    relays: { origins: ["https://b.example", "http://127.0.0.1:8081"], mode: "striped" },
  },
];
