/**
 * How a line is shared: nobody gets more than it can use, and what that leaves goes to the others in equal parts.
 *
 * @module
 */

/** What each of `wishes` gets of `total`, in the same unit. */
export function fairShares(wishes: readonly number[], total: number): number[] {
  const shares = wishes.map(() => 0);
  const order = wishes.map((_, i) => i).sort((a, b) => (wishes[a] ?? 0) - (wishes[b] ?? 0));
  let left = total;
  for (const [done, i] of order.entries()) {
    const share = Math.min(wishes[i] ?? 0, left / (order.length - done));
    shares[i] = share;
    left -= share;
  }
  return shares;
}
