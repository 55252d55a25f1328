/**
 * What may be said on the command line of the transfer bench.
 *
 * @module
 */
import { parseArgs } from "node:util";

export interface TransferOptions {
  readonly rounds: number;
  /** MiB of each data set. */
  readonly mib: number;
  /** MiB of the large transfer of the memory part; 0 leaves that part out. */
  readonly largeMib: number;
  /** Seconds that a sample may wait for a quiet machine. */
  readonly patienceSeconds: number;
  /** Competitors to run, by name; all when empty. */
  readonly only: readonly string[];
  /** Where the relay, tus and the browsers keep their files; the system's temporary folder when undefined. */
  readonly folder: string | undefined;
  /** Where the relay writes a processor profile, or undefined. */
  readonly profile: string | undefined;
}

/** @throws Error with a sentence for the person at the terminal */
export function parseOptions(args: readonly string[]): TransferOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string" },
      mib: { type: "string" },
      large: { type: "string" },
      patience: { type: "string" },
      only: { type: "string" },
      folder: { type: "string" },
      profile: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick, folder, profile, only } = values;
  return {
    rounds: wholeNumber("rounds", values.rounds, quick ? 1 : 3, 1),
    mib: wholeNumber("mib", values.mib, quick ? 32 : 256, 1),
    largeMib: wholeNumber("large", values.large, quick ? 0 : 2048, 0),
    patienceSeconds: wholeNumber("patience", values.patience, quick ? 0 : 10, 0),
    only: only === undefined ? [] : only.split(","),
    folder,
    profile,
  };
}

function wholeNumber(name: string, text: string | undefined, absent: number, least: number): number {
  const value = text === undefined ? absent : Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} takes a whole number from ${least} on`);
  return value;
}
