/**
 * What is measured, and the rounds in which everything takes its turn.
 *
 * @module
 */
import { median, medianOf, megabytesPerSecond, rotated } from "../lib/stats.ts";

/** Each sample repeats its work until this long has passed. */
const SAMPLE_MS = 100;

/** One measurement, in MB/s of input; of plain bytes where the input is compressed. */
export interface Sample {
  /** By the clock on the wall. */
  readonly wall: number;
  /** By the device's own timestamps. */
  readonly device?: number | undefined;
}

/** What a row is about. */
export interface Subject {
  /** On the device, resident data; copies; from host to host through the device; on the processor. */
  readonly part: "stage" | "copy" | "pipeline" | "cpu";
  readonly name: string;
  readonly data?: string;
  /** MiB of each call, and calls in work at a time. */
  readonly mib?: number;
  readonly inFlight?: number;
  /** Plain bytes for each compressed byte: its own, and those of others for the same bytes. */
  readonly smaller?: number;
  readonly smallerByCpu?: number;
  readonly smallerByProgram?: number | undefined;
}

/** Something to be measured; the first sample warms it up. */
export interface Contest extends Subject {
  sample(leastMs: number): Promise<Sample> | Sample;
}

/** What was measured; the speeds are medians. */
export interface Row extends Subject {
  readonly wall: number;
  readonly device: number | undefined;
  readonly samples: readonly Sample[];
}

/** Runs the contests in interleaved rounds, after one that warms them up. Gives the rows in the order of the contests. */
export async function runContests(
  contests: readonly Contest[],
  rounds: number,
  tell: (line: string) => void,
): Promise<Row[]> {
  const samples = contests.map((): Sample[] => []);
  for (let round = 0; round <= rounds; round++) {
    tell(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    for (const [i, contest] of rotated([...contests.entries()], round)) {
      const sample = await contest.sample(SAMPLE_MS);
      if (round > 0) samples[i]?.push(sample);
    }
  }
  return contests.map(({ sample: _, ...subject }, i): Row => {
    const own = samples[i] ?? [];
    const wall = median(own.map((sample) => sample.wall));
    return { ...subject, wall, device: medianOf(own, (sample) => sample.device), samples: own };
  });
}

/**
 * Repeats calls, each of which goes through `bytes` bytes, for `leastMs`.
 * @param lanes one call for each that may be in work at a time
 */
export async function repeated(lanes: readonly (() => unknown)[], bytes: number, leastMs: number): Promise<Sample> {
  const began = performance.now();
  let calls = 0;
  const repeat = async (call: () => unknown): Promise<void> => {
    do {
      await call();
      calls += 1;
    } while (performance.now() - began < leastMs);
  };
  await Promise.all(lanes.map(repeat));
  return { wall: megabytesPerSecond(calls * bytes, performance.now() - began) };
}
