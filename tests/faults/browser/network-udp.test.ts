/**
 * R7: a network that lets no UDP through, from the start or from some moment on, without telling anybody.
 *
 * @module
 */
import { setTimeout as pass } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MIB, SEALED_PACK_BYTES, WEBTRANSPORT_CONNECT_MS } from "../../../core/units.ts";
import { noteFigures, noteOutcome } from "../lab/figures.ts";
import { CLEAN, lineOf } from "../lab/line.ts";
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
import { type Moment, readStory, recoveryMs, turns, until } from "../lab/story.ts";
import { readPlainBytes, readTraffic } from "../lab/traffic.ts";
import {
  type Cargo,
  createLink,
  makeCargo,
  onPath,
  openReceiver,
  openSender,
  receivedDigest,
} from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const LINE = lineOf(30, 0, { rateMbit: 80, queuePackets: 500 });
/** Here the file takes two minutes, so that WebTransport can come back meanwhile. */
const SLOW_LINE = lineOf(30, 0, { rateMbit: 4.5, queuePackets: 200 });
const LIMIT_MS = 240_000;
/** From the moment when UDP is blocked until bytes are done over TCP: a few seconds of silence, then a new path. */
const SWITCH_MS = rounds(25_000, 12_000);
/** Over this line the file takes fourteen seconds. */
const HALF_LINE = lineOf(30, 0, { rateMbit: 40, queuePackets: 500 });
/** From the moment when UDP is blocked until a whole pack came over TCP: a second of silence, then the pack itself. */
const ON_MS = rounds(4_000, 3_000);
/** What came over UDP before the block is written and counted by then. */
const UDP_COUNTED_MS = 1_000;
/** A link that says nothing is not doubted before that. */
const LINK_QUIET_MS = 6_000;
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

  test(`under a receive, packs go on over TCP within ${ON_MS} ms, before the link has another connection, ${TIMES} times`, async () => {
    for (let round = 0; round < TIMES; round++) {
      await stage.network.set(CLEAN);
      const sender = await openSender(stage.sender, stage.network.url, cargo, undefined);
      const link = await createLink(sender);
      await until(sender, ({ state }) => state === "done", LIMIT_MS);
      await stage.network.set(HALF_LINE);
      const receiver = await openReceiver(stage.receiver, onPath(link, undefined));
      const { sentBytes } = await readTraffic(stage.relayUrl);
      await receiver.getByTestId("receive").click();
      // Early, while the product has not yet tried TCP for itself.
      while ((await readTraffic(stage.relayUrl)).sentBytes < sentBytes + 2 * SEALED_PACK_BYTES) await pass(50);
      const plainBytes = await readPlainBytes(stage.relayUrl);
      stage.network.blockUdp();
      const blockedAtMs = Date.now();
      let onAtMs = Number.NaN;
      for (; Number.isNaN(onAtMs) && Date.now() - blockedAtMs < LINK_QUIET_MS; await pass(50))
        if ((await readPlainBytes(stage.relayUrl)) >= plainBytes + SEALED_PACK_BYTES) onAtMs = Date.now();
      await pass(Math.max(0, LINK_QUIET_MS - (Date.now() - blockedAtMs)));
      const untilMs = Date.now();
      await until(receiver, ({ state }) => state === "done", LIMIT_MS);
      stage.network.openUdp();
      const story = await readStory(receiver);
      const doneAt = (atMs: number) => story.findLast((moment) => moment.atMs <= atMs)?.bytesDone ?? 0;
      const meanwhileBytes = doneAt(untilMs) - doneAt(blockedAtMs + UDP_COUNTED_MS);
      const shown = turns(story).join(", ");
      noteFigures("R7 UDP blocked under a receive", { onMs: onAtMs - blockedAtMs, meanwhileBytes, turns: shown });
      expect(await receivedDigest(receiver)).toBe(cargo.digest);
      expect(onAtMs - blockedAtMs, shown).toBeLessThanOrEqual(ON_MS);
      // Packs count when they are whole, several at once, then none for up to three seconds: so over all of the time.
      expect(meanwhileBytes, shown).toBeGreaterThan(SEALED_PACK_BYTES);
      expect(story.map(({ state }) => state)).not.toContain("waiting");
      await Promise.all([sender, receiver].map((page) => page.context().close()));
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
