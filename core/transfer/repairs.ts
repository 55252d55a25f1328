/**
 * Objects that the relay held and lost while the sender is there: made again from the journal and sent, beside what else
 * goes on.
 *
 * @module
 */
import type { Journal } from "../ports/journal.ts";
import type { ObjectKind } from "../wire/object.ts";
import { type TakeUpHost, takeUp } from "./take-up.ts";

/** How long what was acknowledged may be missing in a state that was told at the same time. */
const SETTLED_MS = 2_000;

/** What was acknowledged without gaps, and when. */
interface Mark {
  readonly ms: number;
  readonly packs: number;
  readonly pages: number;
}

export class Repairs {
  readonly #journal: Journal;
  readonly #host: Omit<TakeUpHost, "isHeld">;
  #wanted = new Set<string>();
  #running: Promise<void> | undefined;
  #marks: Mark[] = [{ ms: Number.NEGATIVE_INFINITY, packs: 0, pages: 0 }];

  constructor(journal: Journal, host: Omit<TakeUpHost, "isHeld">) {
    this.#journal = journal;
    this.#host = host;
  }

  /** Everything below was acknowledged. */
  acknowledged(mark: Mark): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && mark.ms - last.ms < SETTLED_MS / 4) this.#marks.pop();
    this.#marks.push(mark);
  }

  /** Looks for what is missing in ranges that the relay tells of; gives the work on it, if there is any. */
  check(heldPacks: readonly number[], heldPages: readonly number[], nowMs: number): Promise<void> | undefined {
    const settled = this.#marks.findLastIndex(({ ms }) => ms <= nowMs - SETTLED_MS);
    const { packs = 0, pages = 0 } = this.#marks[settled] ?? {};
    this.#marks.splice(0, Math.max(0, settled));
    const lost = [...gaps(heldPacks, packs).map(key("pack")), ...gaps(heldPages, pages).map(key("page"))];
    return lost.length === 0 ? undefined : this.#want(lost);
  }

  /** The relay lost an object. Gives the work on it. @throws Failure as `takeUp` */
  lost(kind: ObjectKind, index: number): Promise<void> {
    return this.#want([key(kind)(index)]);
  }

  #want(keys: readonly string[]): Promise<void> {
    for (const each of keys) this.#wanted.add(each);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted.size > 0) {
      const wanted = this.#wanted;
      this.#wanted = new Set();
      await takeUp(this.#journal, { ...this.#host, isHeld: (kind, index) => !wanted.has(key(kind)(index)) });
    }
  }
}

function key(kind: ObjectKind): (index: number) => string {
  return (index) => `${kind} ${index}`;
}

/** Numbers below `count` that flat ascending ranges leave out. */
function gaps(ranges: readonly number[], count: number): number[] {
  const missing: number[] = [];
  let next = 0;
  for (let i = 0; i <= ranges.length && next < count; i += 2) {
    for (; next < Math.min(count, ranges[i] ?? count); next++) missing.push(next);
    next = Math.max(next, ranges[i + 1] ?? count);
  }
  return missing;
}
