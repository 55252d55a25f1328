/**
 * The tables of the faults bench, and its aims with what was reached.
 *
 * @module
 */
import { DOWNLOAD_WINDOW_PACKS, MIB, SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../../core/units.ts";
import { medianOf } from "../lib/stats.ts";
import { cell, formatTable } from "../lib/table.ts";
import type { LineSample } from "./lines.ts";
import type { RecoverySample } from "./recovery.ts";

export interface Aim {
  readonly what: string;
  readonly value: number;
  readonly bound: "least" | "most";
  readonly aim: number;
}

/** False also for a value that could not be had. */
export function isMet({ value, bound, aim }: Aim): boolean {
  return bound === "least" ? value >= aim : value <= aim;
}

/** The line of the second aim. */
const BAD = { loss: 0.02, rttMs: 100 };

/** Seconds until a transfer goes on, and bytes that crossed twice. */
export function recoveryAims(samples: readonly RecoverySample[]): Aim[] {
  return groups(samples).flatMap(({ name, own }) => {
    const worst = (pick: (sample: RecoverySample) => number) => Math.max(...own.map(pick));
    const limit = own[0]?.fault.startsWith("cut") ? 5 : 12;
    const seconds = worst(({ senderMs, receiverMs }) => Math.max(senderMs, receiverMs)) / 1000;
    const twice = worst(({ sentTwiceBytes }) => sentTwiceBytes) / MIB;
    const fetched = worst(({ fetchedTwiceBytes }) => fetchedTwiceBytes) / MIB;
    return [
      { what: `${name}: goes on after, s`, value: seconds, bound: "most" as const, aim: limit },
      { what: `${name}: sent twice, MiB`, value: twice, bound: "most" as const, aim: UPLOAD_WINDOW_BYTES / MIB },
      {
        what: `${name}: fetched twice, MiB`,
        value: fetched,
        bound: "most" as const,
        aim: (DOWNLOAD_WINDOW_PACKS * SEALED_PACK_BYTES) / MIB,
      },
    ];
  });
}

/** How much faster WebTransport is than each TCP, up and down, on the clean line and on the bad one. */
export function lineAims(samples: readonly LineSample[]): Aim[] {
  const speed = (loss: number, rttMs: number, variant: string, way: "up" | "down"): number =>
    samples.find((one) => one.loss === loss && one.rttMs === rttMs && one.variant === variant)?.[way] ?? Number.NaN;
  const ratios = (what: string, { loss, rttMs }: typeof BAD, aim: number): Aim[] =>
    (["up", "down"] as const).flatMap((way) =>
      ["tcp cubic", "tcp bbr"].map((tcp) => ({
        what: `${what}, ${way}: webtransport / ${tcp}`,
        value: speed(loss, rttMs, "webtransport", way) / speed(loss, rttMs, tcp, way),
        bound: "least" as const,
        aim,
      })),
    );
  return [
    ...ratios("clean line", { loss: 0, rttMs: 20 }, 0.8),
    ...ratios(`${100 * BAD.loss} % lost, ${BAD.rttMs} ms`, BAD, 2),
  ];
}

export function formatRecovery(samples: readonly RecoverySample[]): string {
  const rows = groups(samples).map(({ name, own }) => {
    const middle = (pick: (sample: RecoverySample) => number, unit: number) =>
      cell((medianOf(own, pick) ?? 0) / unit, 1);
    return [
      name,
      middle(({ senderMs }) => senderMs, 1000),
      middle(({ receiverMs }) => receiverMs, 1000),
      middle(({ sentTwiceBytes }) => sentTwiceBytes, MIB),
      middle(({ fetchedTwiceBytes }) => fetchedTwiceBytes, MIB),
    ];
  });
  return formatTable(["fault", "sender s", "receiver s", "sent twice MiB", "fetched twice MiB"], rows);
}

export function formatLines(samples: readonly LineSample[]): string {
  const lines = [...new Map(samples.map((one) => [`${one.loss} ${one.rttMs}`, one])).values()];
  const variants = [...new Set(samples.map(({ variant }) => variant))];
  const rows = lines.map(({ loss, rttMs }) => {
    const own = (variant: string) =>
      samples.find((one) => one.loss === loss && one.rttMs === rttMs && one.variant === variant);
    const ways = (["up", "down"] as const).flatMap((way) => variants.map((variant) => cell(own(variant)?.[way], 2)));
    return [`${100 * loss} % lost, ${rttMs} ms`, ...ways];
  });
  const head = (["up", "down"] as const).flatMap((way) => variants.map((variant) => `${way} ${variant}`));
  return formatTable(["MB/s", ...head], rows);
}

export function formatAims(aims: readonly Aim[]): string {
  const rows = aims.map((aim) => [
    aim.what,
    cell(aim.value, 2),
    `${aim.bound === "least" ? "≥" : "≤"} ${aim.aim}`,
    isMet(aim) ? "met" : "missed",
  ]);
  return formatTable(["aim", "reached", "wanted", ""], rows);
}

function groups(samples: readonly RecoverySample[]): { name: string; own: readonly RecoverySample[] }[] {
  const names = [...new Set(samples.map(({ fault, path }) => `${fault}, ${path}`))];
  return names.map((name) => ({ name, own: samples.filter(({ fault, path }) => `${fault}, ${path}` === name) }));
}
