/**
 * R7: a network that lets no UDP through, from the start or from some moment on, without telling anybody.
 *
 * @module
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MIB, WEBTRANSPORT_CONNECT_MS } from "../../../core/units.ts";
import { noteFigures, noteOutcome } from "../lab/figures.ts";
import { lineOf } from "../lab/line.ts";
import { NETWORK, openNetwork } from "../lab/network.ts";
import {
  blockUdpEarly,
  type Disturb,
  FETCHED_TWICE_BYTES,
  type Outcome,
  openStage,
  SENT_TWICE_BYTES,
  type Stage,
} from "../lab/stage.ts";
import { type Moment, recoveryMs, until } from "../lab/story.ts";
import { type Cargo, makeCargo } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const LINE = lineOf(30, 0, { rateMbit: 80, queuePackets: 500 });
/** Here the file takes two minutes, so that WebTransport can come back meanwhile. */
const SLOW_LINE = lineOf(30, 0, { rateMbit: 4.5, queuePackets: 200 });
const LIMIT_MS = 240_000;
/** From the moment when UDP is blocked until bytes are done over TCP: a few seconds of silence, then a new path. */
const SWITCH_MS = rounds(25_000, 12_000);
/** When WebTransport must have been tried again after TCP took over. */
const BACK_MS = 90_000;
const TIMES = rounds(1, 10);

let stage: Stage;
let cargo: Cargo;
let small: Cargo;

beforeAll(async () => {
  [cargo, small] = await Promise.all([makeCargo(64 * MIB, "udp"), makeCargo(4 * MIB, "small")]);
  stage = await openStage(await openNetwork());
});
afterEach(() => stage.network.openUdp());
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await Promise.all([cargo?.[Symbol.asyncDispose](), small?.[Symbol.asyncDispose]()]);
});

/** Nothing is lost, and little crosses the network twice. */
function checkBytes({ isEqual, sentTwiceBytes, fetchedTwiceBytes }: Outcome): void {
  expect(isEqual).toBe(true);
  expect(sentTwiceBytes).toBeLessThanOrEqual(SENT_TWICE_BYTES);
  expect(fetchedTwiceBytes).toBeLessThanOrEqual(FETCHED_TWICE_BYTES);
}

/** Milliseconds from `sinceMs` until a path was in use; NaN when it never was. */
function usedAfterMs(story: readonly Moment[], path: string, sinceMs: number): number {
  return (story.find((moment) => moment.atMs >= sinceMs && moment.path === path)?.atMs ?? Number.NaN) - sinceMs;
}

describe(`R7: where UDP is blocked, ${NETWORK},`, () => {
  test(`a transfer runs over TCP within ${WEBTRANSPORT_CONNECT_MS} ms of the click, ${TIMES} times`, async () => {
    stage.network.blockUdp();
    for (let round = 0; round < TIMES; round++) {
      const sinceClick: Disturb = async (_stage, { clickedAtMs }) => clickedAtMs;
      const outcome = await stage.transfer({ cargo: small, line: LINE, disturb: sinceClick, limitMs: LIMIT_MS });
      const fallbackMs = usedAfterMs(outcome.sent, "tcp", outcome.faultAtMs);
      noteFigures("R7 UDP blocked from the start", { fallbackMs, turns: outcome.turns });
      checkBytes(outcome);
      expect(fallbackMs).toBeLessThanOrEqual(WEBTRANSPORT_CONNECT_MS);
      expect(outcome.received.at(-1)?.path).toBe("tcp");
    }
  }, 900_000);

  test(`in the middle of a transfer, it moves to TCP without losing a pack, ${TIMES} times`, async () => {
    for (let round = 0; round < TIMES; round++) {
      const outcome = await stage.transfer({ cargo, line: LINE, disturb: blockUdpEarly, limitMs: LIMIT_MS });
      stage.network.openUdp();
      noteOutcome("R7 UDP blocked in mid-transfer", outcome);
      checkBytes(outcome);
      for (const story of [outcome.sent, outcome.received]) {
        expect(story.findLast(({ atMs }) => atMs <= outcome.faultAtMs)?.path, outcome.turns).toBe("webtransport");
        expect(story.at(-1)?.path, outcome.turns).toBe("tcp");
        expect(recoveryMs(story, outcome.faultAtMs, "tcp"), outcome.turns).toBeLessThanOrEqual(SWITCH_MS);
      }
    }
  }, 900_000);

  // A minute passes before WebTransport is tried again, too long for every `npm test`; the tests of core's link have it
  // on a clock of their own.
  test.each(Array.from({ length: rounds(0, 2) }, (_, round) => round + 1))(
    "and then no longer, the transfer comes back to WebTransport by itself (%s)",
    async () => {
      const blockAndOpen: Disturb = async (self, running) => {
        await blockUdpEarly(self, running);
        const both = [running.sender, running.receiver];
        await Promise.all(both.map((page) => until(page, ({ path }) => path === "tcp", LIMIT_MS)));
        self.network.openUdp();
        const openedAtMs = Date.now();
        await Promise.all(both.map((page) => until(page, ({ path }) => path === "webtransport", BACK_MS)));
        return openedAtMs;
      };
      const outcome = await stage.transfer({ cargo, line: SLOW_LINE, disturb: blockAndOpen, limitMs: LIMIT_MS });
      const [senderMs, receiverMs] = [outcome.sent, outcome.received].map((story) =>
        usedAfterMs(story, "webtransport", outcome.faultAtMs),
      );
      noteFigures("R7 UDP open again", {
        senderMs: senderMs ?? Number.NaN,
        receiverMs: receiverMs ?? Number.NaN,
        turns: outcome.turns,
      });
      checkBytes(outcome);
    },
    600_000,
  );
});
