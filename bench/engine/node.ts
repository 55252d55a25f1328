/**
 * The measurement in Node, on Dawn of the npm package `webgpu`.
 *
 * @module
 */
import { testGpu } from "../../tests/support/gpu.ts";
import { loadEngine, loadKernels } from "../../tests/support/kernels.ts";
import { loadKernelData } from "../kernels/data.ts";
import { laneContests } from "./lanes.ts";
import { type Extent, type Findings, type Host, measure } from "./measure.ts";
import { peerContests } from "./peers.ts";

/** Measures in this process. */
export function measureInNode(extent: Extent, report: Pick<Host, "tell" | "began" | "ended">): Promise<Findings> {
  const host: Host = {
    findGpu: testGpu,
    loadEngine,
    loadKernels,
    loadData: async () => loadKernelData(),
    peers: peerContests,
    threads: laneContests,
    ...report,
  };
  return measure(host, extent);
}
