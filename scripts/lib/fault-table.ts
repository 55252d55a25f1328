/**
 * The table of the faults that are promised to cost nothing: each with the tests that inject it, how often, how many
 * passed and how long that took.
 *
 * @module
 */
import type { VitestReport } from "./tally.ts";

/** A fault and what proves that it is survived. */
export interface Fault {
  /** Its number, with which the titles of its tests begin: `R5: a transfer …`. */
  readonly id: string;
  readonly what: string;
  /** Parts of paths of tests that prove it under other titles. */
  readonly elsewhere?: readonly string[];
}

/** Every fault that must have a test. */
export const FAULTS: readonly Fault[] = [
  { id: "R1", what: "relay killed in mid-transfer", elsewhere: ["integration/relay-crash"] },
  { id: "R2", what: "store killed" },
  { id: "R3", what: "sender's tab killed" },
  { id: "R4", what: "receiver's tab killed" },
  { id: "R5", what: "network cut, address changed" },
  { id: "R6", what: "loss, bursts, reordering" },
  { id: "R7", what: "UDP blocked, captive portal, proxies", elsewhere: ["faults/network-http"] },
  { id: "R8", what: "stored packs damaged" },
  { id: "R9", what: "disk full" },
  { id: "R10", what: "flush and write errors" },
  { id: "R11", what: "clock jumps" },
  { id: "R12", what: "10,000 transfers in the store" },
  { id: "R13", what: "2,000 connections" },
  { id: "R14", what: "slow readers" },
  { id: "R15", what: "soak" },
  { id: "R19", what: "two senders of one portal" },
  { id: "R20", what: "store against its model" },
  { id: "R22", what: "sizes from nothing to beyond 2^32" },
  { id: "S1", what: "hostile names" },
  { id: "S2", what: "hostile contents" },
  { id: "S3", what: "names that are taken, links in the way" },
  { id: "S4", what: "forgeries" },
  { id: "S5", what: "every route and token" },
  { id: "S6", what: "quotas" },
  { id: "S7", what: "decoders fuzzed" },
  { id: "S8", what: "secrets in the browser" },
  { id: "S9", what: "secrets at the relay" },
  { id: "S10", what: "decompression bombs" },
  { id: "S11", what: "slow and greedy clients" },
  { id: "S12", what: "guessing" },
  { id: "S13", what: "headers and content policy" },
  { id: "S14", what: "hostile relay", elsewhere: ["e2e/hostile-relay"] },
  { id: "S15", what: "hostile sender", elsewhere: ["integration/cli-malicious"] },
];

/** One row. */
export interface FaultRow {
  readonly id: string;
  readonly what: string;
  readonly passed: number;
  readonly failed: number;
  /** Counts of the full form, as the test files have them. */
  readonly rounds: readonly number[];
  readonly seconds: number;
}

/** The second arguments of `rounds(short, full)` in a file's text, without ones. */
export function fullCounts(text: string): number[] {
  const found = [...text.matchAll(/\brounds\([^,()]+,\s*([\d_]+)\s*\)/g)].map(([, count]) =>
    Number(count?.replaceAll("_", "")),
  );
  return [...new Set(found)].filter((count) => count > 1).toSorted((a, b) => b - a);
}

/** A row for each fault. `readFile` gives the text of a test file by its absolute path. */
export function faultRows(reports: readonly VitestReport[], readFile: (path: string) => string): FaultRow[] {
  const files = reports.flatMap(({ testResults }) => testResults);
  return FAULTS.map(({ id, what, elsewhere = [] }) => {
    const title = new RegExp(`(?:^|[^A-Z0-9])${id}: `);
    let [passed, failed, ms] = [0, 0, 0];
    const rounds = new Set<number>();
    for (const { name, assertionResults } of files) {
      const isElsewhere = elsewhere.some((part) => name.includes(part));
      const own = assertionResults.filter(({ fullName }) => isElsewhere || title.test(fullName));
      for (const { status, duration } of own) {
        if (status === "passed") passed++;
        else failed++;
        ms += duration ?? 0;
      }
      if (own.length > 0) for (const count of fullCounts(readFile(name))) rounds.add(count);
    }
    return { id, what, passed, failed, rounds: [...rounds].toSorted((a, b) => b - a), seconds: ms / 1000 };
  });
}

/** Whether a fault has a test, and all of its tests passed. */
export function isProven({ passed, failed }: FaultRow): boolean {
  return passed > 0 && failed === 0;
}

/** The table as text. */
export function formatFaults(rows: readonly FaultRow[]): string {
  const head = ["id".padEnd(4), "fault".padEnd(38), "rounds".padEnd(20), "passed".padStart(8), "s".padStart(8)].join(
    " ",
  );
  const lines = rows.map((row) => {
    const total = row.passed + row.failed;
    const passed = total === 0 ? "no test" : `${row.passed}/${total}`;
    const mark = isProven(row) ? "" : "  FAILED";
    const cells = [row.id.padEnd(4), row.what.padEnd(38), row.rounds.join(" ").padEnd(20), passed.padStart(8)];
    return `${cells.join(" ")} ${row.seconds.toFixed(1).padStart(8)}${mark}`;
  });
  return [head, ...lines].join("\n");
}
