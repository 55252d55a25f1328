/**
 * The contract of a sink, for every kind of sink.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import {
  type Arrived,
  type CaseEntry,
  caseBytes,
  type Outcome,
  SINK_CASES,
  type SinkCase,
  sha256,
} from "./sink-cases.ts";

export interface SinkSubject {
  readonly name: string;
  /** Files that arrived whole stay after an abort; a sink that is one stream shows nothing then. */
  readonly keepsWholeFiles: boolean;
  /** Several entries come as an archive. */
  readonly archives: boolean;
  /** Runs one case in the browser. */
  run(each: SinkCase): Promise<Outcome>;
}

/** Declares the contract's tests for one kind of sink. */
export function describeSink(subject: SinkSubject): void {
  describe(`the ${subject.name} sink`, () => {
    it.each(SINK_CASES)("$rule", async (each) => {
      const outcome = await subject.run(each);
      expect(outcome.failure).toBeNull();
      const whole = each.end === "finish" ? each.entries : subject.keepsWholeFiles ? wholeFiles(each) : [];
      const seen = outcome.arrived ?? [];
      expect(seen.toSorted(byPath)).toEqual(
        (await Promise.all(whole.map((entry) => expected(entry, subject.archives)))).toSorted(byPath),
      );
      if (each.end !== "finish" && !subject.keepsWholeFiles) expect(outcome.arrived).toBeNull();
    });
  });
}

function wholeFiles(each: SinkCase): readonly CaseEntry[] {
  return each.end === "abort-in-last-file" ? each.entries.slice(0, -1) : each.entries;
}

async function expected(entry: CaseEntry, archives: boolean): Promise<Arrived> {
  const { kind, size } = entry;
  const path = (archives ? entry.arrivesZipped : undefined) ?? entry.arrives ?? entry.path;
  if (kind === "directory") return { kind, path, size, hash: "" };
  return { kind, path, size, hash: await sha256(caseBytes(entry.path, 0, size)) };
}

function byPath(a: Arrived, b: Arrived): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : a.size - b.size;
}
