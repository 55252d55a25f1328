/**
 * What a page may know of a running transfer: a plain value, taken at most ten times a second.
 *
 * @module
 */
import type { FailureCode, FailureDetails } from "../failure.ts";
import type { EdgesSnapshot } from "./edges-snapshot.ts";

/** Every state, in the order in which a transfer may meet them. */
export const TRANSFER_STATES = ["preparing", "running", "paused", "waiting", "done", "failed", "cancelled"] as const;
/** Where a transfer stands. */
export type TransferState = (typeof TRANSFER_STATES)[number];

/** `tcp` covers the WebSocket and plain HTTP requests; `carrier` tells which. */
export type PathKind = "webtransport" | "tcp";
/** How packs travel, as shown: directly from another browser, or in several ways at once. */
export type ShownPath = PathKind | "peer" | "mixed";
/** How frames and objects travel. */
export type Carrier = "webtransport" | "websocket" | "http";

/** Why a path is in use; the page has a sentence for each. */
export type PathReason =
  | "first-choice"
  | "forced"
  | "webtransport-absent"
  | "webtransport-blocked"
  | "webtransport-not-offered"
  | "webtransport-lost"
  | "tcp-measured-faster"
  | "websocket-blocked"
  | "webtransport-back";

/** Why an engine is in use; the page has a sentence for each. */
export type EngineReason =
  | "forced"
  | "no-webgpu"
  | "software-gpu"
  | "small-input"
  | "not-measured"
  | "measured-faster"
  | "gpu-failed"
  | "gpu-lost"
  | "gpu-wrong";

/** The stages of an engine's work: a sender's, cutting with hashing and LZ4; then a receiver's, LZ4 and hashing. */
export type EngineStage = "cut" | "compress" | "decompress" | "hash";

/** What one engine did when it was measured: millions of plaintext bytes per second. */
export interface EngineSpeeds extends Readonly<Record<EngineStage, number>> {
  /** LZ4 of bytes that another engine cut, so that they have to be moved first; `compress` is of those that it still holds. */
  readonly compressMoved: number;
}

/** Measurements of both engines on one adapter, by one version of the shaders; may be kept and given again. */
export interface EngineFigures {
  readonly version: number;
  readonly adapter: string;
  /** Milliseconds since 1970. */
  readonly measuredAtMs: number;
  readonly cpu: EngineSpeeds;
  /** Null when it did not answer in time. */
  readonly gpu: EngineSpeeds | null;
}

/** Which engine works, and why. */
export interface EngineStatus {
  /** `gpu` where it does any stage. */
  readonly kind: "cpu" | "gpu";
  /** Stages that the GPU does; the CPU does the others. */
  readonly gpuStages: readonly EngineStage[];
  readonly reason: EngineReason;
  /** What the browser tells of the GPU, null when none was opened. */
  readonly adapter: string | null;
  /** Null when nothing was measured. */
  readonly figures: EngineFigures | null;
}

/** The stage that the others wait for. */
export type Bottleneck = "reading" | "engine" | "network" | "writing";

/**
 * What a transfer in state `waiting` waits for: the relay, the sender's next bytes, the owner who paused the portal, a turn
 * where all downloads that are left are running elsewhere, or this side's own rules (`edges.hindrance` says which).
 */
export type WaitingFor = "relay" | "sender" | "owner" | "turn" | "rules";

/** All that a page draws. */
export interface TransferSnapshot {
  readonly state: TransferState;
  /** Plaintext bytes: sent and acknowledged, or verified and written. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Entries finished and known, files and empty folders. */
  readonly entriesDone: number;
  readonly entriesTotal: number;
  /** True when no further entry can appear. */
  readonly listed: boolean;
  readonly engine: EngineStatus;
  readonly path: ShownPath | null;
  readonly carrier: Carrier | null;
  readonly pathReason: PathReason | null;
  /** Plaintext bytes per second over the last seconds. */
  readonly bytesPerSecond: number;
  /** Seconds until done at this rate, null when unknown. */
  readonly etaSeconds: number | null;
  readonly bottleneck: Bottleneck | null;
  readonly waitingFor: WaitingFor | null;
  /** Why it waits for the relay: what the last try failed with. Null while it does not. */
  readonly waitingCode: FailureCode | null;
  /** Milliseconds until the next try while `waiting` for the relay, else null. */
  readonly nextTryMs: number | null;
  /** Sealed bytes that crossed the network in this transfer, repeats included. */
  readonly wireBytes: number;
  /** Plaintext bytes not sent because an equal chunk was sent before. */
  readonly knownBytes: number;
  /** False when nothing is written down to resume from: a streamed download, or a browser that keeps nothing. */
  readonly resumable: boolean;
  readonly failure: { readonly code: FailureCode; readonly details: FailureDetails } | null;
  /** Receivers (for a sender) or senders (for a receiver) connected right now. */
  readonly peers: number;
  /** Milliseconds since 1970, null before the portal exists. */
  readonly expiresAtMs: number | null;
  /** The relays and peers that it uses, and the plan; null before there are any. */
  readonly edges: EdgesSnapshot | null;
}
