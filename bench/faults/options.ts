/**
 * What may be said on the command line of the faults bench.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** The parts of the bench, in their order. */
export const PARTS = ["recovery", "lines", "relay"] as const;
export type Part = (typeof PARTS)[number];

export interface FaultsOptions {
  /** Of each fault; numbers are medians. */
  readonly rounds: number;
  /** For which each line is measured, after it has warmed up. */
  readonly seconds: number;
  /** Only the clean line and the one of the aim, no long cuts, and a tenth of the relay's load. */
  readonly isQuick: boolean;
  readonly parts: readonly Part[];
}

/** @throws Error with a sentence for the person at the terminal */
export function parseOptions(args: readonly string[]): FaultsOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick, only } = values;
  const wanted = only === undefined ? [...PARTS] : only.split(",");
  const parts = PARTS.filter((part) => wanted.includes(part));
  if (parts.length !== wanted.length) throw new Error(`--only takes names out of ${PARTS.join(", ")}`);
  return {
    rounds: wholeNumber("rounds", values.rounds, quick ? 1 : 3),
    seconds: wholeNumber("seconds", values.seconds, quick ? 5 : 15),
    isQuick: quick,
    parts,
  };
}

function wholeNumber(name: string, text: string | undefined, absent: number): number {
  const value = text === undefined ? absent : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1 on`);
  return value;
}
