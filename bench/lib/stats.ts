/**
 * The few numbers that a bench makes of its samples.
 *
 * @module
 */

/** Middle value, or the mean of the two middle ones. @throws RangeError when there is none */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  if (high === undefined || low === undefined) throw new RangeError("no samples");
  return (low + high) / 2;
}

/** The median of `pick` over samples, or undefined when there are none. */
export function medianOf<T>(samples: readonly T[], pick: (sample: T) => number | undefined): number | undefined {
  const values = samples.map(pick).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : median(values);
}

/** MB/s, 10^6 bytes a second. */
export function megabytesPerSecond(bytes: number, ms: number): number {
  return bytes / 1000 / ms;
}

/** `items` in the order of round `round` (from 0): each round starts one further on, so that no place is always first. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const shift = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(shift), ...items.slice(0, shift)];
}
