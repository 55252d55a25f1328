/**
 * The cheapest edges of each row among those that hold its packs: what core/schedule/cost.ts gives, for rows so many that
 * the holders are a dense matrix of bits.
 *
 * Bindings: costs u32[sizes, edges] (of `edge-costs`), size_of u32[rows] (a row of costs), holders u32[rows, words] (one bit
 * per edge, ⌈edges ÷ 32⌉ words, bits behind the last edge are ignored), best u32[rows, BEST], params u32[4] (rows, edges, 0, 0).
 * One workgroup per row.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

const LANES = 64;
/** The most that a variant keeps for each row. */
export const MOST_BEST_EDGES = 8;

/** The variant that keeps `k` edges for each row, 1 to `MOST_BEST_EDGES`. */
export function bestEdgesShader(k: number): ShaderDescriptor {
  return {
    name: "best-edges",
    source: SOURCES["best-edges"],
    bindings: ["read", "read", "read", "write", "uniform"],
    overrides: { BEST: k },
    workgroupInvocations: LANES,
    workgroupBytes: 2 * 4 * LANES * MOST_BEST_EDGES,
  };
}
