/**
 * What two browsers say to each other on a data channel. One message is one frame (canonical MessagePack, as between a client
 * and a relay), or the next slice of an object that was asked for; its first byte tells which.
 *
 * @module
 */
import { MAX_PACKS, WRITE_BYTES } from "../units.ts";
import { asArray, asFields, asInteger, malformed } from "./check.ts";
import { decodeCanonical, encodeCanonical } from "./codec.ts";
import { STREAM_CONTROL, STREAM_OBJECTS } from "./object.ts";

/** Largest frame. */
export const MAX_PEER_FRAME_BYTES = 4096;
/** Bytes before a slice: its mark and the number of the want. */
const SLICE_HEAD_BYTES = 5;
/** Bytes of an object in one message, header included. */
export const MAX_SLICE_BYTES = WRITE_BYTES - SLICE_HEAD_BYTES;
/** Bounds of one `have`: 256 ranges of packs. */
export const MAX_HELD_BOUNDS = 512;
/** Wants are numbered by whoever asks. */
export const MAX_WANT_ID = 2 ** 32 - 1;

/** What a peer says. */
export type PeerFrame =
  /** All packs that can be asked for now: flat pairs `[from, to)`, ascending, not touching. */
  | { t: "have"; packs: readonly number[] }
  /** Asks for a pack under a fresh number, which its slices carry. */
  | { t: "want"; id: number; pack: number }
  | { t: "unwant"; id: number }
  /** Nothing comes, or nothing more. */
  | { t: "absent"; id: number }
  | { t: "ping"; n: number }
  | { t: "pong"; n: number };

/** One message. */
export type PeerMessage =
  | { readonly frame: PeerFrame }
  /** Bytes of the object that was asked for under `id`: header, then sealed bytes. A view of the message. */
  | { readonly id: number; readonly slice: Uint8Array };

const LIMITS = { maxBytes: MAX_PEER_FRAME_BYTES, malformed: "wire/malformed", tooLarge: "wire/too-large" } as const;

/** Gives a whole message. */
export function encodePeerFrame(frame: PeerFrame): Uint8Array<ArrayBuffer> {
  const bytes = encodeCanonical(frame);
  const message = new Uint8Array(1 + bytes.length);
  message[0] = STREAM_CONTROL;
  message.set(bytes, 1);
  return message;
}

/** One message of slices, written again and again. */
export class SliceWriter {
  readonly #message = new Uint8Array(WRITE_BYTES);

  /** @param slice 1 … MAX_SLICE_BYTES bytes, borrowed. Gives a message that is good until the next call. */
  write(id: number, slice: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#message[0] = STREAM_OBJECTS;
    new DataView(this.#message.buffer).setUint32(1, id, true);
    this.#message.set(slice, SLICE_HEAD_BYTES);
    return this.#message.subarray(0, SLICE_HEAD_BYTES + slice.length);
  }
}

/** @param message borrowed. @throws Failure `wire/malformed` | `wire/too-large` */
export function decodePeerMessage(message: Uint8Array): PeerMessage {
  if (message[0] === STREAM_CONTROL) return { frame: decodeFrame(message.subarray(1)) };
  const isSlice = message[0] === STREAM_OBJECTS && message.length > SLICE_HEAD_BYTES && message.length <= WRITE_BYTES;
  if (!isSlice) malformed("message");
  const id = new DataView(message.buffer, message.byteOffset).getUint32(1, true);
  return { id, slice: message.subarray(SLICE_HEAD_BYTES) };
}

function decodeFrame(bytes: Uint8Array): PeerFrame {
  const f = asFields(decodeCanonical(bytes, LIMITS), "frame");
  const frame = readFrame(f);
  if (Object.keys(f).length !== Object.keys(frame).length) malformed("fields");
  return frame;
}

function readFrame(f: Readonly<Record<string, unknown>>): PeerFrame {
  switch (f["t"]) {
    case "have":
      return { t: "have", packs: bounds(f["packs"]) };
    case "want":
      return { t: "want", id: wantId(f), pack: asInteger(f["pack"], "pack", MAX_PACKS - 1) };
    case "unwant":
      return { t: "unwant", id: wantId(f) };
    case "absent":
      return { t: "absent", id: wantId(f) };
    case "ping":
      return { t: "ping", n: asInteger(f["n"], "n") };
    case "pong":
      return { t: "pong", n: asInteger(f["n"], "n") };
    default:
      return malformed("t");
  }
}

function wantId(f: Readonly<Record<string, unknown>>): number {
  return asInteger(f["id"], "id", MAX_WANT_ID);
}

function bounds(value: unknown): number[] {
  const list = asArray(value, "packs", MAX_HELD_BOUNDS);
  if (list.length % 2 !== 0) malformed("packs");
  let last = -1;
  return list.map((entry) => {
    last = asInteger(entry, "packs", MAX_PACKS, last + 1);
    return last;
  });
}
