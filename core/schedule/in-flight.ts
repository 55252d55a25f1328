/**
 * The packs under way at each edge: how many it may have, when one takes too long, and how long an edge that fails is left
 * alone.
 *
 * @module
 */
import { assert } from "../failure.ts";
import { costUs } from "./cost.ts";
import type { Wanted } from "./dispatch-queue.ts";
import { type EdgeView, WEIGHT_ONE } from "./model.ts";

/** A pack times out after this many times what it should take, within the bounds below. */
const TIMEOUT_FACTOR = 5;
const TIMEOUT_LEAST_MS = 2_000;
const TIMEOUT_MOST_MS = 30_000;
/** The upper bound on a line so slow that bytes that push the time-out on need longer than that: this part of what a pack should take. */
const TIMEOUT_PART = 1 / 4;
/** Bytes that come sooner push the time-out on, when they are this part of a pack: a byte now and then is no progress. */
const PROGRESS_PART = 1 / 16;
/** An edge that fails is left alone this long, twice as long for each failure in a row, within the bound below. */
const COOL_DOWN_MS = 250;
const COOL_DOWN_MOST_MS = 30_000;
/** Under way at an edge are as many bytes as it carries in this many round trips … */
const WINDOW_ROUND_TRIPS = 1.25;
/** … and these packs. */
const WINDOW_PACKS = 2;
/** A pack of which less than this part is lacking counts as there: sums of bytes are not exact. */
const ALMOST = 1e-6;
/** What has taken this many times what it should is late. */
const LATE_FACTOR = 1.5;
const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;

/** One pack under way at one edge. */
export interface Flight {
  readonly wanted: Wanted;
  readonly edge: number;
  readonly startedMs: number;
  readonly isDuplicate: boolean;
  /** What it should take from its start on. */
  readonly expectedMs: number;
  /** Bytes that have not come. */
  leftBytes: number;
  /** When it times out, … */
  dueMs: number;
  /** … and `leftBytes` when that was last set. */
  leftAtDue: number;
}

/** One edge, as the dispatcher knows it. All times are ms of the caller's clock. */
export class EdgeInFlight {
  readonly edge: number;
  readonly #packBytes: number;
  readonly #timesOut: boolean;
  readonly #flights = new Map<number, Flight>();
  #view: EdgeView;
  #leftBytes = 0;
  /** When bytes last came, or, if that is later, when the edge was first asked since it had nothing to do. */
  #heardMs = Number.NEGATIVE_INFINITY;
  /** True once bytes of a pack were told before it was whole: only then silence says something. */
  #tellsProgress = false;
  #failuresInRow = 0;
  #coolUntilMs = Number.NEGATIVE_INFINITY;
  #isLost = false;
  #isDistrusted = false;

  /** @param timesOut false: what is under way here is given up only by whoever asked for it */
  constructor(edge: number, packBytes: number, view: EdgeView, timesOut = true) {
    this.edge = edge;
    this.#packBytes = packBytes;
    this.#timesOut = timesOut;
    this.#view = checked(view);
  }

  /** Packs under way here, oldest first, by number. */
  get flights(): ReadonlyMap<number, Flight> {
    return this.#flights;
  }

  /** What is known of the edge; setting it also says that the edge is there. */
  get view(): EdgeView {
    return this.#view;
  }

  set view(view: EdgeView) {
    this.#view = checked(view);
    this.#isLost = false;
  }

  /** True where nothing is known against asking this edge, apart from a pause after failures. */
  get isUsable(): boolean {
    return !this.#isLost && !this.#isDistrusted && this.#view.weight > 0;
  }

  /** Marks the edge as gone until its view is set again. */
  lose(): void {
    this.#isLost = true;
    this.#failuresInRow = 0;
    this.#coolUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Marks the edge as one that must never be asked again. */
  distrust(): void {
    this.#isDistrusted = true;
  }

  /** True while the edge is left alone after failures. */
  isCooling(nowMs: number): boolean {
    return nowMs < this.#coolUntilMs;
  }

  /**
   * Packs that may be started now without more bytes waiting here than keep the edge busy. Bytes, not packs: packs that
   * share the edge end together, and the next ones must have been asked for before that.
   */
  room(nowMs: number): number {
    const { bytesPerSec, rttUs } = this.#view;
    const windowBytes = (WINDOW_ROUND_TRIPS * bytesPerSec * rttUs) / US_PER_SECOND + WINDOW_PACKS * this.#packBytes;
    const packs = Math.floor((windowBytes - this.#leftBytes) / this.#packBytes + ALMOST);
    return Math.max(0, Math.min(packs, this.roomAtMost(nowMs)));
  }

  /** Packs that may be started now at the very most. */
  roomAtMost(nowMs: number): number {
    if (!this.isUsable || this.isCooling(nowMs)) return 0;
    return Math.max(0, this.#view.maxActive - this.#flights.size);
  }

  /** Weighted microseconds until the edge is through with what it has. */
  get loadUs(): number {
    return costUs(this.#loaded(this.#view.weight), 0);
  }

  /** Weighted microseconds that one pack more takes. */
  get packUs(): number {
    return Math.max(1, costUs({ ...this.#view, rttUs: 0, backlogBytes: 0 }, this.#packBytes));
  }

  /** Weighted microseconds until a pack that is started now is there. */
  get arrivalUs(): number {
    return costUs(this.#loaded(this.#view.weight), this.#packBytes);
  }

  /** What others have under way here counts too: whichever is more, what is known here or what the view says. */
  #loaded(weight: number): EdgeView {
    return { ...this.#view, weight, backlogBytes: Math.max(this.#view.backlogBytes, this.#leftBytes) };
  }

  /** Puts a pack under way. There must be room. */
  start(wanted: Wanted, isDuplicate: boolean, nowMs: number): Flight {
    assert(this.roomAtMost(nowMs) > 0 && !this.#flights.has(wanted.pack), "there is room for the pack");
    return this.take(wanted, isDuplicate, nowMs);
  }

  /** Counts a pack that is under way, whether there is room or not. @param leftBytes of it that have not come */
  take(wanted: Wanted, isDuplicate: boolean, nowMs: number, leftBytes: number = this.#packBytes): Flight {
    const expectedMs = costUs(this.#loaded(WEIGHT_ONE), this.#packBytes) / US_PER_MS;
    const flight: Flight = {
      wanted,
      edge: this.edge,
      startedMs: nowMs,
      isDuplicate,
      expectedMs,
      leftBytes,
      dueMs: this.#timesOut ? nowMs + timeoutMs(expectedMs) : Number.POSITIVE_INFINITY,
      leftAtDue: leftBytes,
    };
    if (this.#flights.size === 0) this.#heardMs = nowMs;
    this.#flights.set(wanted.pack, flight);
    this.#leftBytes += leftBytes;
    return flight;
  }

  /** Takes a pack off, however it ended; undefined if it is not under way here. */
  end(pack: number): Flight | undefined {
    const flight = this.#flights.get(pack);
    if (flight === undefined) return undefined;
    this.#flights.delete(pack);
    this.#leftBytes -= flight.leftBytes;
    return flight;
  }

  /** Bytes of a pack came. */
  progress(pack: number, bytes: number, nowMs: number): void {
    const flight = this.#flights.get(pack);
    if (flight === undefined) return;
    const came = Math.min(bytes, flight.leftBytes);
    flight.leftBytes -= came;
    this.#leftBytes -= came;
    this.#heardMs = nowMs;
    this.#tellsProgress ||= flight.leftBytes > 0;
    if (flight.leftAtDue - flight.leftBytes < PROGRESS_PART * this.#packBytes) return;
    flight.leftAtDue = flight.leftBytes;
    if (this.#timesOut) flight.dueMs = nowMs + timeoutMs(flight.expectedMs);
  }

  /** True when no byte of any pack has come for far longer than a round trip and a bit of a pack take: nothing more will. */
  isSilent(nowMs: number): boolean {
    if (!this.#tellsProgress || this.#leftBytes < 1) return false;
    const bitMs =
      costUs({ ...this.#view, backlogBytes: 0, weight: WEIGHT_ONE }, PROGRESS_PART * this.#packBytes) / US_PER_MS;
    return nowMs >= this.#heardMs + timeoutMs(bitMs);
  }

  /** A pack arrived whole: the failures before it are forgiven. */
  succeed(): void {
    this.#failuresInRow = 0;
    this.#coolUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** The edge failed a pack: it is left alone for a while. Several within one pause, which began together, count once. */
  fail(nowMs: number): void {
    if (this.isCooling(nowMs)) return;
    this.#coolUntilMs = nowMs + Math.min(COOL_DOWN_MOST_MS, COOL_DOWN_MS * 2 ** this.#failuresInRow);
    this.#failuresInRow += 1;
  }

  /** Milliseconds until a pack under way here is there, or is given up: its part of the edge's rate, or silence for one that is late. */
  remainingMs(flight: Flight, nowMs: number): number {
    const { bytesPerSec, rttUs } = this.#view;
    const bytes = Math.min(this.#leftBytes, flight.leftBytes * this.#flights.size);
    const onTheWayMs = Math.max(0, flight.startedMs + rttUs / US_PER_MS - nowMs);
    const byRateMs = onTheWayMs + (bytes / bytesPerSec) * 1_000;
    const isLate = nowMs > flight.startedMs + LATE_FACTOR * flight.expectedMs;
    return isLate ? Math.max(byRateMs, flight.dueMs - nowMs) : byRateMs;
  }
}

function timeoutMs(expectedMs: number): number {
  const mostMs = Math.max(TIMEOUT_MOST_MS, TIMEOUT_PART * expectedMs);
  return Math.min(mostMs, Math.max(TIMEOUT_LEAST_MS, TIMEOUT_FACTOR * expectedMs));
}

function checked(view: EdgeView): EdgeView {
  assert(view.bytesPerSec > 0 && view.rttUs >= 0 && view.maxActive >= 1 && view.weight >= 0, "an edge's view is sound");
  return view;
}
