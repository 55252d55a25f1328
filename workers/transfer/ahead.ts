/**
 * The packs that a send makes again for browsers nearby that came late.
 *
 * @module
 */
import { Ahead } from "../../core/transfer/ahead.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import type { Sender } from "../../core/transfer/sender.ts";
import { systemClock } from "../../platform/clock.ts";
import type { Peers } from "./peers.ts";

/** Lays packs out on the peers' shelf until the signal aborts. @param sender one with a journal */
export function layAhead(sender: Sender, peers: Peers, progress: Pick<Progress, "paused">, signal: AbortSignal): void {
  const ahead = new Ahead({
    shelf: peers.shelf,
    made: () => sender.packs,
    remake: (wanted, take) => sender.remake(wanted, take),
    clock: systemClock,
    signal,
  });
  peers.onEdges = (edges) => {
    if (!progress.paused) ahead.look(edges.map(({ held }) => held));
  };
}
