/**
 * Numbers for people: sizes in KiB and MiB, rates in MB/s of 10^6 bytes, durations.
 *
 * @module
 */
import { GIB, KIB, MIB } from "../core/units.ts";

const SIZES = [
  [1024 * GIB, "TiB"],
  [GIB, "GiB"],
  [MIB, "MiB"],
  [KIB, "KiB"],
] as const;

/** `0 bytes`, `1 byte`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  for (const [size, unit] of SIZES) if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  return count(bytes, "byte");
}

/** `12.3 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
}

/** `12 s, 12.3 MB/s`; no rate where it would tell nothing. */
export function formatPace(bytes: number, seconds: number): string {
  const pace = seconds >= 1 ? `, ${formatRate(bytes / seconds)}` : "";
  return formatDuration(seconds) + pace;
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** `1 file`, `2 files`. */
export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`;
}

/** Local time to the minute, with its zone. */
export function formatTime(msSince1970: number): string {
  return new Date(msSince1970).toLocaleString("en-GB", {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  });
}
