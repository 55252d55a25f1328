/**
 * The schedule bench: a plan of ten million packs over a thousand edges, beside simpler ways to spread them; the dispatcher's
 * tick; whole transfers in the simulator; receives from two real relays; and the dense form on a GPU, where there is one. `--quick`
 * has a small part of it, to see that everything works; `--only plan,tick,simulate,live,dense` leaves out the rest.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Aim, formatAims, isMet } from "./faults/report.ts";
import { measureLoad } from "./lib/load.ts";
import type { Bench } from "./lib/result.ts";
import { cell, formatTable } from "./lib/table.ts";
import { type DenseSample, measureDense } from "./schedule/dense.ts";
import { type LiveSample, measureLive } from "./schedule/live.ts";
import { type Effort, measureWorld, type WorldSample } from "./schedule/measure.ts";
import { formatSimulateRows, simulateRows } from "./schedule/simulate.ts";
import { measureTicks, type TickSample } from "./schedule/tick.ts";
import { FULL, makeWorlds, QUICK } from "./schedule/worlds.ts";

const PARTS = ["plan", "tick", "simulate", "live", "dense"] as const;
const THOROUGH: Effort = { warmUps: 20, solves: 40, writes: 7, tries: 3, compared: 6 };
const HASTY: Effort = { warmUps: 3, solves: 5, writes: 3, tries: 2, compared: 5 };

/** @throws Error with a sentence for the person at the terminal */
function optionsOf(args: readonly string[]): { quick: boolean; parts: ReadonlySet<string> } {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
  });
  const parts = new Set<string>(values.only?.split(",") ?? PARTS);
  for (const part of parts) if (!PARTS.some((known) => known === part)) throw new Error(`There is no part ${part}`);
  return { quick: values.quick, parts };
}

export const run: Bench = async (args) => {
  const { quick, parts } = optionsOf(args);
  const effort = quick ? HASTY : THOROUGH;
  const load = measureLoad();
  const worlds = parts.has("plan") ? makeWorlds(quick ? QUICK : FULL).map((world) => measureWorld(world, effort)) : [];
  const ticks = parts.has("tick") ? measureTicks(quick ? 100 : 1000) : [];
  const simulated = parts.has("simulate") ? simulateRows(quick ? 2 : 15) : [];
  const live = parts.has("live") ? await measureLive(quick ? 24 : 120) : undefined;
  const foreignPercent = load()?.foreignPercent;
  const { packs, edges } = quick ? QUICK : FULL;
  const dense = parts.has("dense") ? await measureDense(packs, edges) : undefined;
  const aims = [...worlds.flatMap(planAims), ...ticks.map(tickAim), ...liveAims(live), ...denseAims(dense)];
  const text = [
    ...worlds.map(formatWorld),
    ...(ticks.length > 0 ? [formatTicks(ticks)] : []),
    ...(simulated.length > 0 ? [formatSimulateRows(simulated)] : []),
    ...(live === undefined ? [] : [formatLive(live)]),
    ...(dense === undefined ? [] : [formatDense(dense)]),
    `${effort.warmUps} calls before each row warm the compiler up and are not counted; of planning again the least of ` +
      `${effort.tries} counts for each edge; foreign load ${cell(foreignPercent)} %`,
    ...(aims.length > 0 ? [formatAims(aims)] : []),
  ].join("\n\n");
  const judged = aims.map((aim) => ({ ...aim, met: isMet(aim) }));
  return {
    text,
    data: { foreignPercent, effort, worlds, ticks, simulated, live, dense, aims: judged },
    met: aims.every(isMet),
  };
};

function planAims({ name, packs, times, ratios, bytesPerPack, worstReplanRatio }: WorldSample): Aim[] {
  const time = (what: string) => times.find((each) => each.what === what);
  const most = (what: string, value: number | undefined, aim: number): Aim => {
    return { what: `${name}: ${what}`, value: value ?? Number.NaN, bound: "most", aim };
  };
  return [
    most("solve, median ms", time("solve")?.medianMs, 10),
    most("write all, median ms", time("write all")?.medianMs, 40),
    most("replan, rate halved, p99 ms", time("replan: rate halved")?.p99Ms, 1),
    most("replan, lost, p99 ms", time("replan: lost")?.p99Ms, 1),
    // what a plan takes beside the packs themselves is spread over many of them
    ...(packs >= FULL.packs ? [most("bytes a pack", bytesPerPack, 6)] : []),
    most("written ÷ least time", ratios.find(({ who }) => who === "plan, written")?.ratio, 1.02),
    most("replanned ÷ least time", worstReplanRatio, 1.02),
  ];
}

function tickAim({ what, tickMs }: TickSample): Aim {
  return { what: `tick, ${what}: p99 ms`, value: tickMs.p99, bound: "most", aim: 2 };
}

function formatWorld({ name, packs, pairs, times, bytesPerPack, ratios, ...sample }: WorldSample): string {
  const rows = times.map(({ what, medianMs, p99Ms, cpuMs, calls }) => {
    return [what, cell(medianMs, 3), cell(p99Ms, 3), cell(cpuMs, 3), String(calls)];
  });
  const spreadRows = ratios.map(({ who, ratio }) => [who, cell(ratio, 4)]);
  return [
    formatTable([`${name}: ${packs} packs, ${pairs} pairs`, "median ms", "p99 ms", "cpu ms", "calls"], rows),
    formatTable([name, "makespan ÷ least"], [...spreadRows, ["replanned, worst", cell(sample.worstReplanRatio, 4)]]),
    `${cell(bytesPerPack, 2)} bytes a pack; a lost edge moves ${cell(sample.movedClasses.median)} classes, at most ${sample.movedClasses.most}`,
  ].join("\n\n");
}

function formatTicks(ticks: readonly TickSample[]): string {
  const rows = ticks.map(({ what, active, tickMs, fillMs }) => {
    return [what, String(active), ...[tickMs, fillMs].flatMap(({ median, p99 }) => [cell(median, 3), cell(p99, 3)])];
  });
  return formatTable(["dispatcher", "under way", "tick ms", "p99", "fill ms", "p99"], rows);
}

function liveAims(live: LiveSample | undefined): Aim[] {
  if (live === undefined) return [];
  const { goodputShare, falseAlarms, movedMs, gain, firstByteMs } = live;
  return [
    { what: "two relays: goodput ÷ both lines", value: goodputShare, bound: "least", aim: 0.95 },
    { what: "two relays: re-plans while all is well", value: falseAlarms, bound: "most", aim: 0 },
    { what: "half as fast: until packs moved, ms", value: movedMs ?? Number.NaN, bound: "most", aim: 300 },
    { what: "half as fast: share of the rest saved", value: gain ?? Number.NaN, bound: "least", aim: 0.1 },
    { what: "relay gone: asked → first byte, ms", value: firstByteMs ?? Number.NaN, bound: "most", aim: 50 },
  ];
}

function formatLive({ packs, slowFinishRatio, noticedMs, lostMs, askedMs, ...live }: LiveSample): string {
  const rows = [
    ["both lines steady: goodput ÷ their sum", cell(live.goodputShare, 3)],
    ["re-plans meanwhile", String(live.falseAlarms)],
    ["one line half as fast: new plan after, ms", cell(noticedMs, 0)],
    ["first pack moved after, ms", cell(live.movedMs, 0)],
    ["share of the rest that it saves", cell(live.gain, 3)],
    ["time ÷ least time", cell(slowFinishRatio, 3)],
    ["one relay gone, no limits: known after, ms", cell(lostMs, 0)],
    ["other one asked after, ms", cell(askedMs, 0)],
    ["then first byte after, ms", cell(live.firstByteMs, 1)],
  ];
  return formatTable([`two relays on loopback, ${packs} packs`, ""], rows);
}

/** A software adapter's time says nothing of GPUs. */
function denseAims(dense: DenseSample | string | undefined): Aim[] {
  if (dense === undefined || typeof dense === "string" || dense.isSoftware) return [];
  return [{ what: `dense on ${dense.adapter}, ms`, value: dense.medianMs, bound: "most", aim: 20 }];
}

function formatDense(dense: DenseSample | string): string {
  if (typeof dense === "string") return `dense form on a GPU: not measured, ${dense}`;
  const { adapter, rows, edges, isSoftware, medianMs } = dense;
  const where = `dense form, ${rows} packs × ${edges} edges, on ${adapter}`;
  return isSoftware ? `${where}: right; no figure, it is the processor` : `${where}: ${cell(medianMs, 2)} ms`;
}
