/**
 * What limits a transfer now, with the numbers of a plain sentence ("2 relays and 1 peer, limited by your upload"). Pure; the
 * sentence is the page's.
 *
 * @module
 */
import type { Direction } from "../edge/bandwidth.ts";

/** Something runs at this share of what it can: that is its limit. */
const FULL = 0.85;
/** A stage at the near end that takes this share of the waiting time is the limit, whatever the edges do. */
const MOSTLY = 0.5;

/** What an edge is, for people. */
export type EdgeKind = "relay" | "peer";

/**
 * - `upload`, `download`: this side's own line;
 * - `relay`, `peer`: the edges named, or the ways to them, carry as much as they ever did;
 * - `holders`: what is still wanted, only the edges named hold;
 * - `disk`, `engine`: this machine;
 * - `unknown`: nothing runs at its limit.
 */
export type BottleneckKind = "upload" | "download" | "relay" | "peer" | "holders" | "disk" | "engine" | "unknown";

/** One edge, as measured over the last seconds. */
export interface EdgeRate {
  readonly edge: number;
  readonly kind: EdgeKind;
  /** What it carries now. */
  readonly bytesPerSec: number;
  /** What it has carried at best. */
  readonly peakBytesPerSec: number;
  /** It had something to carry for this share of the time, 0 to 1. */
  readonly busy: number;
  /** It holds packs that are wanted. */
  readonly isUseful: boolean;
}

/** Everything that is looked at. */
export interface RateView {
  readonly direction: Direction;
  readonly edges: readonly EdgeRate[];
  /** Shares of time that this side waited for each, adding up to at most 1. */
  readonly waits: { readonly disk: number; readonly engine: number };
}

/** The answer. */
export interface Limit {
  readonly kind: BottleneckKind;
  /** The edges that it is about, ascending; empty where it is about this side. */
  readonly edges: readonly number[];
  /** Of all edges that carry something now: how many, and how much together. */
  readonly relays: number;
  readonly peers: number;
  readonly bytesPerSec: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * The own line is the limit when several edges are busy, and all of them at once carry clearly less than each has shown that it
 * can: they share something, and what they share is here. Of one edge alone nobody can say at which end its limit is.
 */
function isLineFull(working: readonly EdgeRate[]): boolean {
  return working.length > 1 && working.every((edge) => edge.busy >= FULL && !isAtPeak(edge));
}

function isAtPeak({ bytesPerSec, peakBytesPerSec }: EdgeRate): boolean {
  return bytesPerSec >= FULL * peakBytesPerSec;
}

function kindOf(view: RateView, working: readonly EdgeRate[]): { kind: BottleneckKind; edges: readonly EdgeRate[] } {
  const { disk, engine } = view.waits;
  if (Math.max(disk, engine) >= MOSTLY) return { kind: disk >= engine ? "disk" : "engine", edges: [] };
  if (working.length === 0) return { kind: "unknown", edges: [] };
  if (isLineFull(working)) return { kind: view.direction === "up" ? "upload" : "download", edges: [] };
  const busy = working.filter((edge) => edge.busy >= FULL);
  if (busy.length === 0) return { kind: "unknown", edges: [] };
  // Others are there and have nothing to give.
  if (busy.length < view.edges.length && view.edges.every((edge) => busy.includes(edge) || !edge.isUseful)) {
    return { kind: "holders", edges: busy };
  }
  const full = busy.filter(isAtPeak);
  if (full.length === 0) return { kind: "unknown", edges: [] };
  const ofRelays = sum(full.filter(({ kind }) => kind === "relay").map(({ bytesPerSec }) => bytesPerSec));
  const kind = 2 * ofRelays >= sum(full.map(({ bytesPerSec }) => bytesPerSec)) ? "relay" : "peer";
  return { kind, edges: full.filter((edge) => edge.kind === kind) };
}

/** What limits the transfer, as far as can be told. */
export function findLimit(view: RateView): Limit {
  const working = view.edges.filter(({ bytesPerSec }) => bytesPerSec > 0);
  const { kind, edges } = kindOf(view, working);
  return {
    kind,
    edges: edges.map(({ edge }) => edge).sort((a, b) => a - b),
    relays: working.filter((edge) => edge.kind === "relay").length,
    peers: working.filter((edge) => edge.kind === "peer").length,
    bytesPerSec: sum(working.map(({ bytesPerSec }) => bytesPerSec)),
  };
}
