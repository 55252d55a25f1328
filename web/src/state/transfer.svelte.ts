/**
 * One transfer as the page sees it: the worker's latest snapshot, a failure, and the three buttons. The snapshot is one
 * raw value that is replaced ten times a second at the most.
 *
 * @module
 */
import { type FailureCode, type FailureDetails, toFailure } from "../../../core/failure.ts";
import type { TransferSnapshot, TransferState } from "../../../core/transfer/snapshot.ts";
import type { TransferApi } from "../../../workers/transfer/api.ts";
import { createTransfer } from "../../../workers/transfer/client.ts";
import { watchDevice } from "../lib/device.ts";
import { rememberFigures } from "../lib/engine-figures.ts";
import { hasEnded } from "../lib/has-ended.ts";
import { Announcer } from "../lib/live-channel.ts";
import type { Direction } from "../sentences.ts";

/** What is shown before the worker has spoken. */
const BLANK: TransferSnapshot = {
  state: "preparing",
  bytesDone: 0,
  bytesTotal: 0,
  entriesDone: 0,
  entriesTotal: 0,
  listed: false,
  engine: { kind: "cpu", gpuStages: [], reason: "not-measured", adapter: null, figures: null },
  path: null,
  carrier: null,
  pathReason: null,
  edges: null,
  bytesPerSecond: 0,
  etaSeconds: null,
  bottleneck: null,
  waitingFor: null,
  waitingCode: null,
  nextTryMs: null,
  wireBytes: 0,
  knownBytes: 0,
  resumable: false,
  failure: null,
  peers: 0,
  expiresAtMs: null,
};

export interface CodedFailure {
  readonly code: FailureCode;
  readonly details: FailureDetails;
}

export class Transfer {
  readonly direction: Direction;
  readonly #worker = createTransfer();
  readonly #announcer: Announcer;
  readonly #unwatchDevice: () => void;
  readonly #onSnapshot: (snapshot: TransferSnapshot) => void;
  #snapshot = $state.raw<TransferSnapshot>(BLANK);
  /** A failure that the worker could not tell in a snapshot, because the call itself was refused. */
  #refusal = $state.raw<CodedFailure | null>(null);
  #startedMs: number | null = null;
  #elapsedSeconds = $state<number | null>(null);
  readonly #failure = $derived(this.#snapshot.failure ?? this.#refusal);
  readonly #state = $derived.by<TransferState>(() => {
    if (this.#refusal === null) return this.#snapshot.state;
    return this.#refusal.code === "cancelled" ? "cancelled" : "failed";
  });

  constructor(direction: Direction, onSnapshot: (snapshot: TransferSnapshot) => void = () => {}) {
    this.direction = direction;
    this.#onSnapshot = onSnapshot;
    this.#announcer = new Announcer(direction, () => void this.api.replan().catch(() => {}));
    // What a browser cannot tell holds nothing up.
    this.#unwatchDevice = watchDevice((device) => void this.api.tellDevice(device).catch(() => {}));
    this.api.subscribe((snapshot) => this.#take(snapshot)).catch(this.refuse);
  }

  get api(): TransferApi {
    return this.#worker;
  }

  get snapshot(): TransferSnapshot {
    return this.#snapshot;
  }

  get state(): TransferState {
    return this.#state;
  }

  /** Null while there is none, and after the user cancelled. */
  get failure(): CodedFailure | null {
    return this.#state === "failed" ? this.#failure : null;
  }

  get hasEnded(): boolean {
    return hasEnded(this.#state);
  }

  /** Seconds from the first byte to the end; null before the end. */
  get elapsedSeconds(): number | null {
    return this.#elapsedSeconds;
  }

  /** Ends the transfer with what a call was refused for, unless the worker has already told a failure of its own. */
  readonly refuse = (error: unknown): void => {
    if (this.#snapshot.failure !== null || this.hasEnded) return;
    const { code, details } = toFailure(error, "worker/crashed");
    this.#refusal = { code, details };
  };

  pause(): void {
    this.api.pause().catch(this.refuse);
  }

  resume(): void {
    this.api.resume().catch(this.refuse);
  }

  cancel(): void {
    this.api.cancel().catch(this.refuse);
  }

  /** Ends the worker. The transfer is not shown any more. */
  [Symbol.dispose](): void {
    this.#unwatchDevice();
    this.#announcer.close();
    this.#worker.terminate();
  }

  #take(snapshot: TransferSnapshot): void {
    const now = performance.now();
    if (snapshot.state === "running") this.#startedMs ??= now;
    if (hasEnded(snapshot.state) && this.#elapsedSeconds === null && this.#startedMs !== null) {
      this.#elapsedSeconds = (now - this.#startedMs) / 1000;
    }
    const { figures } = snapshot.engine;
    if (figures !== null && figures.measuredAtMs !== this.#snapshot.engine.figures?.measuredAtMs)
      rememberFigures(figures);
    this.#snapshot = snapshot;
    this.#announcer.tell(snapshot, now);
    this.#onSnapshot(snapshot);
  }
}
