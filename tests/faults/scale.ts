/**
 * How often a fault is injected: a few times in `npm test`, in full in `npm run test:faults`.
 *
 * @module
 */

/** The number of rounds for this run. */
export function rounds(short: number, full: number): number {
  return process.env["WARP_FAULTS"] === "full" ? full : short;
}
