/**
 * A snapshot of a transfer over three edges, in the midst of it: a relay over WebTransport, a relay over TCP that is away, and a
 * peer; after four re-plans. Plain data.
 *
 * @module
 */
import type { EdgeSnapshot, EdgesSnapshot, ReplanSnapshot } from "../../core/transfer/edges-snapshot.ts";

const RELAY_A: EdgeSnapshot = {
  edge: 0,
  kind: "webtransport",
  name: "relay-a.example",
  standing: "up",
  health: 0.97,
  bytesPerSec: 61.4e6,
  plannedBytesPerSec: 60e6,
  rttMs: 18.4,
  packs: 120,
  active: 6,
  drift: 1.02,
};
const RELAY_B: EdgeSnapshot = {
  edge: 1,
  kind: "tcp",
  name: "relay-b.example",
  standing: "waiting",
  health: 0.42,
  bytesPerSec: 0,
  plannedBytesPerSec: 24e6,
  rttMs: 64.9,
  packs: 31,
  active: 0,
  drift: 0.45,
};
const PEER: EdgeSnapshot = {
  edge: 2,
  kind: "peer",
  name: "",
  standing: "up",
  health: 1,
  bytesPerSec: 22.6e6,
  plannedBytesPerSec: null,
  rttMs: 0.7,
  packs: 49,
  active: 3,
  drift: null,
};

const REPLANS: readonly ReplanSnapshot[] = [
  {
    atMs: 4_200,
    causes: [{ cause: "edge-new", edges: [2], value: 0 }],
    kind: "full",
    strategy: "hybrid",
    gain: 0.21,
    movedPacks: 40,
  },
  {
    atMs: 31_000,
    causes: [{ cause: "drift", edges: [1], value: 0.45 }],
    kind: "partial",
    strategy: "minimum-disruption",
    gain: 0.08,
    movedPacks: 1,
  },
  {
    atMs: 72_400,
    causes: [
      { cause: "edge-lost", edges: [1], value: 0 },
      { cause: "edge-degraded", edges: [1], value: 0.42 },
    ],
    kind: "full",
    strategy: "cost-optimal",
    gain: 0.12,
    movedPacks: 18,
  },
  {
    atMs: 75_000,
    causes: [{ cause: "manual", edges: [], value: 0 }],
    kind: "nothing",
    strategy: null,
    gain: null,
    movedPacks: null,
  },
];

export const EDGES: EdgesSnapshot = {
  edges: [RELAY_A, RELAY_B, PEER],
  replans: REPLANS,
  replansTotal: 4,
  limit: { kind: "relay", edges: [0] },
  hindrance: null,
  bytesPerSec: 84e6,
  packs: { wanted: 212, active: 9, waiting: 2, duplicates: 5 },
};
