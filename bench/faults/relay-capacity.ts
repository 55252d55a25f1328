/**
 * What one relay carries: many connections at once, and the rows of many portals. The part of the faults bench that needs
 * neither browsers nor networks.
 *
 * @module
 */
import { MIB } from "../../core/units.ts";
import { launchRelay } from "../../tests/support/launch.ts";
import { type LoadReport, loadRelay } from "../../tests/support/relay-load.ts";
import { cell, formatTable } from "../lib/table.ts";
import { measureStore, type StoreSpeed } from "./relay-store.ts";
import type { Aim } from "./report.ts";

/** One run of both. */
export interface RelaySample {
  readonly idle: number;
  readonly active: number;
  readonly load: LoadReport;
  readonly store: StoreSpeed;
}

/** Links of a relay with room for them; each pair moves 2 MB/s. */
const PAIR_BYTES_PER_SECOND = 2e6;
const LINKS = { MAX_LINKS: "5000", MAX_LINKS_PER_ADDRESS: "5000", LOG_LEVEL: "error" };

/** Loads a fresh relay, then fills a fresh store. @param isQuick a tenth of it, to see that everything works */
export async function measureRelay(isQuick: boolean): Promise<RelaySample> {
  const [idle, active] = isQuick ? [200, 10] : [2000, 50];
  await using relay = await launchRelay({ env: LINKS });
  const wish = { idle, active, seconds: isQuick ? 5 : 30, bytesPerSecond: PAIR_BYTES_PER_SECOND };
  const load = await loadRelay(relay.url, wish);
  const store = await measureStore({ portals: isQuick ? 1000 : 10_000, packsPerPortal: 250 });
  return { idle, active, load, store };
}

/** The aims of the issue, which hold for the full size. */
export function relayAims({ load, store }: RelaySample): Aim[] {
  return [
    { what: "relay's memory under load, MiB", value: load.peakBytes / MIB, bound: "most", aim: 1024 },
    { what: "ping under load, p99, ms", value: load.controlP99Ms, bound: "most", aim: 200 },
    { what: "links lost under load", value: load.lost, bound: "most", aim: 0 },
    { what: "pack rows per second", value: store.rowsPerSecond, bound: "least", aim: 20_000 },
    { what: "resume query, p99, ms", value: store.resumeP99Ms, bound: "most", aim: 5 },
  ];
}

/** A table for the terminal. */
export function formatRelay({ idle, active, load, store }: RelaySample): string {
  return formatTable(
    ["relay", "value"],
    [
      [`${idle} idle, ${active} active links: memory, MiB`, cell(load.peakBytes / MIB)],
      ["ping, p99, ms", cell(load.controlP99Ms, 1)],
      ["moved meanwhile, MiB", cell(load.movedBytes / MIB)],
      [`${store.rows} pack rows: rows per second`, cell(store.rowsPerSecond)],
      ["resume query, p99, ms", cell(store.resumeP99Ms, 2)],
      ["database, MiB", cell(store.databaseBytes / MIB)],
    ],
  );
}
