/**
 * What may be said on the command line of the engine bench.
 *
 * @module
 */
import { parseArgs } from "node:util";

export interface EngineBenchOptions {
  readonly rounds: number;
  /** MiB of each data set on the processor. */
  readonly cpuMib: number;
  /** MiB of what lies resident on the device, and of the largest batch, by whether the adapter is software. */
  readonly gpuMib: { readonly hardware: number; readonly software: number };
  /** Measured in a worker of a Chromium that gets these switches, too; undefined: in Node. */
  readonly chromiumArgs: readonly string[] | undefined;
}

/** Buffers grow to powers of two, and with more than that some would be larger than what may be bound everywhere. */
const MOST_MIB = 60;

/** @throws Error with a sentence for the person at the terminal */
export function parseOptions(args: readonly string[]): EngineBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string" },
      mib: { type: "string" },
      quick: { type: "boolean", default: false },
      browser: { type: "boolean", default: false },
      "chromium-args": { type: "string", default: "" },
    },
  });
  const mib = (absent: number): number => wholeNumber("mib", values.mib, absent, MOST_MIB);
  const usual = mib(values.quick ? 4 : 16);
  return {
    rounds: wholeNumber("rounds", values.rounds, values.quick ? 1 : 3, 99),
    cpuMib: usual,
    // A processor that plays a GPU compresses some 1 MB/s.
    gpuMib: { hardware: usual, software: mib(values.quick ? 1 : 2) },
    chromiumArgs: values.browser ? values["chromium-args"].split(" ").filter((word) => word !== "") : undefined,
  };
}

function wholeNumber(name: string, text: string | undefined, absent: number, most: number): number {
  const value = text === undefined ? absent : Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`--${name} takes a whole number from 1 to ${most}`);
  }
  return value;
}
