/**
 * Bytes for the kernels bench that every checkout has: random, program text, and the machine code of Node itself.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { MIB } from "../../core/units.ts";
import { ROOT } from "../../scripts/lib/process.ts";
import { noise } from "../../tests/support/bytes.ts";

/** Bytes of each data set: what one piece may have. */
const BYTES = 8 * MIB;
/** Behind the headers and tables of the program file. */
const CODE_OFFSET = 32 * MIB;

export interface KernelData {
  readonly random: Uint8Array<ArrayBuffer>;
  readonly text: Uint8Array<ArrayBuffer>;
  readonly code: Uint8Array<ArrayBuffer>;
}

export function loadKernelData(): KernelData {
  const folder = join(ROOT, "node_modules/typescript/lib");
  const sources = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const text = Buffer.concat(sources.sort().map((name) => readFileSync(join(folder, name)))).subarray(0, BYTES);
  const code = Buffer.alloc(BYTES);
  const program = openSync(process.execPath, "r");
  readSync(program, code, 0, BYTES, CODE_OFFSET);
  closeSync(program);
  return { random: noise(BYTES, "kernels"), text, code };
}
