/**
 * The decoders that take bytes from strangers or from a disk, each as a target for damaged inputs.
 *
 * @module
 */
import { readObject, readRelayInfo, readState } from "../../../core/edge/http-answer.ts";
import { Manifest } from "../../../core/manifest/manifest.ts";
import { decodePage } from "../../../core/manifest/page.ts";
import type { PortalStateJson } from "../../../core/portal/portal.ts";
import type { Codec, Engine } from "../../../core/ports/engine.ts";
import { formatLink, parseLink } from "../../../core/seal/link.ts";
import { readPast } from "../../../core/transfer/receive-journal.ts";
import { decodeSendRecord, encodeSendRecord } from "../../../core/transfer/send-record.ts";
import { MAX_FRAME_BYTES, MAX_SEALED_PAGE_BYTES, SEALED_PACK_BYTES } from "../../../core/units.ts";
import { encodeCanonical, equalBytes } from "../../../core/wire/codec.ts";
import { decodeClientFrame, decodeRelayFrame, encodeFrame } from "../../../core/wire/frame.ts";
import { FrameReader } from "../../../core/wire/frame-stream.ts";
import { ObjectReader } from "../../../core/wire/object.ts";
import { noise, prose } from "../../support/bytes.ts";
import { compressRun } from "../../support/kernels.ts";
import {
  CLIENT_FRAMES,
  frameStreams,
  JSON_ANSWERS,
  linkTexts,
  objectStreams,
  pageBytes,
  RELAY_FRAMES,
  receiveRecords,
  sendRecords,
  valuesOf,
} from "./corpus.ts";
import { showBytes, type Target } from "./judge.ts";
import { Dice, Mutator, mutateValue } from "./mutate.ts";

type ByteTarget = Target<Uint8Array<ArrayBuffer>>;

/** Bytes damaged as bytes, and every third time as the value that they stand for. */
function canonicalInputs(corpus: readonly Uint8Array[], seed: number): () => Uint8Array<ArrayBuffer> {
  const mutator = new Mutator(corpus, seed);
  const dice = new Dice(seed + 1);
  const values = valuesOf(corpus);
  return () => (dice.below(3) > 0 ? mutator.next() : encodeCanonical(mutateValue(dice.pick(values), dice)));
}

function assertTrue(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

const FRAME_CODES = ["wire/malformed", "wire/too-large"] as const;
const PAGE_CODES = ["manifest/malformed", "manifest/limit"] as const;

export function clientFrames(seed: number): ByteTarget {
  const decode = (bytes: Uint8Array) => decodeClientFrame(encodeFrame(decodeClientFrame(bytes)));
  const next = canonicalInputs(CLIENT_FRAMES.map(encodeFrame), seed);
  return { name: "client frames", next, decode, codes: FRAME_CODES, show: showBytes };
}

export function relayFrames(seed: number): ByteTarget {
  const decode = (bytes: Uint8Array) => decodeRelayFrame(encodeFrame(decodeRelayFrame(bytes)));
  const next = canonicalInputs(RELAY_FRAMES.map(encodeFrame), seed);
  return { name: "relay frames", next, decode, codes: FRAME_CODES, show: showBytes };
}

/** Gives a stream in slices of random lengths. */
function inSlices(bytes: Uint8Array, dice: Dice, push: (slice: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + dice.below(200);
    push(bytes.subarray(at, end));
    at = end;
  }
}

export function frameStream(seed: number): ByteTarget {
  const mutator = new Mutator(frameStreams(), seed);
  const dice = new Dice(seed + 1);
  const decode = (bytes: Uint8Array) => {
    const reader = new FrameReader((frame) => {
      assertTrue(frame.length > 0 && frame.length <= MAX_FRAME_BYTES, "a frame of another length");
      decodeRelayFrame(frame);
    });
    inSlices(bytes, dice, (slice) => reader.push(slice));
  };
  return { name: "frames on a stream", next: () => mutator.next(), decode, codes: FRAME_CODES, show: showBytes };
}

export function objectStream(seed: number): ByteTarget {
  const mutator = new Mutator(objectStreams(), seed);
  const dice = new Dice(seed + 1);
  const target = new Uint8Array(SEALED_PACK_BYTES);
  const decode = (bytes: Uint8Array) => {
    const reader = new ObjectReader({
      begin: ({ kind, length }) => {
        const most = kind === "pack" ? SEALED_PACK_BYTES : MAX_SEALED_PAGE_BYTES;
        assertTrue(length >= 32 && length <= most, "room for another length was asked for");
        return target;
      },
      end: (object) => assertTrue(object.bytes.length === object.header.length, "an object of another length"),
    });
    inSlices(bytes, dice, (slice) => reader.push(slice));
  };
  const codes = ["wire/malformed", "wire/too-large", "object/size"] as const;
  return { name: "objects on a stream", next: () => mutator.next(), decode, codes, show: showBytes };
}

export function manifestPages(seed: number): ByteTarget {
  const next = canonicalInputs(pageBytes(), seed);
  return { name: "manifest pages", next, decode: decodePage, codes: PAGE_CODES, show: showBytes };
}

/** Manifests of two pages, damaged before they were encoded, so that most of them are pages. */
export function manifests(seed: number): Target<readonly Uint8Array<ArrayBuffer>[]> {
  const dice = new Dice(seed);
  const values = valuesOf(pageBytes());
  const orders = [[0, 1], [0, 1], [0, 1], [0], [1], [1, 0], [0, 0, 1], [0, 1, 1]] as const;
  const next = () =>
    dice.pick(orders).map((page) => {
      const value = values[page];
      return encodeCanonical(dice.below(4) > 0 ? mutateValue(value, dice) : value);
    });
  const decode = (pages: readonly Uint8Array[]) => {
    const manifest = new Manifest();
    for (const page of pages) manifest.append(decodePage(page));
    // Whatever was taken can be walked.
    for (let run = 0; run < manifest.runCount; run++) {
      const { firstChunk, chunks, plainBytes } = manifest.run(run);
      assertTrue(manifest.chunkHashes(firstChunk, chunks).length === 32 * chunks, "hashes of a run");
      assertTrue(manifest.bytesBetween(firstChunk, firstChunk + chunks) === plainBytes, "bytes of a run");
    }
    if (manifest.end === null) return;
    for (const [entry] of manifest.entries.entries()) manifest.entryRoot(entry);
    for (let pack = 0; pack < manifest.packCount; pack++) manifest.packHash(pack);
  };
  const codes = [...PAGE_CODES, "path/rejected"] as const;
  return { name: "manifests", next, decode, codes, show: (pages) => pages.map(showBytes).join(" + ") };
}

export function shareLinks(seed: number): Target<string> {
  const mutator = new Mutator(
    linkTexts().map((text) => Buffer.from(text)),
    seed,
  );
  const decode = (text: string) => formatLink(parseLink(text));
  const next = () => Buffer.from(mutator.next()).toString("latin1");
  return { name: "share links", next, decode, codes: ["link/cut", "link/version"], show: JSON.stringify };
}

export function sentRecords(seed: number): ByteTarget {
  const next = canonicalInputs(sendRecords(), seed);
  const decode = (bytes: Uint8Array) => decodeSendRecord(encodeSendRecord(decodeSendRecord(bytes)));
  return { name: "records of a send", next, decode, codes: ["journal/damaged"], show: showBytes };
}

export function receivedRecords(seed: number): ByteTarget {
  const next = canonicalInputs(receiveRecords(), seed);
  const decode = (bytes: Uint8Array<ArrayBuffer>) =>
    readPast({
      append: async () => {},
      records: async function* () {
        yield bytes;
      },
    });
  return { name: "records of a receive", next, decode, codes: ["journal/damaged"], show: showBytes };
}

/** Answers over plain HTTP. */
export function answers(seed: number): Target<unknown> {
  const dice = new Dice(seed);
  const hash = Buffer.from(noise(32, "hash")).toString("base64url");
  const decode = (answer: unknown) => {
    if (dice.below(4) === 0)
      return readAnswer(Buffer.from(JSON.stringify(answer) ?? ""), dice.pick([hash, hash.slice(1), "", "*"]));
    if (dice.below(2) === 0) readRelayInfo(answer);
    else readState((answer ?? {}) as PortalStateJson);
    return undefined;
  };
  const next = () => JSON.parse(JSON.stringify(mutateValue(dice.pick(JSON_ANSWERS), dice)) ?? "null") as unknown;
  const codes = ["relay/foreign", "object/size", "wire/too-large", "wire/malformed"] as const;
  return { name: "answers over plain HTTP", next, decode, codes, show: (answer) => JSON.stringify(answer) };
}

async function readAnswer(body: Buffer, hash: string): Promise<void> {
  const header = (name: string) => (name === "Warp-Final" || name === "Warp-Relay" ? "1" : hash);
  await readObject("page", 0, { status: 200, header, bytes: async () => new Uint8Array(body) }, 1 << 22);
}

interface CompressedInput {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly plainBytes: number;
}

/** Frames of one codec through the engine; what comes out has the length that was promised. */
export async function frames(
  codec: Exclude<Codec, "none">,
  engine: Engine,
  seed: number,
): Promise<Target<CompressedInput>> {
  const plains = [
    prose(700, 1),
    prose(70_000, 2),
    new Uint8Array(66_000),
    Buffer.concat([noise(1500, 3), prose(3000, 4)]),
  ];
  const packed = await Promise.all(plains.map((plain) => compressRun(engine, new Uint8Array(plain), codec)));
  const corpus = packed.filter((frame) => frame !== undefined);
  const mutator = new Mutator(corpus, seed);
  const dice = new Dice(seed + 1);
  const sizes = [...plains.map(({ length }) => length), ...plains.map(({ length }) => length), 0, 1, 65_536, 65_537];
  return {
    name: `${codec} frames`,
    next: () => ({ frame: mutator.next(), plainBytes: dice.pick(sizes) }),
    decode: async ({ frame, plainBytes }) => {
      const plain = await engine.decompress(frame, codec, plainBytes);
      assertTrue(equalBytes(new Uint8Array(plain.length), new Uint8Array(plainBytes)), "bytes of another length");
    },
    codes: ["chunk/mismatch"],
    show: ({ frame, plainBytes }) => `${plainBytes} from ${showBytes(frame)}`,
  };
}
