/**
 * Packs that others nearby will want next, made again out of the files and laid on the shelf from which they can fetch them. It
 * serves who comes late: what the shelf held of a send's beginning has long been pushed off it then.
 *
 * What will be wanted is not guessed from hashes: everybody receives packs in the order of the files, and tells what lies on a
 * shelf of its own, so the next ones are those behind the last of these. Nobody waits for this work, so it keeps to a rate and
 * rests as long as it works; where what was made is not fetched, it stops for a while.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import type { PackShelf } from "../edge/pack-shelf.ts";
import { Failure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import { MIB, SEALED_PACK_BYTES } from "../units.ts";
import type { SealedObject } from "../wire/object.ts";

/** Packs that are laid out, for all receivers together; a small shelf has 16 places. */
export const AHEAD_PACKS = 12;
/** Packs that are made by one reading of the journal. */
const AT_ONCE = 4;
/** What this work may read and seal, on average. */
const AHEAD_BYTES_PER_SEC = 64 * MIB;
/** Of the time that it takes, at the least: the send itself has to go on. */
const REST_FACTOR = 1;
const REST_MS = 50;
/** Outcomes that are looked at, and how many of them must have been of use. */
const JUDGED = 16;
const LEAST_HITS = 4;
/** How long it stops where they were not, and where nothing can be made. */
const IDLE_MS = 30_000;

/** What it works with. */
export interface AheadParts {
  readonly shelf: Pick<PackShelf, "held" | "put" | "favour" | "wasLent">;
  /** Packs that can be made again: those before this one. */
  readonly made: () => number;
  /**
   * Makes packs again, as they were, and gives each on; its bytes are good until `take` returns.
   * @throws Failure `file/…` | `pack/unrepeatable` | `journal/damaged`
   */
  readonly remake: (wanted: ReadonlySet<number>, take: (object: SealedObject) => void) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One send's. */
export class Ahead {
  readonly #parts: AheadParts;
  #receivers: readonly RangeSet[] = [];
  #isRunning = false;
  /** Laid out, and neither fetched nor passed yet. */
  readonly #open = new Set<number>();
  /** True for each that was of use, the last ones. */
  #outcomes: boolean[] = [];

  constructor(parts: AheadParts) {
    this.#parts = parts;
  }

  /** What each of the others holds may have changed. The sets are read only now. */
  look(receivers: readonly RangeSet[]): void {
    this.#receivers = receivers;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { clock, signal, remake, shelf } = this.#parts;
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let wanted = this.#next(); wanted.size > 0 && !signal.aborted; wanted = this.#next()) {
        const startedMs = clock.now();
        await remake(wanted, (object) => shelf.put(object));
        for (const pack of wanted) if (shelf.held.has(pack)) this.#open.add(pack);
        const tookMs = clock.now() - startedMs;
        const dueMs = (wanted.size * SEALED_PACK_BYTES * 1000) / AHEAD_BYTES_PER_SEC;
        await clock.sleep(Math.max(REST_MS, REST_FACTOR * tookMs, dueMs - tookMs), signal);
        if (!this.#isOfUse()) await clock.sleep(IDLE_MS, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      // Relays have them; that files are not what they were is told where it matters.
      if (!(error instanceof Failure)) throw error;
      await clock.sleep(IDLE_MS, signal).catch(() => {});
    } finally {
      this.#isRunning = false;
    }
  }

  /** The packs to make now: the next ones of each receiver that do not lie there. */
  #next(): Set<number> {
    const { shelf, made } = this.#parts;
    const fronts = this.#receivers.map(endOf).filter((end) => end > 0);
    const each = Math.floor(AHEAD_PACKS / Math.max(1, fronts.length));
    const end = made();
    const wanted = new Set<number>();
    for (let step = 0; step < each; step++) {
      for (const front of fronts) if (front + step < end) wanted.add(front + step);
    }
    shelf.favour(wanted);
    return new Set([...wanted].filter((pack) => !shelf.held.has(pack)).slice(0, AT_ONCE));
  }

  /** Judges what was laid out by what became of it. */
  #isOfUse(): boolean {
    const { shelf } = this.#parts;
    const behind = Math.min(...this.#receivers.map(endOf));
    for (const pack of this.#open) {
      const isHit = shelf.wasLent(pack);
      if (!isHit && pack >= behind && shelf.held.has(pack)) continue;
      this.#open.delete(pack);
      this.#outcomes.push(isHit);
    }
    this.#outcomes = this.#outcomes.slice(-JUDGED);
    if (this.#outcomes.length < JUDGED || this.#outcomes.filter(Boolean).length >= LEAST_HITS) return true;
    this.#outcomes = [];
    return false;
  }
}

/** Behind the last pack that somebody holds; 0 for nothing. */
function endOf(held: RangeSet): number {
  return held.toArray().at(-1) ?? 0;
}
