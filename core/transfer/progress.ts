/**
 * Counters of a running transfer and the snapshot made of them. Pure: time is given.
 *
 * @module
 */

import type { EdgeKind } from "../edge/pack-edge.ts";
import type { LinkStatus } from "../edge/steady-link.ts";
import type { Failure } from "../failure.ts";
import { Eta } from "../orchestrate/eta.ts";
import type { EdgeSnapshot, EdgesSnapshot } from "./edges-snapshot.ts";
import type { Waits } from "./edges-view.ts";
import type {
  Bottleneck,
  Carrier,
  EngineStatus,
  ShownPath,
  TransferSnapshot,
  TransferState,
  WaitingFor,
} from "./snapshot.ts";

/** For so long after something came, a receiver does not wait for its sender: relays may have much that is still to come. */
const COMING_MS = 1_000;
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
  /** What tells of the edges, once there are any. */
  edges: ((waits: Waits) => EdgesSnapshot) | undefined;
  engine: EngineStatus = { kind: "cpu", gpuStages: [], reason: "not-measured", adapter: null, figures: null };
  #phase: "preparing" | "running" | "done" | "failed" | "cancelled" = "preparing";
  #failure: Failure | null = null;
  readonly #eta = new Eta();
  readonly #shares: Record<Stage, number> = { reading: 0, engine: 0, network: 0, writing: 0 };
  #decayedAtMs = 0;
  /** When a pack was last under way to here. */
  #comingAtMs = Number.NEGATIVE_INFINITY;

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
    this.#eta.found(bytes);
  }

  /** Counts time that the transfer waited for a stage. */
  spent(stage: Stage, ms: number, nowMs: number): void {
    const factor = 0.5 ** (Math.max(0, nowMs - this.#decayedAtMs) / SHARE_HALF_LIFE_MS);
    this.#decayedAtMs = nowMs;
    for (const key of Object.keys(this.#shares) as Stage[]) this.#shares[key] *= factor;
    this.#shares[stage] += ms;
  }

  snapshot(nowMs: number): TransferSnapshot {
    const edges = this.edges?.(this.#waits) ?? null;
    const waitingFor = this.#waitsFor(edges, nowMs);
    const state = this.#state(waitingFor);
    // What was measured before a pause says nothing about what comes after it.
    if (state === "paused" || state === "waiting") this.#eta.interrupted();
    this.#eta.done(this.bytesDone, nowMs);
    const bytesPerSecond = this.#phase === "running" ? this.#eta.bytesPerSec(nowMs) : 0;
    const leftMs = this.listed && bytesPerSecond > 0 ? this.#eta.leftMs(this.bytesTotal - this.bytesDone, nowMs) : null;
    return {
      state,
      bytesDone: this.bytesDone,
      bytesTotal: this.bytesTotal,
      entriesDone: this.entriesDone,
      entriesTotal: this.entriesTotal,
      listed: this.listed,
      engine: this.engine,
      path: shownPath(edges?.edges ?? [], this.link.carrier, this.ended),
      carrier: this.link.carrier,
      pathReason: this.link.reason,
      bytesPerSecond,
      etaSeconds: leftMs === null ? null : leftMs / 1000,
      bottleneck: this.#phase === "running" ? this.#bottleneck() : null,
      waitingFor: state === "waiting" ? waitingFor : null,
      waitingCode: state === "waiting" && waitingFor !== "rules" ? this.link.failure : null,
      nextTryMs: this.link.nextTryAtMs === null ? null : Math.max(0, this.link.nextTryAtMs - nowMs),
      wireBytes: this.wireBytes,
      knownBytes: this.knownBytes,
      resumable: this.resumable,
      failure: this.#failure && { code: this.#failure.code, details: this.#failure.details },
      peers: this.peers,
      expiresAtMs: this.expiresAtMs,
      edges,
    };
  }

  /** Shares of the time that was waited for something, 0 to 1. */
  get #waits(): Waits {
    const { reading, engine, network, writing } = this.#shares;
    const all = Math.max(1, reading + engine + network + writing);
    return { disk: (reading + writing) / all, engine: engine / all };
  }

  #waitsFor(edges: EdgesSnapshot | null, nowMs: number): WaitingFor | null {
    if (edges?.edges.some(({ active }) => active > 0) === true) this.#comingAtMs = nowMs;
    const isComing = this.waitingFor === "sender" && nowMs - this.#comingAtMs < COMING_MS;
    const told = isComing ? null : this.waitingFor;
    return told ?? (edges !== null && edges.hindrance !== null ? "rules" : null);
  }

  #state(waitingFor: WaitingFor | null): TransferState {
    if (this.ended) return this.#phase;
    if (this.paused) return "paused";
    return waitingFor === null ? this.#phase : "waiting";
  }

  #bottleneck(): Bottleneck | null {
    let best: Stage | null = null;
    for (const key of Object.keys(this.#shares) as Stage[])
      if (this.#shares[key] > 1 && (best === null || this.#shares[key] > this.#shares[best])) best = key;
    return best;
  }
}

/** What carries something now; where nothing does or it has ended, what did; before it, what is connected. */
function shownPath(edges: readonly EdgeSnapshot[], carrier: Carrier | null, ended: boolean): ShownPath | null {
  const now = edges.filter(({ bytesPerSec }) => !ended && bytesPerSec > 0);
  const used = now.length > 0 ? now : edges.filter(({ packs }) => packs > 0);
  const kinds = new Set(used.flatMap((edge) => kindOfRelay(edge, used) ?? []));
  if (kinds.size > 1) return "mixed";
  const [only = carrier === null ? null : carrier === "webtransport" ? "webtransport" : "tcp"] = kinds;
  return only;
}

/** Of two ways to one relay the first that is connected is shown: its link, and the other one only while nothing comes over that. */
function kindOfRelay(edge: EdgeSnapshot, used: readonly EdgeSnapshot[]): EdgeKind | null {
  const ways = edge.name === "" ? [] : used.filter(({ name }) => name === edge.name);
  return (ways.find(({ standing }) => standing === "up") ?? edge).kind;
}
