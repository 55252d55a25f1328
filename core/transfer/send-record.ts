/**
 * One record of a sender's journal: the manifest's rows since the record before, where the bytes of new runs come from, and
 * what sealed the pack or the page that ends it. All records together are the transfer up to there; a sealed object can be
 * made again from them, byte for byte.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { decodePage, encodePage, type Page } from "../manifest/page.ts";
import { MAX_ENTRIES, MAX_SEALED_PAGE_BYTES, PACK_PAYLOAD_BYTES } from "../units.ts";
import { asArray, asBoolean, asBytes, asFields, asInteger } from "../wire/check.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import type { Spans } from "./batch.ts";

/** A pack that was sealed; its hash is the one in the rows. */
export interface PackSeal {
  readonly final: boolean;
  readonly payloadBytes: number;
  /** Its segments' IVs, one after the other. */
  readonly ivs: Uint8Array;
  /** SHA-256 of the run that goes on behind the pack's end, null where none does: the rest of it must come from the same bytes. */
  readonly tail: Uint8Array | null;
}

/** What is new since the record before, and the sealed object that it ends with. */
export interface SendRecord {
  /** With the manifest's end in the last record. */
  readonly rows: Page;
  /** Of each run in the rows. */
  readonly spans: readonly Spans[];
  /** The pack that ends the record, or null. */
  readonly pack: PackSeal | null;
  /** IV of the page that ends the record and holds all rows since the page before; null where none does. */
  readonly pageIv: Uint8Array | null;
}

const RECORD_VERSION = 2;
/** Numbers of one span. */
const SPAN_NUMBERS = 3;
/** Rows fit a page; spans of as many runs are at most as many bytes again. */
const LIMITS = {
  maxBytes: 8 * MAX_SEALED_PAGE_BYTES,
  malformed: "journal/damaged",
  tooLarge: "journal/damaged",
} as const;
const IV_BYTES = 12;

/** Gives the record's bytes. */
export function encodeSendRecord({ rows, spans, pack, pageIv }: SendRecord): Uint8Array<ArrayBuffer> {
  return encodeCanonical({
    v: RECORD_VERSION,
    r: encodePage(rows),
    s: spans,
    p: pack === null ? null : [pack.final, pack.payloadBytes, pack.ivs, pack.tail],
    g: pageIv,
  });
}

/** @param bytes borrowed. @throws Failure `journal/damaged` */
export function decodeSendRecord(bytes: Uint8Array): SendRecord {
  try {
    const f = asFields(decodeCanonical(bytes, LIMITS), "record");
    asInteger(f["v"], "version", RECORD_VERSION, RECORD_VERSION);
    const rows = decodePage(asBytes(f["r"], "rows"));
    const spans = asArray(f["s"], "spans", rows.runs.length).map(readSpans);
    if (spans.length !== rows.runs.length) throw new Failure("journal/damaged", { what: "spans" });
    const pack = f["p"] === null ? null : readPack(asArray(f["p"], "pack", 4));
    if (rows.packHashes.length !== (pack === null ? 0 : 32)) throw new Failure("journal/damaged", { what: "pack" });
    return { rows, spans, pack, pageIv: f["g"] === null ? null : asBytes(f["g"], "page", IV_BYTES).slice() };
  } catch (cause) {
    throw new Failure("journal/damaged", { what: "record" }, { cause });
  }
}

function readSpans(value: unknown): number[] {
  const flat = asArray(value, "spans", SPAN_NUMBERS * MAX_ENTRIES);
  if (flat.length === 0 || flat.length % SPAN_NUMBERS !== 0) throw new Failure("journal/damaged", { what: "spans" });
  return flat.map((number, i) =>
    asInteger(number, "span", i % SPAN_NUMBERS === 0 ? MAX_ENTRIES - 1 : Number.MAX_SAFE_INTEGER),
  );
}

function readPack([final, payloadBytes, ivs, tail]: readonly unknown[]): PackSeal {
  return {
    final: asBoolean(final, "final"),
    payloadBytes: asInteger(payloadBytes, "payload", PACK_PAYLOAD_BYTES, 1),
    ivs: asBytes(ivs, "ivs").slice(),
    tail: tail === null ? null : asBytes(tail, "tail", 32).slice(),
  };
}
