/**
 * R5: the line is cut for a while, or the browsers' address changes. Nobody does anything about it; the transfer goes on
 * by itself.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PathKind } from "../../../core/transfer/snapshot.ts";
import { MIB } from "../../../core/units.ts";
import { noteOutcome } from "../lab/figures.ts";
import { lineOf } from "../lab/line.ts";
import { NETWORK, openNetwork } from "../lab/network.ts";
import {
  changeAddress,
  cutFor,
  FETCHED_TWICE_BYTES,
  type Outcome,
  openStage,
  SENT_TWICE_BYTES,
  type Stage,
} from "../lab/stage.ts";
import { type Cargo, makeCargo } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

/** At this rate the file takes some seven seconds each way. */
const CARGO_BYTES = 64 * MIB;
const TRANSFER = { line: lineOf(30, 0, { rateMbit: 80, queuePackets: 500 }), limitMs: 120_000 };

/**
 * Cuts by length, with how soon after them it must go on; the short form runs beside other tests and allows for that.
 * Short cuts need not be noticed.
 */
const CUTS = [
  { seconds: 5, withinMs: rounds(10_000, 5_000), times: rounds(1, 10), isNoticed: false },
  { seconds: 60, withinMs: 5_000, times: rounds(0, 5), isNoticed: true },
  { seconds: 600, withinMs: 30_000, times: rounds(0, 1), isNoticed: true },
].filter(({ times }) => times > 0);
/** The short form, which every `npm test` runs, has one path for each fault. */
const CUT_PATHS = (["webtransport", "tcp"] as const).slice(0, rounds(1, 2));
const ADDRESS_PATHS = (["tcp", "webtransport"] as const).slice(0, rounds(1, 2));
/** The old address is gone without a word, so that only silence tells: a few seconds of it, then another connection. */
const ADDRESS_MS = rounds(25_000, 12_000);
const ADDRESS_TIMES = rounds(1, 10);

let stage: Stage;
let cargo: Cargo;

beforeAll(async () => {
  cargo = await makeCargo(CARGO_BYTES, "cut");
  stage = await openStage(await openNetwork());
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await cargo?.[Symbol.asyncDispose]();
});

/** Checks what holds after any fault: equal bytes, soon after it, and little that crossed twice. */
function check(heading: string, outcome: Outcome, withinMs: number): void {
  noteOutcome(heading, outcome);
  expect(outcome.isEqual).toBe(true);
  expect(outcome.senderMs, outcome.turns).toBeLessThanOrEqual(withinMs);
  expect(outcome.receiverMs, outcome.turns).toBeLessThanOrEqual(withinMs);
  expect(outcome.sentTwiceBytes).toBeLessThanOrEqual(SENT_TWICE_BYTES);
  expect(outcome.fetchedTwiceBytes).toBeLessThanOrEqual(FETCHED_TWICE_BYTES);
}

/** Where both work the product starts with WebTransport by itself, and may move. */
function forcedTo(path: PathKind): PathKind | undefined {
  return path === "tcp" ? path : undefined;
}

describe.each(CUT_PATHS)(`R5: a transfer over %s, ${NETWORK},`, (path) => {
  test.each(CUTS)(
    "goes on by itself within $withinMs ms after a cut of $seconds s, $times times",
    async ({ seconds, withinMs, times, isNoticed }) => {
      for (let round = 0; round < times; round++) {
        const outcome = await stage.transfer({ ...TRANSFER, cargo, path: forcedTo(path), disturb: cutFor(seconds) });
        check(`R5 cut of ${seconds} s, ${path}`, outcome, withinMs);
        for (const story of isNoticed ? [outcome.sent, outcome.received] : [])
          expect(story.map(({ state }) => state)).toContain("waiting");
      }
    },
    3_600_000,
  );
});

describe.each(ADDRESS_PATHS)(`R5: a transfer over %s, ${NETWORK},`, (path) => {
  test(`goes on by itself after the browsers' address changed, ${ADDRESS_TIMES} times`, async () => {
    for (let round = 0; round < ADDRESS_TIMES; round++)
      check(
        `R5 address, ${path}`,
        await stage.transfer({ ...TRANSFER, cargo, path: forcedTo(path), disturb: changeAddress }),
        ADDRESS_MS,
      );
  }, 3_600_000);
});
