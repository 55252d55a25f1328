/**
 * The least makespan that any plan of one priority can have, from another method than the plan's: bisection over the time, and for
 * each time a maximum flow (Dinic) from classes over their holders to what each edge can carry until then.
 *
 * @module
 */

/** One priority's problem in bytes and microseconds. */
export interface FlowProblem {
  /** Bytes of each class. */
  readonly demandBytes: readonly number[];
  /** Edges that may take each class; one that costs nothing to leave out (capacity 0) may be among them. */
  readonly holders: readonly (readonly number[] | Uint16Array)[];
  /** When each edge is free, in weighted microseconds. */
  readonly freeUs: readonly number[];
  /** Bytes that it carries in a weighted microsecond; 0 for an edge that is not to be used. */
  readonly bytesPerUs: readonly number[];
}

const ROUNDS = 60;
/** Bytes of all that a flow may miss and still count as whole: rounding. */
const MISSING_SHARE = 1e-12;

/** The least makespan within `tolerance` (a share of it): never more than the true one by that. Infinity where a class has no edge. */
export function leastMakespanUs(problem: FlowProblem, tolerance = 1e-6): number {
  const { demandBytes, freeUs, bytesPerUs } = problem;
  const total = demandBytes.reduce((sum, bytes) => sum + bytes, 0);
  if (total === 0) return 0;
  const network = new Network(problem);
  const fits = (us: number): boolean => {
    const most = freeUs.map((free, edge) => Math.max(0, us - free) * (bytesPerUs[edge] ?? 0));
    return network.flow(most) >= total * (1 - MISSING_SHARE);
  };
  let low = 0;
  let high = Math.max(1, ...freeUs.filter((_, edge) => (bytesPerUs[edge] ?? 0) > 0));
  for (let round = 0; !fits(high); round++) {
    if (round === ROUNDS) return Number.POSITIVE_INFINITY;
    low = high;
    high *= 2;
  }
  while (high - low > tolerance * high) {
    const middle = (low + high) / 2;
    if (fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Nodes: source, classes, edges, sink. Arcs stand in pairs, the second of each being the way back. */
class Network {
  readonly #first: Int32Array;
  readonly #next: number[] = [];
  readonly #to: number[] = [];
  readonly #capacity: number[] = [];
  #left = new Float64Array(0);
  readonly #depth: Int32Array;
  readonly #current: Int32Array;
  readonly #sink: number;
  readonly #edgeArcs: number[] = [];

  constructor({ demandBytes, holders, freeUs }: FlowProblem) {
    const classes = demandBytes.length;
    const nodes = classes + freeUs.length + 2;
    this.#sink = nodes - 1;
    this.#first = new Int32Array(nodes).fill(-1);
    this.#depth = new Int32Array(nodes);
    this.#current = new Int32Array(nodes);
    for (const [index, bytes] of demandBytes.entries()) {
      this.#link(0, 1 + index, bytes);
      for (const edge of holders[index] ?? []) this.#link(1 + index, 1 + classes + edge, Number.POSITIVE_INFINITY);
    }
    for (let edge = 0; edge < freeUs.length; edge++) {
      this.#edgeArcs.push(this.#to.length);
      this.#link(1 + classes + edge, this.#sink, 0);
    }
  }

  /** Most bytes that get through when edge `e` carries `most[e]`. */
  flow(most: readonly number[]): number {
    this.#left = Float64Array.from(this.#capacity);
    for (const [edge, arc] of this.#edgeArcs.entries()) this.#left[arc] = most[edge] ?? 0;
    let sum = 0;
    while (this.#measure()) {
      this.#current.set(this.#first);
      for (let pushed = this.#push(0, Number.POSITIVE_INFINITY); pushed > 0; ) {
        sum += pushed;
        pushed = this.#push(0, Number.POSITIVE_INFINITY);
      }
    }
    return sum;
  }

  #link(from: number, to: number, capacity: number): void {
    for (const [tail, head, bytes] of [
      [from, to, capacity],
      [to, from, 0],
    ] as const) {
      this.#next.push(this.#first[tail] ?? -1);
      this.#first[tail] = this.#to.length;
      this.#to.push(head);
      this.#capacity.push(bytes);
    }
  }

  /** Breadth first from the source; false when the sink is out of reach. */
  #measure(): boolean {
    this.#depth.fill(-1);
    this.#depth[0] = 0;
    const queue = [0];
    for (const node of queue) {
      for (let arc = this.#first[node] ?? -1; arc !== -1; arc = this.#next[arc] ?? -1) {
        const head = this.#to[arc] ?? 0;
        if ((this.#left[arc] ?? 0) <= 1e-6 || this.#depth[head] !== -1) continue;
        this.#depth[head] = (this.#depth[node] ?? 0) + 1;
        queue.push(head);
      }
    }
    return this.#depth[this.#sink] !== -1;
  }

  /** Depth first along arcs that lead away from the source. Gives what got to the sink. */
  #push(node: number, bytes: number): number {
    if (node === this.#sink) return bytes;
    for (; this.#current[node] !== -1; this.#current[node] = this.#next[this.#current[node] ?? 0] ?? -1) {
      const arc = this.#current[node] ?? 0;
      const head = this.#to[arc] ?? 0;
      const left = this.#left[arc] ?? 0;
      if (left <= 1e-6 || this.#depth[head] !== (this.#depth[node] ?? 0) + 1) continue;
      const pushed = this.#push(head, Math.min(bytes, left));
      if (pushed <= 0) continue;
      this.#left[arc] = left - pushed;
      this.#left[arc ^ 1] = (this.#left[arc ^ 1] ?? 0) + pushed;
      return pushed;
    }
    return 0;
  }
}
