/**
 * What the samples say: a row for each competitor, and the aims with what was reached.
 *
 * @module
 */
import { KIB, MIB } from "../../core/units.ts";
import { FOREIGN_LIMIT_PERCENT } from "../lib/load.ts";
import { median, medianOf, megabytesPerSecond } from "../lib/stats.ts";
import { cell, formatTable } from "../lib/table.ts";
import type { BrowserMemory, MemoryResult } from "./memory.ts";
import { CPU_GROUPS, FIRST_BYTE_SIZES, type FirstByteSample, type Sample } from "./samples.ts";

export interface Row {
  readonly competitor: string;
  readonly data: string;
  readonly megabytesPerSecond: number;
  readonly seconds: number;
  readonly samples: number;
  readonly foreignPercent: number;
}

export interface Aim {
  readonly what: string;
  readonly value: number | undefined;
  readonly bound: "least" | "most";
  readonly aim: number;
}

/** False when it was missed, or could not be said. */
export function isMet({ value, bound, aim }: Aim): boolean {
  return value !== undefined && (bound === "least" ? value >= aim : value <= aim);
}

export interface Measured {
  readonly samples: readonly Sample[];
  readonly firstBytes: readonly FirstByteSample[];
  readonly memory: readonly MemoryResult[];
  readonly blank: BrowserMemory | undefined;
}

const PATHS = ["webtransport", "tcp"] as const;

function of(samples: readonly Sample[], competitor: string, data = "incompressible"): Sample[] {
  return samples.filter((sample) => sample.competitor === competitor && sample.data === data);
}

function milliseconds(samples: readonly Sample[], competitor: string, data?: string): number | undefined {
  return medianOf(of(samples, competitor, data), ({ ms }) => ms);
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

/** The issue's aims. */
export function aimsOf({ samples, firstBytes, memory, blank }: Measured): Aim[] {
  const aims: Aim[] = [];
  const add = (what: string, value: number | undefined, bound: "least" | "most", aim: number) =>
    aims.push({ what, value, bound, aim });
  const [smallest] = FIRST_BYTE_SIZES;
  for (const path of PATHS) {
    const own = milliseconds(samples, `ours ${path}`);
    add(`${path}: goodput / limit`, ratio(milliseconds(samples, `limit ${path}`), own), "least", 0.8);
    add(
      `${path}: goodput / limit that writes a file`,
      ratio(milliseconds(samples, `limit ${path} to file`), own),
      "least",
      0.8,
    );
    add(`${path}: time / tus`, ratio(own, milliseconds(samples, "tus")), "most", 0.6);
    add(
      `${path}: mixed, time / tus`,
      ratio(milliseconds(samples, `ours ${path}`, "mixed"), milliseconds(samples, "tus")),
      "most",
      0.6,
    );
    add(`${path}: goodput / data channel`, ratio(milliseconds(samples, "data channel"), own), "least", 4);
    add(`${path}: mixed / incompressible`, ratio(own, milliseconds(samples, `ours ${path}`, "mixed")), "least", 1.6);
    const first = firstBytes.filter((sample) => sample.path === path && sample.bytes === smallest);
    add(
      `${path}: first byte after the receiver's click, ms`,
      medianOf(first, ({ clickMs }) => clickMs),
      "most",
      60,
    );
    add(
      `${path}: first byte after the sender's click, ms`,
      medianOf(first, ({ ms }) => ms),
      "most",
      60,
    );
  }
  for (const path of PATHS) {
    const [small, large] = memory.filter((result) => result.path === path).toSorted((a, b) => a.bytes - b.bytes);
    if (small === undefined || large === undefined || blank === undefined) continue;
    const grown = (pick: (result: MemoryResult) => number) => (pick(large) - pick(small)) / MIB;
    add(`${path}: relay peak, MiB`, large.relayPeak / MIB, "most", 150);
    add(`${path}: receiver above blank tab, MiB`, (large.receiver.renderer - blank.renderer) / MIB, "most", 200);
    add(
      `${path}: relay growth with size, MiB`,
      grown(({ relayPeak }) => relayPeak),
      "most",
      32,
    );
    add(
      `${path}: sender growth with size, MiB`,
      grown(({ sender }) => sender.renderer),
      "most",
      32,
    );
    add(
      `${path}: receiver growth with size, MiB`,
      grown(({ receiver }) => receiver.renderer),
      "most",
      32,
    );
  }
  return aims.filter(({ value }) => value !== undefined);
}

/** One row for each competitor and data set, in the order of the first round. */
export function rowsOf(samples: readonly Sample[]): Row[] {
  const keys = [...new Set(samples.map(({ competitor, data }) => `${competitor}\0${data}`))];
  return keys.map((key) => {
    const [competitor = "", data = ""] = key.split("\0");
    const own = of(samples, competitor, data);
    const ms = median(own.map((sample) => sample.ms));
    return {
      competitor,
      data,
      megabytesPerSecond: megabytesPerSecond(own[0]?.bytes ?? 0, ms),
      seconds: ms / 1000,
      samples: own.length,
      foreignPercent: Math.max(...own.map(({ during }) => during?.foreignPercent ?? 0)),
    };
  });
}

export function formatReport(measured: Measured): string {
  return [
    speedTable(measured.samples),
    costTable(measured.samples),
    firstByteTable(measured.firstBytes),
    memoryTable(measured),
    aimTable(measured),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function speedTable(samples: readonly Sample[]): string {
  const rows = rowsOf(samples).map((row) => {
    const own = of(samples, row.competitor, row.data);
    const speeds = own.map(({ bytes, ms }) => megabytesPerSecond(bytes, ms));
    const flag = row.foreignPercent > FOREIGN_LIMIT_PERCENT ? "!" : "";
    return [
      `${row.competitor}, ${row.data}`,
      cell(row.megabytesPerSecond),
      `${cell(Math.min(...speeds))}-${cell(Math.max(...speeds))}`,
      cell(row.seconds, 2),
      cell(
        medianOf(own, ({ parts }) => parts["sendMs"] && parts["sendMs"] / 1000),
        2,
      ),
      cell(medianOf(own, ({ before }) => before?.foreignPercent)),
      cell(row.foreignPercent) + flag,
    ];
  });
  const head = ["browser to browser", "MB/s", "range", "s", "upload s", "foreign % before", "during"];
  return rows.length === 0 ? "" : formatTable(head, rows);
}

function costTable(samples: readonly Sample[]): string {
  const rows = rowsOf(samples).map(({ competitor, data }) => {
    const own = of(samples, competitor, data);
    const perByte = (seconds: number | undefined, bytes: number) => seconds && (seconds * 1e9) / bytes;
    const parts = CPU_GROUPS.map((group) =>
      cell(
        medianOf(own, ({ during, bytes }) => perByte(during?.groupSeconds[group], bytes)),
        1,
      ),
    );
    const all = medianOf(own, ({ during, bytes }) => perByte(during?.ownSeconds, bytes));
    return [`${competitor}, ${data}`, ...parts, cell(all, 1)];
  });
  const head = ["processor time, ns for each byte", ...CPU_GROUPS, "all"];
  return samples.some(({ during }) => during !== undefined) ? formatTable(head, rows) : "";
}

function firstByteTable(samples: readonly FirstByteSample[]): string {
  const rows = PATHS.flatMap((path) =>
    FIRST_BYTE_SIZES.map((bytes) => {
      const own = samples.filter((sample) => sample.path === path && sample.bytes === bytes);
      const name = `${path}, file of ${bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`}`;
      return [
        name,
        cell(medianOf(own, ({ ms }) => ms)),
        ...["receiverMs" as const, "workerMs" as const, "openMs" as const, "clickMs" as const].map((part) =>
          cell(medianOf(own, (sample) => sample[part])),
        ),
      ];
    }),
  );
  return samples.length === 0
    ? ""
    : formatTable(
        [
          "first verified byte",
          "ms from send",
          "ms from receive",
          "of these, worker there",
          "portal open",
          "ms from click",
        ],
        rows,
      );
}

function memoryTable({ memory, blank }: Measured): string {
  if (blank === undefined || memory.length === 0) return "";
  const mebibytes = (bytes: number) => cell(bytes / MIB);
  const rows = memory.map(({ path, bytes, relayIdle, relayPeak, sender, receiver }) => [
    `${path}, ${bytes / MIB} MiB`,
    mebibytes(relayIdle),
    mebibytes(relayPeak),
    mebibytes(sender.renderer - blank.renderer),
    mebibytes(receiver.renderer - blank.renderer),
    mebibytes(sender.all - blank.all),
    mebibytes(receiver.all - blank.all),
  ]);
  const blankRow = [
    "blank tab itself",
    "",
    "",
    mebibytes(blank.renderer),
    mebibytes(blank.renderer),
    mebibytes(blank.all),
    mebibytes(blank.all),
  ];
  const head = [
    "peak memory above a blank tab, MiB",
    "relay idle",
    "relay peak",
    "sender tab",
    "receiver tab",
    "sender browser",
    "receiver browser",
  ];
  return formatTable(head, [...rows, blankRow]);
}

function aimTable(measured: Measured): string {
  const rows = aimsOf(measured).map((aim) => [
    aim.what,
    cell(aim.value, 2),
    `${aim.bound === "least" ? ">=" : "<="} ${aim.aim}`,
    isMet(aim) ? "met" : "NOT MET",
  ]);
  return rows.length === 0 ? "" : formatTable(["aim", "value", "wanted", ""], rows);
}
