/**
 * No schedule can be done before this: the linear program of a world, solved by bisection over maximal flows. Packs may be
 * cut at will there, the future is known, and only honest edges count.
 *
 * @module
 */
import { heldBy, type RateStep, type SimEdge, servingTimes, type World } from "./world.ts";

/** The answer is this exact, as a part of itself. */
const EXACT = 1e-5;
/** What is left over below this part of all bytes is none. */
const NOTHING = 1e-9;

/** Milliseconds, or Infinity where the packs cannot all arrive within the world's time. */
export function lowerBoundMs(world: World): number {
  const classes = holderClasses(world);
  const total = world.packs * world.packBytes;
  const suffices = (ms: number): boolean => {
    const capacities = world.edges.map((edge) => carriedBytes(edge, ms));
    const line = ((world.lineBytesPerSec ?? Number.POSITIVE_INFINITY) * ms) / 1_000;
    return line >= total && maximalFlow(classes, capacities) >= total * (1 - NOTHING);
  };
  if (total === 0) return 0;
  if (!suffices(world.endMs)) return Number.POSITIVE_INFINITY;
  let low = 0;
  let high = world.endMs;
  while (high - low > EXACT * high) {
    const middle = (low + high) / 2;
    if (suffices(middle)) high = middle;
    else low = middle;
  }
  return low;
}

/** Bytes of packs that the same honest edges hold, and these edges. */
interface HeldBytes {
  readonly bytes: number;
  readonly edges: readonly number[];
}

function holderClasses({ packs, packBytes, edges }: World): HeldBytes[] {
  const held = edges.map(heldBy);
  const classes = new Map<string, { bytes: number; edges: number[] }>();
  for (let pack = 0; pack < packs; pack++) {
    const holders = held.flatMap((set, edge) => (edges[edge]?.lie === undefined && set.has(pack) ? [edge] : []));
    const known = classes.get(holders.join());
    if (known === undefined) classes.set(holders.join(), { bytes: packBytes, edges: holders });
    else known.bytes += packBytes;
  }
  return [...classes.values()];
}

/** What an edge can have brought by `ms`: nothing of a request is there before a round trip. */
export function carriedBytes(edge: SimEdge, ms: number): number {
  let bytes = 0;
  for (const [fromMs, toMs] of servingTimes(edge))
    bytes += bytesBetween(edge.rate, fromMs + edge.rttMs, Math.min(toMs, ms));
  return bytes;
}

function bytesBetween(rate: readonly RateStep[], fromMs: number, toMs: number): number {
  let bytes = 0;
  for (const [i, step] of rate.entries()) {
    const start = Math.max(fromMs, step.fromMs);
    const end = Math.min(toMs, rate[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY);
    if (end > start) bytes += ((end - start) / 1_000) * step.bytesPerSec;
  }
  return bytes;
}

/** How many bytes of the classes the edges can take: paths that still have room are found breadth first (Edmonds and Karp). */
function maximalFlow(classes: readonly HeldBytes[], capacities: readonly number[]): number {
  const left = classes.map(({ bytes }) => bytes);
  const room = [...capacities];
  /** Bytes of each class at each edge. */
  const flow = classes.map(() => capacities.map(() => 0));
  const enough = NOTHING * left.reduce((sum, bytes) => sum + bytes, 0);
  let total = 0;
  for (;;) {
    const path = pathWithRoom(classes, left, room, flow, enough);
    if (path === undefined) return total;
    // The path is class, edge, class, edge, …: each edge takes from the class before it and gives some of the next one back.
    let bytes = Math.min(left[path[0] ?? 0] ?? 0, room[path.at(-1) ?? 0] ?? 0);
    for (let i = 1; i + 1 < path.length; i += 2) bytes = Math.min(bytes, flow[path[i + 1] ?? 0]?.[path[i] ?? 0] ?? 0);
    for (let i = 0; i < path.length; i++) {
      const row = flow[path[i - (i % 2)] ?? 0];
      const edge = path[i - (i % 2) + 1] ?? 0;
      if (i % 2 === 0 && row !== undefined) row[edge] = (row[edge] ?? 0) + bytes;
      const back = i % 2 === 1 ? flow[path[i + 1] ?? -1] : undefined;
      if (back !== undefined) back[path[i] ?? 0] = (back[path[i] ?? 0] ?? 0) - bytes;
    }
    left[path[0] ?? 0] = (left[path[0] ?? 0] ?? 0) - bytes;
    room[path.at(-1) ?? 0] = (room[path.at(-1) ?? 0] ?? 0) - bytes;
    total += bytes;
  }
}

function pathWithRoom(
  classes: readonly HeldBytes[],
  left: readonly number[],
  room: readonly number[],
  flow: readonly (readonly number[])[],
  enough: number,
): number[] | undefined {
  const paths = left.flatMap((bytes, i) => (bytes > enough ? [[i]] : []));
  const seenClasses = new Set(paths.map(([first]) => first));
  const seenEdges = new Set<number>();
  for (const path of paths) {
    for (const edge of classes[path.at(-1) ?? 0]?.edges ?? []) {
      if (seenEdges.has(edge)) continue;
      seenEdges.add(edge);
      if ((room[edge] ?? 0) > enough) return [...path, edge];
      for (const [other, row] of flow.entries()) {
        if (seenClasses.has(other) || (row[edge] ?? 0) <= enough) continue;
        seenClasses.add(other);
        paths.push([...path, edge, other]);
      }
    }
  }
  return undefined;
}
