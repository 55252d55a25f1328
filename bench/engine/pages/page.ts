/**
 * The page of the engine bench: starts the worker, and hands its words on.
 *
 * @module
 */
import { ask, startWorker } from "../../transfer/pages/ask.ts";
import type { Extent, Findings } from "../measure.ts";
import engineUrl from "./engine.worker.ts?worker&url";

/** What the page has in its global scope: one function of its own, and one that the bench puts there. */
export interface BenchScope {
  measure(extent: Extent): Promise<Findings>;
  report(event: string, value: unknown): Promise<void>;
}

const scope = globalThis as unknown as BenchScope;

scope.measure = (extent) => {
  return ask(startWorker(engineUrl), extent, (event, value) => void scope.report(event, value)) as Promise<Findings>;
};
