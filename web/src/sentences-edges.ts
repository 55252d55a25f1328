/**
 * Sentences for people about the edges of a transfer: what carries it, and what limits it. A new word of a snapshot does not
 * compile until it has its words here.
 *
 * @module
 */
import type { EdgeKind } from "../../core/edge/pack-edge.ts";
import type { BottleneckKind } from "../../core/orchestrate/bottleneck.ts";
import type { EdgeSnapshot, EdgeStanding, EdgesSnapshot } from "../../core/transfer/edges-snapshot.ts";
import type { Bottleneck } from "../../core/transfer/snapshot.ts";
import { formatPlural, formatRate } from "./lib/format.ts";

/** More edges than this are counted and not named. */
const MOST_NAMES = 3;

const LIST = new Intl.ListFormat("en", { type: "conjunction" });

export const EDGE_KINDS = {
  webtransport: "Relay, WebTransport",
  tcp: "Relay, TCP",
  peer: "Directly, WebRTC",
} as const satisfies Record<EdgeKind, string>;

export const STANDINGS = {
  up: "connected",
  waiting: "away, being tried again",
  resting: "not needed now",
  barred: "left out: it gave wrong bytes",
} as const satisfies Record<EdgeStanding, string>;

/** What each edge is called, by its number: a relay by its host, peers by their order. */
export function edgeNames(edges: readonly EdgeSnapshot[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  let peers = 0;
  for (const { edge, kind, name } of edges) {
    const isPeer = kind === "peer" || name === "";
    if (isPeer) peers += 1;
    names.set(edge, isPeer ? `peer ${peers}` : name);
  }
  return names;
}

/** The same, with ways to one relay told apart: "relay-a.example (Relay, TCP)". */
export function wayNames(edges: readonly EdgeSnapshot[]): ReadonlyMap<number, string> {
  const names = edgeNames(edges);
  const all = [...names.values()];
  return new Map(
    edges.map(({ edge, kind }) => {
      const name = names.get(edge) ?? "";
      const isOnly = all.indexOf(name) === all.lastIndexOf(name);
      return [edge, isOnly || kind === null ? name : `${name} (${EDGE_KINDS[kind]})`];
    }),
  );
}

/** "relay-a.example, relay-b.example, and peer 1"; edges that are not known are left out, two ways to one relay are named once. */
export function namesOf(edges: readonly number[], names: ReadonlyMap<number, string>): string {
  return LIST.format(new Set(edges.flatMap((edge) => names.get(edge) ?? [])));
}

/** Those that a limit is about. */
interface Limiting {
  readonly count: number;
  /** "relay-a.example and relay-b.example"; null where they are too many, or none is known. */
  readonly names: string | null;
  /** All peers that carry something are among them. */
  readonly isAllPeers: boolean;
  /** The stage that the others wait for, which says more where no edge is at its limit. */
  readonly stage: Bottleneck | null;
}

const STAGES = {
  reading: "limited by this device's disk",
  engine: "limited by this device's processor",
  network: "limited by the network",
  writing: "limited by this device's disk",
} as const satisfies Record<Bottleneck, string>;

/** Follows a rate in one sentence. */
export const LIMITS = {
  upload: () => "limited by your upload",
  download: () => "limited by your download",
  relay: ({ count, names }) => {
    if (names === null) return `limited by the way to ${count > 0 ? formatPlural(count, "relay") : "the relays"}`;
    return `limited by the way to ${names}`;
  },
  peer: ({ count, names, isAllPeers }) => {
    if (isAllPeers || names === null) return `limited by the ${count === 1 ? "peer" : "peers"}`;
    return `limited by ${names}`;
  },
  holders: ({ count, names }) =>
    count === 1
      ? `limited by ${names ?? "one connection"}: nobody else has what is left`
      : `limited by ${names ?? "a few connections"}: nobody else has what is left`,
  disk: () => STAGES.reading,
  engine: () => STAGES.engine,
  unknown: ({ stage }) => (stage === null ? "nothing is at its limit" : STAGES[stage]),
} as const satisfies Record<BottleneckKind, (limiting: Limiting) => string>;

/**
 * "2 relays and 1 peer, 84 MB/s, limited by your upload."; null while no edge carries anything.
 *
 * @param stage what the transfer's stages wait for
 */
export function edgesSentence(snapshot: EdgesSnapshot | null, stage: Bottleneck | null): string | null {
  const working = snapshot?.edges.filter(({ bytesPerSec }) => bytesPerSec > 0) ?? [];
  if (snapshot === null || working.length === 0) return null;
  const peers = working.filter(({ kind }) => kind === "peer");
  const relays = new Set(working.filter(({ kind }) => kind !== "peer").map(({ name }) => name)).size;
  const counts = [relays > 0 && formatPlural(relays, "relay"), peers.length > 0 && formatPlural(peers.length, "peer")];
  const who = counts.filter((count) => count !== false).join(" and ");
  return `${who}, ${formatRate(snapshot.bytesPerSec)}, ${limitWords(snapshot, peers, stage)}.`;
}

/** "limited by your upload" */
function limitWords({ edges, limit }: EdgesSnapshot, peers: readonly EdgeSnapshot[], stage: Bottleneck | null): string {
  const all = edgeNames(edges);
  const known = limit.edges.filter((edge) => all.has(edge));
  const count = new Set(known.map((edge) => all.get(edge))).size;
  return LIMITS[limit.kind]({
    count,
    names: count === 0 || count > MOST_NAMES ? null : namesOf(known, all),
    isAllPeers: peers.length > 0 && peers.every(({ edge }) => known.includes(edge)),
    stage,
  });
}
