/**
 * Who may hand what to whom, in arrays: classes and their holders as pairs.
 *
 * @module
 */

/** Who may hand what to whom. The arrays belong to the flow from then on. */
export interface FlowShape {
  /** Pairs of class `c` are `start[c]` to `start[c + 1]`, exclusively. */
  readonly start: Uint32Array;
  /** Edge of each pair. */
  readonly holder: Uint16Array;
  /** Classes in the order in which they are served. */
  readonly order: Uint16Array;
  /** Ends of the groups in `order`, ascending. */
  readonly groupEnds: Uint32Array;
  /** How many edges there are. */
  readonly edges: number;
}

/** Classes of each edge, as two arrays: where an edge's begin, and the classes. */
export function pairsByEdge({ start, holder, edges }: FlowShape): [Uint32Array, Uint16Array] {
  const begin = new Uint32Array(edges + 1);
  for (const edge of holder) begin[edge + 1] = (begin[edge + 1] ?? 0) + 1;
  for (let edge = 0; edge < edges; edge++) begin[edge + 1] = (begin[edge + 1] ?? 0) + (begin[edge] ?? 0);
  const next = begin.slice();
  const classes = new Uint16Array(holder.length);
  for (let index = 0; index + 1 < start.length; index++) {
    for (let pair = start[index] ?? 0; pair < (start[index + 1] ?? 0); pair++) {
      const place = next[holder[pair] ?? 0] ?? 0;
      classes[place] = index;
      next[holder[pair] ?? 0] = place + 1;
    }
  }
  return [begin, classes];
}
