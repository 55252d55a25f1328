/**
 * The portals bench: creating, opening and listing among ten thousand portals, the relay's memory with them, and the time
 * that a password takes. `--quick` has a twentieth of it, to see that everything works. See bench/README.md.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { MIB } from "../core/units.ts";
import { type Aim, formatAims, isMet } from "./faults/report.ts";
import { measureLoad } from "./lib/load.ts";
import type { Bench } from "./lib/result.ts";
import { cell, formatTable } from "./lib/table.ts";
import { measurePortals, type PortalsSample } from "./portals/relay-portals.ts";
import { measureUnlock, SLOW, type UnlockSample } from "./portals/unlock.ts";

/** @throws Error with a sentence for the person at the terminal */
function isQuick(args: readonly string[]): boolean {
  const { values } = parseArgs({ args: [...args], options: { quick: { type: "boolean", default: false } } });
  return values.quick;
}

export const run: Bench = async (args) => {
  const quick = isQuick(args);
  const load = measureLoad();
  const portals = await measurePortals(quick ? 500 : 10_000, quick ? 100 : 2000);
  const unlock = await measureUnlock(quick ? 2 : 9);
  const foreignPercent = load()?.foreignPercent;
  const aims = aimsOf(portals, unlock);
  const text = [
    formatCalls(portals),
    formatRest(portals, unlock),
    `foreign load ${cell(foreignPercent)} %`,
    formatAims(aims),
  ].join("\n\n");
  const judged = aims.map((aim) => ({ ...aim, met: isMet(aim) }));
  return { text, data: { foreignPercent, portals, unlock, aims: judged }, met: aims.every(isMet) };
};

function aimsOf({ calls, peakBytes }: PortalsSample, { slowMs }: UnlockSample): Aim[] {
  return [
    ...calls.map(({ what, p99Ms }) => ({ what: `${what}: p99, ms`, value: p99Ms, bound: "most" as const, aim: 50 })),
    { what: "relay's memory, MiB", value: peakBytes / MIB, bound: "most", aim: 300 },
    { what: "password on a slow laptop, ms", value: slowMs, bound: "most", aim: 1000 },
  ];
}

function formatCalls({ portals, calls }: PortalsSample): string {
  const rows = calls.map(({ what, calls, p50Ms, p99Ms }) => [what, String(calls), cell(p50Ms, 1), cell(p99Ms, 1)]);
  return formatTable([`with ${portals} portals`, "calls", "p50 ms", "p99 ms"], rows);
}

function formatRest(portals: PortalsSample, unlock: UnlockSample): string {
  const memory = [portals.emptyBytes, portals.fullBytes, portals.peakBytes].map((bytes) => cell(bytes / MIB));
  return formatTable(
    ["relay and browser", "value"],
    [
      ["portals created per second, 64 at a time", cell(portals.createdPerSecond)],
      ["relay's memory with none, with all, the most, MiB", memory.join(", ")],
      ["key of a password, ms", cell(unlock.plainMs)],
      [`key of a password ${SLOW} times slower, ms`, cell(unlock.slowMs)],
    ],
  );
}
