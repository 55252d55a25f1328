/**
 * R6: lines that lose, delay, reorder. Transfers end, whole, and never stand still for long.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIB } from "../../../core/units.ts";
import { noteFigures } from "../lab/figures.ts";
import { lineOf } from "../lab/line.ts";
import { NETWORK, openNetwork } from "../lab/network.ts";
import { openStage, type Stage } from "../lab/stage.ts";
import { StallWatch } from "../lab/traffic.ts";
import { type Cargo, makeCargo } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const CARGO_MIB = rounds(2, 16);
/** A home line; half a second of it may queue. */
const RATE = { rateMbit: 100, queuePackets: 1000 };
const STALL_MS = 10_000;
const LIMIT_MS = 1_200_000;

const MATRIX = [0.01, 0.02, 0.05].flatMap((loss) => [50, 100, 200].map((rttMs) => ({ loss, rttMs })));
const LINES = [
  ...MATRIX.map(({ loss, rttMs }) => ({
    name: `${100 * loss} % lost, ${rttMs} ms round trip`,
    line: lineOf(rttMs, loss, RATE),
    isShort: loss === 0.02 && rttMs === 100,
  })),
  {
    name: "bursts of loss",
    // 2 % in all, 10 packets in a row.
    line: lineOf(100, 0, { ...RATE, burstEnter: 0.002, burstLeave: 0.1 }),
    isShort: true,
  },
  {
    name: "packets out of order",
    line: lineOf(100, 0, { ...RATE, reorder: 0.01, jitterMs: 5 }),
    isShort: true,
  },
].filter(({ isShort }) => rounds(isShort ? 1 : 0, 1) > 0);

let stage: Stage;
let cargo: Cargo;

beforeAll(async () => {
  cargo = await makeCargo(CARGO_MIB * MIB, "loss");
  stage = await openStage(await openNetwork());
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await cargo?.[Symbol.asyncDispose]();
});

describe(`R6: on a line with faults, ${NETWORK},`, () => {
  test.each(LINES)(
    `${CARGO_MIB} MiB arrive whole and without standing still: $name`,
    async ({ name, line }) => {
      using stalls = new StallWatch(stage.network, stage.relayUrl);
      const startedMs = performance.now();
      const outcome = await stage.transfer({ cargo, line, limitMs: LIMIT_MS });
      const seconds = (performance.now() - startedMs) / 1000;
      const megabytesPerSecond = cargo.bytes / 1e6 / seconds;
      noteFigures(`R6 ${name}`, { megabytesPerSecond, stallMs: stalls.longestMs, turns: outcome.turns });
      expect(outcome.isEqual).toBe(true);
      expect(stalls.longestMs, outcome.turns).toBeLessThan(STALL_MS);
    },
    LIMIT_MS,
  );
});
