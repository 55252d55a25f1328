/**
 * Samples of a rate as a line on a chart. Pure.
 *
 * @module
 */

/** What a chart spans: the time until `nowMs`, rates from 0 to `top`, and its own size in units of the drawing. */
export interface ChartSpan {
  readonly nowMs: number;
  readonly spanMs: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** `points` of an SVG polyline; what is older than the span is left out. */
export function linePoints(
  samples: readonly { readonly atMs: number; readonly bytesPerSec: number }[],
  { nowMs, spanMs, top, width, height }: ChartSpan,
): string {
  const short = (value: number) => String(Math.round(value * 10) / 10);
  return samples
    .filter(({ atMs }) => atMs <= nowMs && nowMs - atMs <= spanMs)
    .map(({ atMs, bytesPerSec }) => {
      const x = width * (1 - (nowMs - atMs) / spanMs);
      const y = height * (1 - Math.min(1, bytesPerSec / top));
      return `${short(x)},${short(y)}`;
    })
    .join(" ");
}

/** The next of 1, 2, 5, 10, 20 … (MB/s) that is no less; the end of an axis. @param bytesPerSec ≥ 0 */
export function roundUp(bytesPerSec: number): number {
  const least = Math.max(1e5, bytesPerSec);
  const power = 10 ** Math.floor(Math.log10(least) + 1e-9);
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= least * (1 - 1e-9)) ?? least;
}
