/**
 * What a bench gives and where it is written: one file with the latest result of each bench.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../../scripts/lib/process.ts";

const LATEST = join(ROOT, "bench/results/latest.json");

/** Anything that JSON can hold; the shape belongs to each bench. */
export interface BenchResult {
  /** What it is written under; the bench's own name where absent. */
  readonly name?: string;
  /** Printed to the terminal, as it is. */
  readonly text: string;
  /** Written to the results, beside machine and time. */
  readonly data: object;
  /** False when an aim was missed or a sample failed; the process still ends well, the table tells. */
  readonly met: boolean;
}

/** A bench: takes the arguments after its name. */
export type Bench = (args: readonly string[]) => Promise<BenchResult>;

/** What ran it. */
export function machine(): Record<string, string | number> {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
  };
}

/** Writes one bench's result beside the others' latest. Gives the path, relative to the repository. */
export function writeResult(name: string, result: BenchResult): string {
  const all = existsSync(LATEST) ? (JSON.parse(readFileSync(LATEST, "utf8")) as Record<string, unknown>) : {};
  all[name] = { finishedAt: new Date().toISOString(), machine: machine(), met: result.met, ...result.data };
  mkdirSync(dirname(LATEST), { recursive: true });
  writeFileSync(LATEST, `${JSON.stringify(all, null, 1)}\n`);
  return "bench/results/latest.json";
}
