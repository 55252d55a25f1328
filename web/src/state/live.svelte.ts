/**
 * The transfers that run in any tab of this browser, as the dashboard sees them: what they announced last, and the rates of
 * their edges over the last minute.
 *
 * @module
 */
import { hasEnded } from "../lib/has-ended.ts";
import { type LiveMessage, type LiveTransfer, openLive } from "../lib/live-channel.ts";

/** A transfer that has not been heard of for so long has lost its tab. */
const SILENT_MS = 10_000;
/** How often that is looked at. */
const LOOK_MS = 1_000;
/** Transfers that are shown. */
const MAX_ROWS = 32;
/** How far back rates go. */
export const CHART_MS = 60_000;
/** Samples of one edge, whatever a tab announces. */
const MAX_SAMPLES = 300;

/** One sample of an edge's rate. */
export interface RateSample {
  readonly atMs: number;
  readonly bytesPerSec: number;
}

/** One transfer on the dashboard. */
export interface LiveRow {
  readonly transfer: LiveTransfer;
  /** On this page's clock. */
  readonly heardAtMs: number;
  /** Of each edge, oldest first. */
  readonly rates: ReadonlyMap<number, readonly RateSample[]>;
}

export class LiveTransfers {
  readonly #live = openLive((message) => this.#take(message));
  readonly #timer = setInterval(() => this.#forget(), LOOK_MS);
  #rows = $state.raw<readonly LiveRow[]>([]);

  constructor() {
    this.#live.post({ t: "ask" });
  }

  /** In the order in which they were first heard of. */
  get rows(): readonly LiveRow[] {
    return this.#rows;
  }

  /** Asks a transfer's tab for a new plan. */
  replan(id: string): void {
    this.#live.post({ t: "replan", id });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#live.close();
  }

  #take(message: LiveMessage): void {
    if (message.t === "over") this.#rows = this.#rows.filter(({ transfer }) => transfer.id !== message.id);
    if (message.t !== "transfer") return;
    const { transfer } = message;
    const old = this.#rows.find((row) => row.transfer.id === transfer.id);
    const row = nextRow(transfer, old, performance.now());
    if (old !== undefined) this.#rows = this.#rows.map((one) => (one === old ? row : one));
    else if (this.#rows.length < MAX_ROWS) this.#rows = [...this.#rows, row];
  }

  #forget(): void {
    const nowMs = performance.now();
    const isThere = ({ transfer, heardAtMs }: LiveRow) => hasEnded(transfer.state) || nowMs - heardAtMs < SILENT_MS;
    if (!this.#rows.every(isThere)) this.#rows = this.#rows.filter(isThere);
  }
}

/** Adds what was just announced to what is known. Pure. */
export function nextRow(transfer: LiveTransfer, old: LiveRow | undefined, nowMs: number): LiveRow {
  const rates = new Map<number, readonly RateSample[]>();
  for (const { edge, bytesPerSec } of transfer.edges?.edges ?? []) {
    const before = old?.rates.get(edge) ?? [];
    const samples = hasEnded(transfer.state) && old !== undefined ? before : [...before, { atMs: nowMs, bytesPerSec }];
    rates.set(edge, samples.filter(({ atMs }) => nowMs - atMs <= CHART_MS).slice(-MAX_SAMPLES));
  }
  return { transfer, heardAtMs: nowMs, rates };
}
