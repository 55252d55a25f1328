/**
 * The engine bench in print: a table for each part, then the aims.
 *
 * @module
 */
import { cell, formatTable } from "../lib/table.ts";
import { type Aim, find, shareOfCopies } from "./aims.ts";
import type { Row } from "./contest.ts";
import type { Findings } from "./measure.ts";

/** What the tables say beside the rows. */
export interface Head extends Omit<Findings, "rows"> {
  readonly rounds: number;
  /** MiB of each data set on the processor. */
  readonly cpuMib: number;
  readonly foreignPercent: number | undefined;
}

const KINDS: Readonly<Record<Head["kind"], string>> = {
  hardware: "",
  software: "\nA SOFTWARE ADAPTER: here the processor plays the GPU. Figures of the device say nothing of a GPU.",
  none: "\nNo GPU, so only the processor was measured.",
};

/** Everything that is printed. */
export function formatReport(rows: readonly Row[], aims: readonly Aim[], head: Head): string {
  const place = head.browser === undefined ? "" : `${head.browser}\n`;
  const adapter = `${place}adapter: ${head.adapter}${KINDS[head.kind]}`;
  const foot = `MB/s of input (10^6; of plain bytes where it is compressed), medians of ${head.rounds}`;
  const tables = [stageTable(rows, head), copyTable(rows), cpuTable(rows, head), aimTable(aims)];
  const load = `foreign load ${cell(head.foreignPercent)} %`;
  return [adapter, ...tables.filter((table) => table !== ""), `${foot}; ${load}`].join("\n\n");
}

function stageTable(rows: readonly Row[], { residentMib }: Head): string {
  const own = rows.filter(({ part }) => part === "stage");
  const lines = own.map(({ name, data, wall, device, ...ratios }) => {
    const smaller = [ratios.smaller, ratios.smallerByCpu, ratios.smallerByProgram];
    return [name, data ?? "", speed(wall), speed(device), ...smaller.map((ratio) => cell(ratio, 3))];
  });
  const head = [`on the device, ${residentMib} MiB`, "data", "MB/s", "by its clock", "x smaller", "CPU", "lz4 -1"];
  return own.length === 0 ? "" : formatTable(head, lines);
}

function copyTable(rows: readonly Row[]): string {
  const own = rows.filter(({ part }) => part === "copy" || part === "pipeline");
  const kinds = [...new Set(own.map(({ name, mib }) => `${name}\0${mib}`))].map((kind) => kind.split("\0"));
  const lines = kinds.map(([name = "", mib = ""]) => {
    const cells = [1, 2].flatMap((inFlight) => {
      const row = find(own, { name, mib: Number(mib), inFlight });
      const share = row?.part === "pipeline" ? shareOfCopies(rows, row) : undefined;
      return [speed(row?.wall), cell(share, 3)];
    });
    const cpu = find(rows, { part: "cpu", name })?.wall;
    const first = find(own, { name, mib: Number(mib), inFlight: 1 })?.wall;
    return [name, mib, ...cells, cell(first && cpu && first / cpu, 3)];
  });
  const head = ["host and device", "MiB", "1 in flight", "/ copies", "2 in flight", "/ copies", "1 / CPU thread"];
  return own.length === 0 ? "" : formatTable(head, lines);
}

function cpuTable(rows: readonly Row[], { cpuMib }: Head): string {
  const own = rows.filter(({ part }) => part === "cpu");
  const lines = own.map(({ name, data, wall, smaller, smallerByProgram }) => {
    return [name, data ?? "", speed(wall), cell(smaller, 3), cell(smallerByProgram, 3)];
  });
  return formatTable([`on the processor, ${cpuMib} MiB`, "data", "MB/s", "x smaller", "lz4 -1"], lines);
}

/** A slow one shows its first decimal, too. */
function speed(value: number | undefined): string {
  return cell(value, value !== undefined && value < 10 ? 1 : 0);
}

function aimTable(aims: readonly Aim[]): string {
  const lines = aims.map(({ what, value, least, verdict }) => [what, cell(value, 3), `>= ${least}`, verdict]);
  return formatTable(["aim", "value", "wanted", ""], lines);
}
