/**
 * How long the dispatcher takes for one tick, and for the packs that are started after one arrival, with ten thousand packs
 * under way at a hundred edges and as many again waiting.
 *
 * @module
 */
import { RangeSet } from "../../core/chunk/range-set.ts";
import { Dispatcher } from "../../core/schedule/dispatcher.ts";
import { type EdgeView, WEIGHT_ONE } from "../../core/schedule/model.ts";
import { MIB } from "../../core/units.ts";

const EDGES = 100;
const PER_EDGE = 100;
const WAITING = 10_000;
const PACK_BYTES = 4 * MIB;
const TICK_MS = 50;
const WARM_UP = 100;

/** Milliseconds of real time. */
export interface TickSample {
  readonly what: string;
  /** Packs under way during it. */
  readonly active: number;
  readonly tickMs: { readonly median: number; readonly p99: number };
  readonly fillMs: { readonly median: number; readonly p99: number };
}

/** A tick with 200 arrivals before it and new rates for all edges, and a fill after one arrival; after a warm-up of 100 each. */
export function measureTicks(ticks = 1_000): TickSample[] {
  const everything = rangesOf([[0, 10 * WAITING + 1_000 * ticks]]);
  return [
    measure("one class", ticks, false, () => everything),
    measure("one class, each pack with its deadline", ticks, true, () => everything),
    measure("a thousand ranges of holders", ticks, false, (edge) => scattered(edge, 1_000 * ticks)),
  ];
}

function measure(what: string, ticks: number, inOrder: boolean, held: (edge: number) => RangeSet): TickSample {
  const views = Array.from({ length: EDGES }, (_, edge) => viewOf(edge, 0));
  const dispatcher = new Dispatcher({ edges: views, packBytes: PACK_BYTES, seed: 1 });
  for (let edge = 0; edge < EDGES; edge++) dispatcher.holders(edge, held(edge));
  let next = 0;
  const want = (): void => {
    dispatcher.want(next, inOrder ? { deadlineMs: next } : {});
    next += 1;
  };
  while (next < EDGES * PER_EDGE + WAITING) want();
  let underWay: { readonly pack: number; readonly edge: number }[] = [];
  for (let calls = 0; calls < 200; calls++) underWay.push(...dispatcher.fill(0).start);
  const tickMs: number[] = [];
  const fillMs: number[] = [];
  for (let tick = 1; tick <= WARM_UP + ticks; tick++) {
    const nowMs = tick * TICK_MS;
    for (const { pack, edge } of underWay.slice(0, 200)) {
      dispatcher.arrived(pack, edge);
      want();
    }
    underWay = underWay.slice(200);
    for (const { pack, edge } of underWay) dispatcher.progress(pack, edge, 1, nowMs);
    for (let edge = 0; edge < EDGES; edge++) dispatcher.setEdge(edge, viewOf(edge, tick));
    underWay.push(...timed(tickMs, () => dispatcher.tick(nowMs).start));
    const first = underWay.shift();
    if (first === undefined) continue;
    dispatcher.arrived(first.pack, first.edge);
    want();
    underWay.push(...timed(fillMs, () => dispatcher.fill(nowMs).start));
  }
  return { what, active: dispatcher.counts.active, tickMs: spread(tickMs), fillMs: spread(fillMs) };
}

function timed<T>(samples: number[], work: () => T): T {
  const fromMs = performance.now();
  const result = work();
  samples.push(performance.now() - fromMs);
  return result;
}

function spread(samples: readonly number[]): { median: number; p99: number } {
  const sorted = samples.slice(WARM_UP).sort((a, b) => a - b);
  return {
    median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  };
}

/** So fast and far that a hundred packs are under way at each edge; a tenth faster or slower each time. */
function viewOf(edge: number, tick: number): EdgeView {
  const bytesPerSec = 1e9 * (1 + ((tick * 7 + edge * 13) % 20) / 100);
  return { bytesPerSec, rttUs: 400_000, backlogBytes: 0, maxActive: PER_EDGE, weight: WEIGHT_ONE };
}

/** An eighth of a thousand ranges, others for each edge, again and again. */
function scattered(edge: number, end: number): RangeSet {
  const ranges: [number, number][] = [];
  const length = Math.ceil(end / 1_000);
  for (let i = 0; i < 1_000; i++) {
    if (((i * 7_919 + edge * 104_729) % 1_009) % 8 === 0) ranges.push([i * length, (i + 1) * length]);
  }
  return rangesOf(ranges);
}

function rangesOf(ranges: readonly (readonly [number, number])[]): RangeSet {
  const set = new RangeSet();
  for (const [start, end] of ranges) set.add(start, end);
  return set;
}
