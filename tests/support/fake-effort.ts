/**
 * How much work a call is, where the machine may be busy with other things.
 *
 * @module
 */

/** Processor milliseconds of this thread that `work` takes; the least of several tries, so that a pause is not counted. */
export function effortMs(work: () => void, tries = 4): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < tries; run++) {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** Runs `work` without recording stacks: for tests that catch hundreds of thousands of errors. */
export function withoutStacks(work: () => void): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Uniform 32-bit numbers, the same for the same seed (xorshift). */
export function sequence(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}
