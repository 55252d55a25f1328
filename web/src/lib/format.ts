/**
 * Numbers as people read them. Pure functions; sizes are decimal (1 MB = 10^6 bytes) so that sizes and speeds agree.
 *
 * @module
 */

import { displayPath } from "../../../core/manifest/display-path.ts";

const SIZE_STEPS = [
  { unit: "TB", bytes: 1e12, digits: 2 },
  { unit: "GB", bytes: 1e9, digits: 2 },
  { unit: "MB", bytes: 1e6, digits: 1 },
  { unit: "kB", bytes: 1e3, digits: 0 },
] as const;

/** Joins a number to its unit so that a line never breaks between them. */
const NO_BREAK = "\u00a0";

/** `1536` → `2 kB`, `4_300_000_000` → `4.30 GB`. Never rounds up to the next unit's 1000. */
export function formatBytes(bytes: number): string {
  for (const [index, step] of SIZE_STEPS.entries()) {
    if (bytes < step.bytes) continue;
    const text = (bytes / step.bytes).toFixed(step.digits);
    const larger = SIZE_STEPS[index - 1];
    if (larger !== undefined && Number(text) >= 1000) return `${(1).toFixed(larger.digits)}${NO_BREAK}${larger.unit}`;
    return `${text}${NO_BREAK}${step.unit}`;
  }
  return `${bytes}${NO_BREAK}B`;
}

/** `1.20 of 2.70 GB`; the unit of a part only where it is another one: `980.0 MB of 2.70 GB`. */
export function formatPart(bytes: number, totalBytes: number): string {
  const [number, unit] = formatBytes(bytes).split(NO_BREAK);
  const total = formatBytes(totalBytes);
  return `${total.endsWith(`${NO_BREAK}${unit}`) ? number : `${number}${NO_BREAK}${unit}`} of ${total}`;
}

/** Bytes per second as MB/s; two significant places below 10, none above 100. */
export function formatSpeed(bytesPerSecond: number): string {
  const megabytes = bytesPerSecond / 1e6;
  const digits = megabytes < 10 ? 2 : megabytes < 100 ? 1 : 0;
  return `${megabytes.toFixed(digits)}${NO_BREAK}MB/s`;
}

const ROUND = new Intl.NumberFormat("en", {
  maximumFractionDigits: 0,
  maximumSignificantDigits: 2,
  roundingPriority: "morePrecision",
});

/** Bytes per second as whole MB/s, below 10 with two digits that say something: `84 MB/s`, `8.4 MB/s`, `0.08 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${ROUND.format(bytesPerSecond / 1e6)}${NO_BREAK}MB/s`;
}

/** A ratio as what it is more or less than one: `1.12` → `+12 %`, `0.45` → `−55 %`, `1` → `0 %`. */
export function formatChange(ratio: number): string {
  const percent = Math.round((ratio - 1) * 100);
  const sign = percent > 0 ? "+" : percent < 0 ? "\u2212" : "";
  return `${sign}${formatCount(Math.abs(percent))}${NO_BREAK}%`;
}

/** Milliseconds of a round trip: `12 ms`; what is less than one is not told apart. */
export function formatRoundTrip(ms: number): string {
  return ms < 1 ? `under 1${NO_BREAK}ms` : `${formatCount(Math.round(ms))}${NO_BREAK}ms`;
}

/** Whole seconds as `8 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: two neighbouring units at the most. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return `0${NO_BREAK}s`;
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${NO_BREAK}${unit}`)
    .join(" ");
}

const COUNT = new Intl.NumberFormat("en");

/** `100000` → `100,000`. */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** `formatPlural(1, "file")` → `1 file`, `formatPlural(1200, "entry", "entries")` → `1,200 entries`. */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)}${NO_BREAK}${count === 1 ? one : many}`;
}

/** `12 files and 1 empty folder`; folders only where there are some. */
export function formatEntries(files: number, emptyFolders: number): string {
  if (emptyFolders === 0) return formatPlural(files, "file");
  const folders = formatPlural(emptyFolders, "empty folder");
  return files === 0 ? folders : `${formatPlural(files, "file")} and ${folders}`;
}

/** Share of `total`, 0 … 1; an empty transfer counts as whole only when `isDone`. */
export function ratioOf(done: number, total: number, isDone: boolean): number {
  if (total <= 0) return isDone ? 1 : 0;
  return Math.min(1, Math.max(0, done / total));
}

/** `0.4237` → `42 %`; rounds down, so that 100 % is never shown before the end. */
export function formatPercent(ratio: number): string {
  return `${Math.floor(ratio * 100)}${NO_BREAK}%`;
}

const MOMENT = new Intl.DateTimeFormat("en", {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Milliseconds since 1970 as day and time in the reader's time zone. */
export function formatMoment(epochMs: number): string {
  return MOMENT.format(epochMs);
}

/** `100.00 GB` → `100 GB`: for limits, which do not move. */
export function formatLimit(bytes: number): string {
  return formatBytes(bytes).replace(/\.0+(?=\u00a0)/, "");
}

/** Letters at the end of a name that stay when the rest is cut: an extension and what tells numbered files apart. */
const TAIL_LETTERS = 12;
/** Letters as people count them; Firefox before 125 counts code points. */
const LETTERS = "Segmenter" in Intl ? new Intl.Segmenter("en") : null;

function lettersOf(text: string): readonly string[] {
  return LETTERS === null ? Array.from(text) : Array.from(LETTERS.segment(text), ({ segment }) => segment);
}

export interface SplitPath {
  /** With the slash at its end; may be empty. */
  readonly folder: string;
  /** The name without its tail; empty for a short name. */
  readonly head: string;
  readonly tail: string;
}

/** A path in three cuts that give the path again when joined: what may be left out first comes first. */
export function splitPath(path: string): SplitPath {
  const cut = path.lastIndexOf("/") + 1;
  const letters = lettersOf(path.slice(cut));
  return {
    folder: path.slice(0, cut),
    head: letters.slice(0, -TAIL_LETTERS).join(""),
    tail: letters.slice(-TAIL_LETTERS).join(""),
  };
}

/** Letters of a title that somebody else chose; more are not shown. */
const TITLE_LETTERS = 80;

/** Somebody's title for people: what would deceive is named, and it is not longer than a heading may be. */
export function shortTitle(title: string): string {
  // Cut before it is taken apart: nobody has promised how long it is.
  const letters = lettersOf(displayPath(title.slice(0, 10 * TITLE_LETTERS)));
  return letters.length > TITLE_LETTERS ? `${letters.slice(0, TITLE_LETTERS).join("")} …` : letters.join("");
}

/** The last component of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
