/**
 * Reading Linux's /proc: processor time of the machine and of process trees, memory of processes. Elsewhere there is
 * no /proc and the answers are undefined.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";

/** One process, as /proc/PID/stat tells. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time, in clock ticks. */
  readonly ticks: number;
}

/** Parses /proc/PID/stat; the name in parentheses may hold anything. */
export function parseStat(text: string): ProcessStat {
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).split(" ");
  return { pid: Number.parseInt(text, 10), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

/** User, nice and system ticks of all cores, from the first line of /proc/stat; interrupts belong to nobody. */
export function parseBusyTicks(text: string): number {
  const [user, nice, system] = text.split("\n", 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  return (user ?? 0) + (nice ?? 0) + (system ?? 0);
}

/** A value in bytes of a `Name:  123 kB` line. */
export function parseKilobytes(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
  return match === null ? undefined : Number(match[1]) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // gone meanwhile, or not Linux
  }
}

export function busyTicks(): number | undefined {
  const text = read("/proc/stat");
  return text === undefined ? undefined : parseBusyTicks(text);
}

/** Every process that runs now; empty without /proc. */
export function listProcesses(): ProcessStat[] {
  let names: string[] = [];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/stat`))
    .filter((text) => text !== undefined)
    .map(parseStat);
}

/** The processes `roots` and everything below them. */
export function treeOf(roots: readonly number[], processes: readonly ProcessStat[]): ProcessStat[] {
  const inside = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of processes)
      if (inside.has(parent) && !inside.has(pid)) {
        inside.add(pid);
        grown = true;
      }
  }
  return processes.filter(({ pid }) => inside.has(pid));
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number | undefined {
  return parseKilobytes(read(`/proc/${pid}/status`) ?? "", "VmRSS");
}

/** The most resident bytes that a process ever had. */
export function peakResidentBytes(pid: number): number | undefined {
  return parseKilobytes(read(`/proc/${pid}/status`) ?? "", "VmHWM");
}

/** Proportional bytes of a process: what it shares is divided among those who share it. */
export function proportionalBytes(pid: number): number | undefined {
  return parseKilobytes(read(`/proc/${pid}/smaps_rollup`) ?? "", "Pss");
}

/** Arguments of a process; empty when it is gone. */
export function argumentsOf(pid: number): string[] {
  // Chromium's children set their title, which joins the arguments with spaces.
  return (read(`/proc/${pid}/cmdline`) ?? "").split(/[\0 ]/);
}
