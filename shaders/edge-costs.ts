/**
 * What a pack of each size costs at each edge, as core/schedule/cost.ts finds it, to the microsecond.
 *
 * Bindings: edges u32[edges, 4] (bytes per second, ready µs, weight, 0), sizes u32[sizes] (bytes of a pack), costs
 * u32[sizes, edges], params u32[4] (edges, sizes, 0, 0). One invocation per pair of size and edge.
 *
 * @module
 */
import type { EdgeTerms } from "../core/schedule/cost.ts";
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

/** The only variant. */
export const edgeCosts: ShaderDescriptor = {
  name: "edge-costs",
  source: SOURCES["edge-costs"],
  bindings: ["read", "read", "write", "uniform"],
  overrides: {},
  workgroupInvocations: 64,
  workgroupBytes: 0,
};

/** The terms of all edges as the shader reads them, u32[edges, 4]: a fresh array. */
export function edgeWords({ bytesPerSec, readyUs, weight }: EdgeTerms): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(4 * bytesPerSec.length);
  for (let edge = 0; edge < bytesPerSec.length; edge++)
    words.set([bytesPerSec[edge] ?? 0, readyUs[edge] ?? 0, weight[edge] ?? 0], 4 * edge);
  return words;
}
