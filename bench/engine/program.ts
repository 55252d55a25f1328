/**
 * How much smaller the `lz4` program makes the same bytes.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { LZ4_BLOCK_BYTES } from "../../core/compress/lz4-frame.ts";
import { MIB } from "../../core/units.ts";
import type { KernelData } from "../kernels/data.ts";
import type { Row } from "./contest.ts";
import { DATA_NAMES, repeatedTo } from "./data.ts";

/** Magic, header and end mark of a frame, and the size word of each block. */
const FRAME_BYTES = 11;
const SIZE_BYTES = 4;

/** The rows, those of compression with the ratio of `lz4 -1 -B4 -BI` where that program is installed. */
export function withProgramRatios(
  rows: readonly Row[],
  data: KernelData,
  mib: { readonly residentMib: number; readonly cpuMib: number },
): Row[] {
  const known = new Map<string, number | undefined>();
  return rows.map((row) => {
    const name = DATA_NAMES.find((each) => each === row.data);
    if (row.smaller === undefined || name === undefined) return row;
    const length = MIB * (row.part === "stage" ? mib.residentMib : mib.cpuMib);
    const key = `${name} ${length}`;
    if (!known.has(key)) known.set(key, programRatio(repeatedTo(data[name], length)));
    return { ...row, smallerByProgram: known.get(key) };
  });
}

/** Plain bytes for each compressed byte, stored blocks included; undefined without the program. */
function programRatio(plain: Uint8Array): number | undefined {
  const args = ["-1", "-B4", "-BI", "--no-frame-crc", "-c"];
  const { stdout, status } = spawnSync("lz4", args, { input: plain, maxBuffer: 2 * plain.length + MIB });
  if (status !== 0) return undefined;
  const blocks = Math.ceil(plain.length / LZ4_BLOCK_BYTES);
  return plain.length / (stdout.length - FRAME_BYTES - SIZE_BYTES * blocks);
}
