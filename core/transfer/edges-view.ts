/**
 * What pages are shown of an orchestrator.
 *
 * @module
 */
import { findLimit } from "../orchestrate/bottleneck.ts";
import type { EdgeFacts } from "../orchestrate/edge-watch.ts";
import type { Orchestrator } from "../orchestrate/orchestrator.ts";
import {
  type EdgeSnapshot,
  type EdgeStanding,
  type EdgesSnapshot,
  type ReplanSnapshot,
  SHOWN_REPLANS,
} from "./edges-snapshot.ts";

/** Shares of time, 0 to 1, that this side waited for its own stages. */
export interface Waits {
  readonly disk: number;
  readonly engine: number;
}

/** A plain value. @param startedMs when the transfer began, on the same clock as `nowMs` */
export function edgesSnapshot(
  orchestrator: Orchestrator,
  direction: "up" | "down",
  waits: Waits,
  startedMs: number,
  nowMs: number,
): EdgesSnapshot {
  const { watches, barred, counts, replans, hindrance } = orchestrator;
  const edges = watches.map((watch): EdgeSnapshot => {
    const { edge, facts } = watch;
    return {
      edge,
      kind: facts.kind,
      name: facts.name,
      standing: barred.has(edge) ? "barred" : standingOf(facts),
      health: watch.health.value(nowMs),
      bytesPerSec: watch.bytesPerSec,
      plannedBytesPerSec: watch.plannedBytesPerSec ?? null,
      rttMs: facts.rttMs,
      packs: watch.packs,
      active: watch.active,
      drift: orchestrator.driftOf(edge, nowMs) ?? null,
    };
  });
  const inUse = watches.filter(({ facts }) => facts.use !== "resting");
  const limit = findLimit({
    direction,
    // What rests has nothing to do with it.
    edges: inUse.map((watch) => ({
      edge: watch.edge,
      kind: watch.facts.kind === "peer" ? "peer" : "relay",
      bytesPerSec: watch.bytesPerSec,
      peakBytesPerSec: watch.bandwidth.peakBytesPerSec,
      busy: watch.busy,
      isUseful: watch.facts.isUp && !barred.has(watch.edge),
    })),
    waits,
  });
  return {
    edges,
    replans: replans.records.slice(-SHOWN_REPLANS).map(
      ({ atMs, reasons, decision, strategy, gain, movedPacks }): ReplanSnapshot => ({
        atMs: atMs - startedMs,
        causes: reasons.map(({ cause, edges: concerned, value }) => ({ cause, edges: concerned, value })),
        kind: decision.kind,
        strategy,
        gain,
        movedPacks,
      }),
    ),
    replansTotal: replans.total,
    limit: { kind: limit.kind, edges: limit.edges },
    hindrance,
    bytesPerSec: limit.bytesPerSec,
    packs: counts,
  };
}

function standingOf({ isUp, use }: EdgeFacts): EdgeStanding {
  if (use === "resting") return "resting";
  return isUp && use !== "silent" ? "up" : "waiting";
}
