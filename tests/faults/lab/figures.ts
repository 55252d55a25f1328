/**
 * What a test of a fault measured, beside whether it passed: a line of JSON for each, which `npm run test:faults` prints
 * with its table.
 *
 * @module
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../scripts/lib/process.ts";
import type { Outcome } from "./stage.ts";

const FOLDER = join(ROOT, ".cache/faults");

/** Notes numbers under a heading such as `R5 cut of 5 s, webtransport`. */
export function noteFigures(heading: string, figures: Readonly<Record<string, number | string>>): void {
  mkdirSync(FOLDER, { recursive: true });
  appendFileSync(join(FOLDER, "figures.jsonl"), `${JSON.stringify({ heading, figures })}\n`);
}

/** Notes what a transfer with a fault came to. */
export function noteOutcome(heading: string, outcome: Outcome): void {
  const { senderMs, receiverMs, sentTwiceBytes, fetchedTwiceBytes, turns } = outcome;
  noteFigures(heading, { senderMs, receiverMs, sentTwiceBytes, fetchedTwiceBytes, turns });
}
