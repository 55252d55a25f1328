/**
 * R7: a captive portal: for a while every request is answered by a page to sign in, and nothing else gets through. The
 * transfer waits, says why, and goes on when the page is gone. Through the in-process proxy, which plays the portal.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIB } from "../../../core/units.ts";
import { noteOutcome } from "../lab/figures.ts";
import { lineOf } from "../lab/line.ts";
import { openProxied, type ProxiedNetwork } from "../lab/network.ts";
import { type Disturb, FETCHED_TWICE_BYTES, openStage, SENT_TWICE_BYTES, type Stage } from "../lab/stage.ts";
import { until } from "../lab/story.ts";
import { type Cargo, makeCargo } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const LINE = lineOf(10, 0, { rateMbit: 80, queuePackets: 500 });
const LIMIT_MS = 120_000;
/** Between tries at the most, and the time of one. */
const BACK_MS = 10_000;
const TIMES = rounds(1, 5);

let network: ProxiedNetwork;
let stage: Stage;
let cargo: Cargo;

beforeAll(async () => {
  cargo = await makeCargo(48 * MIB, "captive");
  network = await openProxied();
  stage = await openStage(network);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await cargo?.[Symbol.asyncDispose]();
});

const catchFor: Disturb = async (_stage, { sender, receiver, reached }) => {
  await reached(0.2);
  network.setCaptive(true);
  const isCaught = ({ state, waiting }: { state: string; waiting: string }) =>
    state === "waiting" && waiting === "relay/foreign";
  await Promise.all([sender, receiver].map((page) => until(page, isCaught, LIMIT_MS)));
  network.setCaptive(false);
  return Date.now();
};

describe.each((["webtransport", "tcp"] as const).slice(0, rounds(1, 2)))(
  "R7: behind a captive portal, a transfer over %s",
  (path) => {
    test(`waits, names the reason, and goes on by itself when it is let through, ${TIMES} times`, async () => {
      for (let round = 0; round < TIMES; round++) {
        const forced = path === "tcp" ? path : undefined;
        const outcome = await stage.transfer({ cargo, line: LINE, path: forced, disturb: catchFor, limitMs: LIMIT_MS });
        noteOutcome(`R7 captive portal, ${path}`, outcome);
        expect(outcome.isEqual).toBe(true);
        expect(Math.max(outcome.senderMs, outcome.receiverMs), outcome.turns).toBeLessThanOrEqual(BACK_MS);
        expect(outcome.sentTwiceBytes).toBeLessThanOrEqual(SENT_TWICE_BYTES);
        expect(outcome.fetchedTwiceBytes).toBeLessThanOrEqual(FETCHED_TWICE_BYTES);
      }
    }, 900_000);
  },
);
