/**
 * Numbers that nobody can foresee, for a question about a few places of many.
 *
 * @module
 */

/** `count` different numbers from 1 to `most`, in rising order. `count` must be at most `most`. */
export function drawNumbers(count: number, most: number): readonly number[] {
  const left = Array.from({ length: most }, (_, index) => index + 1);
  const [...random] = crypto.getRandomValues(new Uint32Array(count));
  return random.flatMap((word) => left.splice(word % left.length, 1)).sort((a, b) => a - b);
}
