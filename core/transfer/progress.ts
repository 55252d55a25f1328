/**
 * Counters of a running transfer and the snapshot made of them. Pure: time is given.
 *
 * @module
 */

import type { LinkStatus } from "../edge/steady-link.ts";
import type { Failure } from "../failure.ts";
import type { Bottleneck, EngineStatus, TransferSnapshot, TransferState, WaitingFor } from "./snapshot.ts";

const RATE_WINDOW_MS = 4_000;
const SAMPLE_MS = 100;
/** Half-life of the shares of time that name the bottleneck. */
const SHARE_HALF_LIFE_MS = 2_000;

type Stage = Bottleneck;

export class Progress {
  bytesDone = 0;
  bytesTotal = 0;
  entriesDone = 0;
  entriesTotal = 0;
  listed = false;
  wireBytes = 0;
  knownBytes = 0;
  peers = 0;
  expiresAtMs: number | null = null;
  paused = false;
  waitingFor: WaitingFor | null = null;
  /** A journal is kept from which it can be resumed. */
  resumable = false;
  link: LinkStatus = { carrier: null, reason: null, nextTryAtMs: null, failure: null };
  engine: EngineStatus = { kind: "cpu", reason: "not-measured", adapter: null, figures: null };
  #phase: "preparing" | "running" | "done" | "failed" | "cancelled" = "preparing";
  #failure: Failure | null = null;
  #samples: { ms: number; bytes: number }[] = [];
  readonly #shares: Record<Stage, number> = { reading: 0, engine: 0, network: 0, writing: 0 };
  #decayedAtMs = 0;

  /** True when nothing can change any more. */
  get ended(): boolean {
    return this.#phase === "done" || this.#phase === "failed" || this.#phase === "cancelled";
  }

  run(): void {
    if (this.#phase === "preparing") this.#phase = "running";
  }

  /** Ends the transfer once; later calls change nothing. */
  end(outcome: "done" | "cancelled" | Failure): void {
    if (this.ended) return;
    if (outcome === "done" || outcome === "cancelled") this.#phase = outcome;
    else if (outcome.code === "cancelled") this.#phase = "cancelled";
    else {
      this.#phase = "failed";
      this.#failure = outcome;
    }
  }

  /** Counts bytes that were there before this transfer went on; they say nothing about its rate. */
  foundBytes(bytes: number): void {
    this.bytesDone += bytes;
    for (const sample of this.#samples) sample.bytes += bytes;
  }

  /** Counts time that the transfer waited for a stage. */
  spent(stage: Stage, ms: number, nowMs: number): void {
    const factor = 0.5 ** (Math.max(0, nowMs - this.#decayedAtMs) / SHARE_HALF_LIFE_MS);
    this.#decayedAtMs = nowMs;
    for (const key of Object.keys(this.#shares) as Stage[]) this.#shares[key] *= factor;
    this.#shares[stage] += ms;
  }

  snapshot(nowMs: number): TransferSnapshot {
    this.#sample(nowMs);
    const bytesPerSecond = this.#phase === "running" ? this.#rate() : 0;
    const left = this.bytesTotal - this.bytesDone;
    return {
      state: this.#state(),
      bytesDone: this.bytesDone,
      bytesTotal: this.bytesTotal,
      entriesDone: this.entriesDone,
      entriesTotal: this.entriesTotal,
      listed: this.listed,
      engine: this.engine,
      path: this.link.carrier === null ? null : this.link.carrier === "webtransport" ? "webtransport" : "tcp",
      carrier: this.link.carrier,
      pathReason: this.link.reason,
      bytesPerSecond,
      etaSeconds: bytesPerSecond > 0 && this.listed ? left / bytesPerSecond : null,
      bottleneck: this.#phase === "running" ? this.#bottleneck() : null,
      waitingFor: this.#state() === "waiting" ? this.waitingFor : null,
      waitingCode: this.#state() === "waiting" ? this.link.failure : null,
      nextTryMs: this.link.nextTryAtMs === null ? null : Math.max(0, this.link.nextTryAtMs - nowMs),
      wireBytes: this.wireBytes,
      knownBytes: this.knownBytes,
      resumable: this.resumable,
      failure: this.#failure && { code: this.#failure.code, details: this.#failure.details },
      peers: this.peers,
      expiresAtMs: this.expiresAtMs,
    };
  }

  #state(): TransferState {
    if (this.ended) return this.#phase;
    if (this.paused) return "paused";
    return this.waitingFor === null ? this.#phase : "waiting";
  }

  #sample(nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.ms < SAMPLE_MS) return;
    this.#samples.push({ ms: nowMs, bytes: this.bytesDone });
    while (this.#samples.length > 2 && nowMs - (this.#samples[0]?.ms ?? nowMs) > RATE_WINDOW_MS) this.#samples.shift();
  }

  #rate(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.ms <= first.ms) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.ms - first.ms);
  }

  #bottleneck(): Bottleneck | null {
    let best: Stage | null = null;
    for (const key of Object.keys(this.#shares) as Stage[])
      if (this.#shares[key] > 1 && (best === null || this.#shares[key] > this.#shares[best])) best = key;
    return best;
  }
}
