/**
 * Simpler ways to spread packs over edges, to compare the dispatcher with: they try again elsewhere what fails, and know
 * nothing of rates.
 *
 * @module
 */
import type { RangeSet } from "../../../core/chunk/range-set.ts";
import type { Orders, Start } from "../../../core/schedule/dispatch-orders.ts";
import { Dispatcher } from "../../../core/schedule/dispatcher.ts";
import type { EdgeView } from "../../../core/schedule/model.ts";
import { sequence } from "../fake-effort.ts";
import type { Policy, Scheduler } from "./scheduler.ts";

/** Packs under way at an edge. */
const WINDOW = 4;
const TIMEOUT_MS = 30_000;

interface State {
  readonly views: (EdgeView | undefined)[];
  readonly held: (RangeSet | undefined)[];
  /** Edges that may be asked. */
  readonly live: Set<number>;
  /** Edges that hold a pack and may be asked. */
  holders(pack: number): number[];
  /** The next of a sequence of random numbers. */
  random(): number;
}

/** Chooses an edge for a pack when it is first wanted or has failed; it waits for that edge. */
type Choice = (pack: number, holders: readonly number[], state: State) => number;

/** The next holder in turn. */
const inTurn = (): Choice => {
  let last = -1;
  return (_pack, holders) => {
    last = holders.find((edge) => edge > last) ?? holders[0] ?? -1;
    return last;
  };
};
const atRandom = (): Choice => (_pack, holders, state) => holders[state.random() % holders.length] ?? -1;
const theFastest = (): Choice => (_pack, holders, state) => {
  const rate = (edge: number): number => state.views[edge]?.bytesPerSec ?? 0;
  const all = [...state.live].reduce((best, edge) => (rate(edge) > rate(best) ? edge : best), holders[0] ?? -1);
  return holders.includes(all) ? all : holders.reduce((best, edge) => (rate(edge) > rate(best) ? edge : best), -1);
};

/** The dispatcher, and what it is compared with. */
export const POLICIES: Readonly<Record<string, Policy>> = {
  dispatcher: (options) => new Dispatcher(options),
  "round-robin": (options) => new FixedWindows(options, inTurn()),
  random: (options) => new FixedWindows(options, atRandom()),
  "rarest first, fixed windows": (options) => new FixedWindows(options, undefined),
  "single best edge": (options) => new FixedWindows(options, theFastest()),
};

/** Each pack waits for its chosen edge; without a choice, each edge with room takes the rarest pack that it holds. */
class FixedWindows implements Scheduler {
  readonly #choose: Choice | undefined;
  readonly #state: State;
  /** Wanted packs and the edge that each waits for, in order. */
  readonly #waiting = new Map<number, number>();
  readonly #underWay: Map<number, number>[];
  #cancel: { pack: number; edge: number }[] = [];

  constructor({ edges, seed }: Parameters<Policy>[0], choose: Choice | undefined) {
    const random = sequence(seed | 1);
    this.#choose = choose;
    this.#underWay = edges.map(() => new Map());
    const live = new Set(edges.keys());
    const held: (RangeSet | undefined)[] = edges.map(() => undefined);
    const holders = (pack: number): number[] => [...live].filter((edge) => held[edge]?.has(pack) === true);
    this.#state = { views: [...edges], held, live, holders, random };
  }

  want(pack: number): void {
    this.#waiting.set(pack, -1);
  }

  holders(edge: number, held: RangeSet): void {
    this.#state.held[edge] = held;
  }

  setEdge(edge: number, view: EdgeView): void {
    this.#state.views[edge] = view;
    this.#state.live.add(edge);
  }

  edgeLost(edge: number): void {
    this.#state.live.delete(edge);
    for (const pack of this.#underWay[edge]?.keys() ?? []) this.#waiting.set(pack, -1);
    this.#underWay[edge]?.clear();
    for (const [pack, at] of this.#waiting) if (at === edge) this.#waiting.set(pack, -1);
  }

  distrust(edge: number): void {
    for (const pack of this.#underWay[edge]?.keys() ?? []) this.#cancel.push({ pack, edge });
    this.edgeLost(edge);
    this.#state.held[edge] = undefined;
  }

  progress(pack: number, edge: number, _bytes: number, nowMs: number): void {
    if (this.#underWay[edge]?.has(pack)) this.#underWay[edge].set(pack, nowMs);
  }

  arrived(pack: number, edge: number): boolean {
    return this.#underWay[edge]?.delete(pack) === true;
  }

  failed(pack: number, edge: number): void {
    if (this.#underWay[edge]?.delete(pack) === true) this.#waiting.set(pack, -1);
  }

  tick(nowMs: number): Orders {
    for (const [edge, packs] of this.#underWay.entries()) {
      for (const [pack, sinceMs] of packs) {
        if (nowMs - sinceMs < TIMEOUT_MS) continue;
        packs.delete(pack);
        this.#waiting.set(pack, -1);
        this.#cancel.push({ pack, edge });
      }
    }
    return this.fill(nowMs);
  }

  fill(nowMs: number): Orders {
    const start: Start[] = [];
    const begin = (pack: number, edge: number): void => {
      this.#waiting.delete(pack);
      this.#underWay[edge]?.set(pack, nowMs);
      start.push({ pack, edge, isDuplicate: false });
    };
    if (this.#choose === undefined) this.#takeRarest(begin);
    else this.#takeChosen(this.#choose, begin);
    const cancel = this.#cancel;
    this.#cancel = [];
    return { cancel, start };
  }

  #room(edge: number): boolean {
    const most = Math.min(WINDOW, this.#state.views[edge]?.maxActive ?? 0);
    return this.#state.live.has(edge) && (this.#underWay[edge]?.size ?? 0) < most;
  }

  #takeChosen(choose: Choice, begin: (pack: number, edge: number) => void): void {
    for (const [pack, at] of this.#waiting) {
      let edge = at;
      if (edge === -1) {
        const holders = this.#state.holders(pack);
        edge = holders.length === 0 ? -1 : choose(pack, holders, this.#state);
        this.#waiting.set(pack, edge);
      }
      if (this.#room(edge)) begin(pack, edge);
    }
  }

  #takeRarest(begin: (pack: number, edge: number) => void): void {
    const open = this.#underWay.flatMap((_, edge) => (this.#room(edge) ? [edge] : []));
    if (open.length === 0) return;
    const rarest = [...this.#waiting.keys()].map((pack) => ({ pack, holders: this.#state.holders(pack) }));
    rarest.sort((a, b) => a.holders.length - b.holders.length || a.pack - b.pack);
    for (const { pack, holders } of rarest) {
      const edge = holders.find((each) => this.#room(each));
      if (edge !== undefined) begin(pack, edge);
    }
  }
}
