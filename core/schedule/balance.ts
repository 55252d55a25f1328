/**
 * Spreads the packs that wait over the edges that hold them, so that all edges finish together. Only numbers of packs
 * move here; what has been started stays where it is.
 *
 * @module
 */
import { type Group, headOf, type Level } from "./dispatch-queue.ts";

/** What each edge has to do, by its number. */
export interface Loads {
  /** Microseconds, weighted, until an edge is through with what it has and what has been spread so far. Changed by `balance`. */
  readonly loadUs: Float64Array;
  /** Microseconds, weighted, that one pack more takes; Infinity for an edge that must get none. */
  readonly packUs: Float64Array;
  /** Who goes first where all else is equal: any fixed order of the edges, as numbers from 0 on. */
  readonly ties: Float64Array;
  /** Changes whenever an edge begins or ceases to be usable. */
  readonly version: number;
}

/** Groups in a level up to which their order is found anew each time. */
const FEW_GROUPS = 64;
/** Times that the groups of a level are spread, one after the other, at most. */
const MAX_SWEEPS = 6;

/**
 * Adds a level's packs to the loads and sets the shares of its groups: each share is what its edge should take next. The
 * shares of the time before are the start, so that a large level, of which `budget` allows only a part to be looked at,
 * comes to rest over several calls.
 *
 * @param budget pairs of group and edge that may be looked at; of a level of few groups all are looked at once in any case.
 *   `level.shared` tells how far it came
 * @returns pairs looked at
 */
export function balance(level: Level, loads: Loads, budget: number): number {
  sortGroups(level, loads);
  const { order } = level;
  let spent = 0;
  level.shared = 0;
  for (const group of order) {
    if (spent >= budget && level.shared >= FEW_GROUPS) break;
    level.shared += 1;
    spent += group.shares.length;
    if (!addShares(group, loads)) spread(group, loads);
  }
  if (order.length === 1) return spent;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let moved = false;
    for (let i = 0; i < level.shared; i++) {
      const group = order[i];
      if (spent >= budget || group === undefined) return spent;
      spent += group.shares.length;
      removeShares(group, loads);
      moved = spread(group, loads) || moved;
    }
    if (!moved) break;
  }
  return spent;
}

/** Rarest first, then by the lowest number; in a level of many groups not each time that one comes. */
function sortGroups(level: Level, loads: Loads): void {
  const { groups, order, unsorted, sortedFor } = level;
  if (order.length === 1) return;
  const isFresh = sortedFor === loads.version && order.length < 2 * groups.size && unsorted * 4 < order.length;
  if (isFresh && groups.size > FEW_GROUPS) return;
  const keyed = [...groups.values()].map((group) => {
    const rarity = group.holders.edges.reduce((sum, edge) => sum + Number(isUsable(edge, loads)), 0);
    return { group, rarity, first: headOf(group)?.pack ?? 0 };
  });
  keyed.sort((a, b) => a.rarity - b.rarity || a.first - b.first);
  level.order = keyed.map(({ group }) => group);
  level.unsorted = 0;
  level.sortedFor = loads.version;
}

function isUsable(edge: number, loads: Loads): boolean {
  return (loads.packUs[edge] ?? Number.POSITIVE_INFINITY) !== Number.POSITIVE_INFINITY;
}

/** Adds the shares that a group has. False, and nothing added, where they have to be found anew. */
function addShares(group: Group, loads: Loads): boolean {
  const { shares } = group;
  const { edges } = group.holders;
  // Of many groups together most stay as they are; one alone is as soon spread again.
  if (group.level.groups.size === 1) return false;
  let sum = 0;
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i] ?? 0;
    if (share > 0 && !isUsable(edges[i] ?? 0, loads)) return false;
    sum += share;
  }
  if (sum !== group.count) return false;
  for (let i = 0; i < shares.length; i++) addLoad(loads, edges[i] ?? 0, shares[i] ?? 0);
  return true;
}

function removeShares(group: Group, loads: Loads): void {
  for (let i = 0; i < group.shares.length; i++) addLoad(loads, group.holders.edges[i] ?? 0, -(group.shares[i] ?? 0));
}

function addLoad(loads: Loads, edge: number, packs: number): void {
  if (packs !== 0) loads.loadUs[edge] = (loads.loadUs[edge] ?? 0) + packs * (loads.packUs[edge] ?? 0);
}

/** Whole packs of one group, over its holders, to the least time at which the last of them is through. True if a share changed. */
function spread(group: Group, loads: Loads): boolean {
  const { shares } = group;
  const { edges } = group.holders;
  if (group.count === 1) return spreadOne(group, loads);
  const { loadUs, packUs } = loads;
  let level = Number.POSITIVE_INFINITY;
  // Packs as if they could be cut. The edges that begin after this level get none, which lowers the level of the others' share.
  for (;;) {
    let speed = 0;
    let head = 0;
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i] ?? 0;
      const each = packUs[edge] ?? Number.POSITIVE_INFINITY;
      const load = loadUs[edge] ?? 0;
      if (each === Number.POSITIVE_INFINITY || load >= level) continue;
      speed += 1 / each;
      head += load / each;
    }
    const next = speed === 0 ? 0 : (group.count + head) / speed;
    if (next >= level || speed === 0) break;
    level = next;
  }
  const before = shares.slice();
  let left = group.count;
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i] ?? 0;
    const each = packUs[edge] ?? Number.POSITIVE_INFINITY;
    const usable = each !== Number.POSITIVE_INFINITY && level !== Number.POSITIVE_INFINITY;
    const whole = usable ? Math.min(left, Math.max(0, Math.floor((level - (loadUs[edge] ?? 0)) / each))) : 0;
    shares[i] = whole;
    left -= whole;
    addLoad(loads, edge, whole);
  }
  while (left > 0) {
    const i = soonest(edges, loads);
    if (i === -1) break;
    shares[i] = (shares[i] ?? 0) + 1;
    left -= 1;
    addLoad(loads, edges[i] ?? 0, 1);
  }
  return shares.some((share, i) => share !== before[i]);
}

/** The same for a group of one. */
function spreadOne({ shares, holders }: Group, loads: Loads): boolean {
  const i = soonest(holders.edges, loads);
  const moved = shares[i] !== 1;
  shares.fill(0);
  if (i === -1) return false;
  shares[i] = 1;
  addLoad(loads, holders.edges[i] ?? 0, 1);
  return moved;
}

/** Position in `edges` of the edge that would be through with one pack more before all others; -1 if none may have it. */
function soonest(edges: readonly number[], { loadUs, packUs, ties }: Loads): number {
  let best = -1;
  let bestUs = Number.POSITIVE_INFINITY;
  let bestTie = 0;
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i] ?? 0;
    const us = (loadUs[edge] ?? 0) + (packUs[edge] ?? Number.POSITIVE_INFINITY);
    const tie = ties[edge] ?? 0;
    if (us < bestUs || (us === bestUs && us !== Number.POSITIVE_INFINITY && tie < bestTie)) {
      best = i;
      bestUs = us;
      bestTie = tie;
    }
  }
  return best;
}
