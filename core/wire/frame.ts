/**
 * Control frames between a client and a relay, the same on WebTransport and on a WebSocket. One frame is one canonical
 * MessagePack map whose `t` names it. Sealed bytes never travel in frames: they are objects (wire/object.ts).
 *
 * @module
 */
import { FAILURES, type FailureCode } from "../failure.ts";
import { MAX_FRAME_BYTES, MAX_PACKS, MAX_PAGES } from "../units.ts";
import { asArray, asBoolean, asBytes, asFields, asInteger, asOneOf, type Fields, malformed } from "./check.ts";
import { decodeCanonical, encodeCanonical } from "./codec.ts";
import type { ObjectKind } from "./object.ts";

/** Version of frames, objects, seals and manifest; both ends must speak the same. */
export const PROTOCOL_VERSION = 1;

/** Every phase of a portal's life, in order. */
export const PORTAL_PHASES = ["created", "active", "paused", "expired", "archived"] as const;
/** Where a portal stands. */
export type PortalPhase = (typeof PORTAL_PHASES)[number];

/** What a sender fixed when everything was stored: counts, and the Merkle root over the sealed packs' hashes. */
export interface Commitment {
  readonly packs: number;
  readonly pages: number;
  /** u8[32] */
  readonly root: Uint8Array<ArrayBuffer>;
}

/** What the relay tells of a portal. Ranges are flat pairs `[from, to)` ascending. */
export interface PortalState {
  readonly phase: PortalPhase;
  readonly heldPacks: readonly number[];
  readonly heldPages: readonly number[];
  readonly commitment: Commitment | null;
  /** Links that are sending into this portal right now. */
  readonly senders: number;
  /** Links that are receiving from it right now. */
  readonly receivers: number;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Relay limits that a client keeps to; the relay enforces them. */
export interface LinkLimits {
  /** Bytes of objects sent and not yet acknowledged. */
  readonly windowBytes: number;
  /** Objects asked for and not yet delivered; at least 2, so that pages and packs never wait for each other. */
  readonly maxWants: number;
}

/** What a client says. */
export type ClientFrame =
  | {
      t: "hello";
      v: number;
      portal: Uint8Array;
      role: "send" | "receive";
      token: Uint8Array;
      lease: number;
      takeOver: boolean;
    }
  | { t: "want"; kind: ObjectKind; index: number }
  | { t: "unwant"; kind: ObjectKind; index: number }
  | { t: "commit"; packs: number; pages: number; root: Uint8Array }
  | { t: "claim"; claim: Uint8Array }
  | { t: "complete"; claim: Uint8Array }
  | { t: "signal"; to: number; body: Uint8Array }
  | { t: "ping"; n: number }
  | { t: "bye"; code: number };

/** What a relay says. */
export type RelayFrame =
  | { t: "welcome"; v: number; limits: LinkLimits; lease: number; member: number; state: PortalState }
  | { t: "ack"; kind: ObjectKind; index: number }
  | { t: "refuse"; kind: ObjectKind; index: number; code: number }
  | { t: "state"; state: PortalState }
  | { t: "lost"; kind: ObjectKind; index: number }
  | { t: "claimed"; code: number }
  | { t: "committed" }
  | { t: "completed" }
  | { t: "signal"; from: number; body: Uint8Array }
  | { t: "pong"; n: number }
  | { t: "bye"; code: number };

/** Leases of one portal are numbered from 1; 0 stands for none. */
export const MAX_LEASE = 2 ** 31 - 1;

/** The connections of one portal are numbered from 1; a signal to 0 is for everybody else. */
export const MAX_MEMBER = 2 ** 31 - 1;

/** Sealed bytes of one signal. */
export const MAX_SIGNAL_BYTES = 8192;

/** `bye` without a failure. */
export const BYE_OK = 0;

/** Encodes a frame; the caller delimits it (u32 length on a stream, one message on a WebSocket). */
export function encodeFrame(frame: ClientFrame | RelayFrame): Uint8Array<ArrayBuffer> {
  return encodeCanonical(frame);
}

/** The wire number of a failure code. */
export function wireCode(code: FailureCode): number {
  return FAILURES[code].wire;
}

const LIMITS = { maxBytes: MAX_FRAME_BYTES, malformed: "wire/malformed", tooLarge: "wire/too-large" } as const;
const KINDS = ["pack", "page"] as const;

/** @param bytes borrowed; the frame holds copies. @throws Failure `wire/malformed` | `wire/too-large` */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const f = asFields(decodeCanonical(bytes, LIMITS), "frame");
  switch (f["t"]) {
    case "hello":
      return exact(f, {
        t: "hello",
        v: asInteger(f["v"], "v", 255),
        portal: asBytes(f["portal"], "portal", 16).slice(),
        role: asOneOf(f["role"], ["send", "receive"], "role"),
        token: asBytes(f["token"], "token", 32).slice(),
        lease: asInteger(f["lease"], "lease", MAX_LEASE),
        takeOver: asBoolean(f["takeOver"], "takeOver"),
      });
    case "want":
      return exact(f, { t: "want", ...target(f) });
    case "unwant":
      return exact(f, { t: "unwant", ...target(f) });
    case "commit":
      return exact(f, { t: "commit", ...commitment(f) });
    case "claim":
      return exact(f, { t: "claim", claim: asBytes(f["claim"], "claim", 16).slice() });
    case "complete":
      return exact(f, { t: "complete", claim: asBytes(f["claim"], "claim", 16).slice() });
    case "signal":
      return exact(f, { t: "signal", to: asInteger(f["to"], "to", MAX_MEMBER), body: signalBody(f) });
    case "ping":
      return exact(f, { t: "ping", n: asInteger(f["n"], "n") });
    case "bye":
      return exact(f, { t: "bye", code: asInteger(f["code"], "code", 0xffff) });
    default:
      return malformed("t");
  }
}

/** @param bytes borrowed; the frame holds copies. @throws Failure `wire/malformed` | `wire/too-large` */
export function decodeRelayFrame(bytes: Uint8Array): RelayFrame {
  const f = asFields(decodeCanonical(bytes, LIMITS), "frame");
  switch (f["t"]) {
    case "welcome":
      return exact(f, {
        t: "welcome",
        v: asInteger(f["v"], "v", 255),
        limits: limits(f["limits"]),
        lease: asInteger(f["lease"], "lease", MAX_LEASE),
        member: asInteger(f["member"], "member", MAX_MEMBER, 1),
        state: checkState(f["state"]),
      });
    case "ack":
      return exact(f, { t: "ack", ...target(f) });
    case "refuse":
      return exact(f, { t: "refuse", ...target(f), code: asInteger(f["code"], "code", 0xffff) });
    case "state":
      return exact(f, { t: "state", state: checkState(f["state"]) });
    case "lost":
      return exact(f, { t: "lost", ...target(f) });
    case "claimed":
      return exact(f, { t: "claimed", code: asInteger(f["code"], "code", 0xffff) });
    case "committed":
      return exact(f, { t: "committed" });
    case "completed":
      return exact(f, { t: "completed" });
    case "signal":
      return exact(f, { t: "signal", from: asInteger(f["from"], "from", MAX_MEMBER, 1), body: signalBody(f) });
    case "pong":
      return exact(f, { t: "pong", n: asInteger(f["n"], "n") });
    case "bye":
      return exact(f, { t: "bye", code: asInteger(f["code"], "code", 0xffff) });
    default:
      return malformed("t");
  }
}

/** Refuses fields that the frame does not have: an unknown field is a version error, never ignored. */
function exact<T extends object>(fields: Fields, frame: T): T {
  if (Object.keys(fields).length !== Object.keys(frame).length) malformed("fields");
  return frame;
}

function target(f: Fields): { kind: ObjectKind; index: number } {
  const kind = asOneOf(f["kind"], KINDS, "kind");
  return { kind, index: asInteger(f["index"], "index", (kind === "pack" ? MAX_PACKS : MAX_PAGES) - 1) };
}

function signalBody(f: Fields): Uint8Array {
  const body = asBytes(f["body"], "body");
  if (body.length === 0 || body.length > MAX_SIGNAL_BYTES) malformed("body");
  return body.slice();
}

function commitment(f: Fields): Commitment {
  return {
    packs: asInteger(f["packs"], "packs", MAX_PACKS),
    pages: asInteger(f["pages"], "pages", MAX_PAGES, 1),
    root: asBytes(f["root"], "root", 32).slice(),
  };
}

function limits(value: unknown): LinkLimits {
  const f = asFields(value, "limits");
  return exact(f, {
    windowBytes: asInteger(f["windowBytes"], "windowBytes", 2 ** 31),
    maxWants: asInteger(f["maxWants"], "maxWants", 1024, 2),
  });
}

/** Checks a PortalState that came from outside; its root is a byte string. @throws Failure `wire/malformed` */
export function checkState(value: unknown): PortalState {
  const f = asFields(value, "state");
  return exact(f, {
    phase: asOneOf(f["phase"], PORTAL_PHASES, "phase"),
    heldPacks: ranges(f["heldPacks"], "heldPacks", MAX_PACKS),
    heldPages: ranges(f["heldPages"], "heldPages", MAX_PAGES),
    commitment: f["commitment"] === null ? null : exactCommitment(f["commitment"]),
    senders: asInteger(f["senders"], "senders", 0xffff),
    receivers: asInteger(f["receivers"], "receivers", 0xffff),
    expiresAtMs: asInteger(f["expiresAtMs"], "expiresAtMs"),
  });
}

function exactCommitment(value: unknown): Commitment {
  const f = asFields(value, "commitment");
  return exact(f, commitment(f));
}

/** Flat ascending pairs that do not touch; a state frame carries at most 4,096 ranges, the HTTP interface has the rest. */
function ranges(value: unknown, what: string, max: number): number[] {
  const list = asArray(value, what, 8192);
  if (list.length % 2 !== 0) malformed(what);
  let last = -1;
  return list.map((entry) => {
    last = asInteger(entry, what, max, last + 1);
    return last;
  });
}
