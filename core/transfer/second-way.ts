/**
 * When packs come from home in two ways at once: over its link, and by plain requests over TCP beside it (edge/tcp-edge.ts).
 *
 * Only while the link is on WebTransport: what polices or loses UDP leaves TCP alone. The second way is on
 * - while nothing comes over the link, so that the death of UDP costs no more than the moment in which it is noticed; and
 * - where a trial, one for each connection, showed that both together carry clearly more than the link alone. Short transfers
 *   never see one.
 *
 * Pure: it is told what happens, and the time.
 *
 * @module
 */
import type { PackEdge } from "../edge/pack-edge.ts";
import type { RelayEdge } from "../edge/relay-edge.ts";
import type { EdgeUse } from "../orchestrate/edge-watch.ts";

/** The link has carried packs for so long before a trial, … */
const CARRIED_MS = 3_000;
/** … so much work is left then, … */
const LEFT_MS = 5_000;
/** … it lasts so long, … */
const TRIAL_MS = 3_000;
/** … and this much of its end is compared with as much of the time before it. */
const MEASURED_MS = 2_000;
/** Both together must carry so much more than the link did alone. */
const GAIN = 1.15;
/** A link that owes packs and carries nothing for so long, and for so many round trips, is silent. */
const SILENT_MS = 1_000;
const SILENT_ROUND_TRIPS = 4;
/** A link that is silent and owes nothing any more is asked again after this. */
const ASK_AGAIN_MS = 5_000;

/** Who was not asked to look for so long had nothing to see. */
const PAUSE_MS = 500;

/** What is seen of both ways at one moment. */
export interface Seen {
  readonly nowMs: number;
  /** Sealed bytes of packs that each has carried so far. */
  readonly homeBytes: number;
  readonly secondBytes: number;
  /** Home was asked for packs that it holds, and that have not all come. */
  readonly owes: boolean;
  /** Bytes that nobody was asked for yet, as far as is known. */
  readonly leftBytes: number;
}

/** What pages can be had from, too. */
export type PageGiver = Pick<RelayEdge, "getPage">;

/** What it is made of. */
export interface SecondWayParts {
  readonly home: Pick<RelayEdge, "kind" | "isUp" | "rttMs" | "isKeptBack">;
  readonly edge: PackEdge & PageGiver;
  /** The portal counts downloads, after all: everything comes over the link. */
  readonly isCounted: () => boolean;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Of one receive. */
export class SecondWay {
  readonly edge: PackEdge & PageGiver;
  readonly #parts: SecondWayParts;
  #step: "before" | "trial" | "kept" | "dropped" = "before";
  #isHomeSilent = false;
  #use: EdgeUse | undefined = "resting";
  #wasUp = false;
  /** Bytes of both ways over the last MEASURED_MS, oldest first. */
  #samples: Sample[] = [];
  #homeBytes = 0;
  /** Since when the link has always had something to carry. */
  #owesSinceMs: number | undefined;
  /** When bytes last came over the link. */
  #heardMs = Number.NEGATIVE_INFINITY;
  /** Since when a silent link owes nothing. */
  #freeSinceMs: number | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #trialSinceMs = 0;
  #ratePerMs = 0;

  constructor(parts: SecondWayParts) {
    this.#parts = parts;
    this.edge = parts.edge;
  }

  /** How the second way is used now; undefined: like any other edge. */
  get use(): EdgeUse | undefined {
    return this.#use;
  }

  /** The link is connected and nothing comes. */
  get isHomeSilent(): boolean {
    return this.#isHomeSilent;
  }

  /** To be called every 50 ms, and when the link changes. @returns whether anything about either way changed */
  look(seen: Seen): boolean {
    const { home, edge, isCounted } = this.#parts;
    const before = [this.#use, this.#isHomeSilent, edge.isUp === this.#wasUp];
    this.#wasUp = edge.isUp;
    this.#note(seen);
    const mayBe = home.kind === "webtransport" && !isCounted();
    if (!mayBe) this.#restart("before");
    else if (!home.isUp) this.#restart(this.#step === "kept" ? "kept" : "before");
    else {
      this.#listen(seen);
      this.#try(seen);
    }
    if (!mayBe) this.#use = "resting";
    else if (!home.isUp || this.#step === "kept") this.#use = undefined;
    else this.#use = this.#isHomeSilent || this.#step === "trial" ? "trial" : "resting";
    return [this.#use, this.#isHomeSilent, true].some((value, i) => value !== before[i]);
  }

  #note({ nowMs, homeBytes, secondBytes, owes }: Seen): void {
    // Nothing was wanted meanwhile.
    if (nowMs - this.#lookedAtMs > PAUSE_MS) {
      this.#owesSinceMs = undefined;
      this.#samples = [];
    }
    this.#lookedAtMs = nowMs;
    if (homeBytes > this.#homeBytes) this.#heardMs = nowMs;
    this.#homeBytes = homeBytes;
    this.#owesSinceMs = owes ? (this.#owesSinceMs ?? nowMs) : undefined;
    this.#samples.push({ atMs: nowMs, bytes: homeBytes + secondBytes });
    // One that is older than what is measured is kept: it begins there.
    while ((this.#samples[1]?.atMs ?? nowMs) <= nowMs - MEASURED_MS) this.#samples.shift();
  }

  /** The link is another one, or none. */
  #restart(step: "before" | "kept"): void {
    this.#step = step;
    this.#isHomeSilent = false;
    this.#owesSinceMs = undefined;
    this.#heardMs = Number.NEGATIVE_INFINITY;
    this.#samples = [];
  }

  #listen({ nowMs, owes }: Seen): void {
    const { home } = this.#parts;
    const sinceMs = Math.max(this.#heardMs, this.#owesSinceMs ?? nowMs);
    const patienceMs = Math.max(SILENT_MS, SILENT_ROUND_TRIPS * (home.rttMs ?? 0));
    if (!this.#isHomeSilent) {
      // What never carried anything may only be slow to begin.
      this.#isHomeSilent = owes && !home.isKeptBack && Number.isFinite(this.#heardMs) && nowMs - sinceMs >= patienceMs;
      this.#freeSinceMs = undefined;
      return;
    }
    this.#freeSinceMs = owes ? undefined : (this.#freeSinceMs ?? nowMs);
    const isToBeAsked = nowMs - (this.#freeSinceMs ?? nowMs) >= ASK_AGAIN_MS;
    if (nowMs === this.#heardMs || home.isKeptBack || isToBeAsked) this.#isHomeSilent = false;
  }

  #try({ nowMs, leftBytes }: Seen): void {
    // What was measured over a silence says nothing.
    if (this.#isHomeSilent) this.#samples = [];
    const { edge } = this.#parts;
    if (this.#step === "before") {
      const isHeard = nowMs - this.#heardMs < PAUSE_MS && !this.#parts.home.isKeptBack;
      const isCarrying = isHeard && nowMs - (this.#owesSinceMs ?? nowMs) >= CARRIED_MS;
      const ratePerMs = isCarrying && edge.isUp ? this.#measured(nowMs) : undefined;
      if (ratePerMs === undefined || leftBytes < LEFT_MS * ratePerMs) return;
      this.#ratePerMs = ratePerMs;
      this.#trialSinceMs = nowMs;
      this.#step = "trial";
    } else if (this.#step === "trial") {
      if (edge.isUp && nowMs - this.#trialSinceMs < TRIAL_MS) return;
      const ratePerMs = edge.isUp ? this.#measured(nowMs) : undefined;
      this.#step = ratePerMs !== undefined && ratePerMs >= GAIN * this.#ratePerMs ? "kept" : "dropped";
    }
  }

  /** Bytes per ms of both over MEASURED_MS; undefined where nothing was seen for so long, or nothing came. */
  #measured(nowMs: number): number | undefined {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || first.atMs > nowMs - MEASURED_MS) return undefined;
    const bytes = last.bytes - first.bytes;
    return bytes > 0 ? bytes / (last.atMs - first.atMs) : undefined;
  }
}
