/**
 * A network, a relay behind it and two browsers before it, and transfers between them: what every test of a fault of
 * the network needs.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import type { Browser } from "playwright-core";
import type { PathKind } from "../../../core/transfer/snapshot.ts";
import { DOWNLOAD_WINDOW_PACKS, SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../../../core/units.ts";
import type { Line } from "./line.ts";
import type { Network } from "./network.ts";
import { recoveryMs, turns } from "./story.ts";
import { NO_TRAFFIC, readTraffic, type Traffic } from "./traffic.ts";
import { type Cargo, type Ended, type RunningTransfer, startTransfer } from "./transfer.ts";

/** The line's rate until the receiver has begun, so that the sender is not done before that on a busy machine. */
const START_MBIT = 8;

/** What one fault may cost at the most, in each direction: the objects that were on their way when it struck. */
export const SENT_TWICE_BYTES: number = UPLOAD_WINDOW_BYTES + SEALED_PACK_BYTES;
export const FETCHED_TWICE_BYTES: number = (DOWNLOAD_WINDOW_PACKS + 1) * SEALED_PACK_BYTES;

/** What a transfer with a fault came to. */
export interface Outcome extends Ended {
  /** When all was well again, or when a lasting fault struck: what `disturb` gave. Milliseconds since 1970. */
  readonly faultAtMs: number;
  /** Milliseconds from then until bytes were done again, or the end; NaN when neither came. */
  readonly senderMs: number;
  readonly receiverMs: number;
  /** Bytes that crossed the network more often than once. */
  readonly sentTwiceBytes: number;
  readonly fetchedTwiceBytes: number;
  /** The states and paths of both sides, for messages. */
  readonly turns: string;
}

/** What is done to a running transfer; gives when all was well again, or when a lasting fault struck. */
export type Disturb = (stage: Stage, running: RunningTransfer) => Promise<number>;

export interface Stage extends AsyncDisposable {
  readonly network: Network;
  readonly sender: Browser;
  readonly receiver: Browser;
  /** The relay's address for this process, which no fault touches. */
  readonly relayUrl: string;
  /** Kills the relay and starts it again on the same store. */
  restartRelay(): Promise<void>;
  /** Runs one transfer to its end. */
  transfer(options: StageTransfer): Promise<Outcome>;
}

/** A transfer with a fault. */
export interface StageTransfer {
  readonly cargo: Cargo;
  readonly line: Line;
  /** The only path; the product chooses when undefined. */
  readonly path?: PathKind | undefined;
  /** Nothing is done when absent. */
  readonly disturb?: Disturb;
  /** How long it may take to begin, and after the fault. */
  readonly limitMs: number;
}

/** Takes the network over: disposing ends all of it. */
export async function openStage(network: Network): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), "warp-stage-"));
  let relay = await network.launchRelay({ dataDir });
  const [sender, receiver] = await Promise.all([network.launchBrowser(), network.launchBrowser()]);
  /** What relays counted that are gone. */
  let past = NO_TRAFFIC;
  const traffic = async (): Promise<Traffic> => {
    const { receivedBytes, sentBytes, storedBytes } = await readTraffic(relay.url);
    return {
      receivedBytes: past.receivedBytes + receivedBytes,
      sentBytes: past.sentBytes + sentBytes,
      storedBytes,
    };
  };
  const stage: Stage = {
    network,
    sender,
    receiver,
    relayUrl: relay.url,
    async restartRelay() {
      past = await traffic();
      await relay.kill();
      relay = await network.launchRelay({ dataDir });
    },
    async transfer({ cargo, line, path, disturb, limitMs }) {
      const before = await traffic();
      await network.set({ ...line, rateMbit: Math.min(START_MBIT, line.rateMbit || START_MBIT) });
      await using running = await startTransfer({ sender, receiver, url: network.url, cargo, path });
      await running.reached(Number.EPSILON, limitMs);
      await network.set(line);
      const faultAtMs = (await disturb?.(stage, running)) ?? Date.now();
      const ended = await running.ended(limitMs);
      const after = await traffic();
      const storedBytes = after.storedBytes - before.storedBytes;
      return {
        ...ended,
        faultAtMs,
        senderMs: recoveryMs(ended.sent, faultAtMs) ?? Number.NaN,
        receiverMs: recoveryMs(ended.received, faultAtMs) ?? Number.NaN,
        sentTwiceBytes: after.receivedBytes - before.receivedBytes - storedBytes,
        fetchedTwiceBytes: after.sentBytes - before.sentBytes - storedBytes,
        turns: `sender: ${turns(ended.sent).join(", ")}; receiver: ${turns(ended.received).join(", ")}`,
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([sender.close(), receiver.close()]);
      await relay.kill();
      await network[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return stage;
}

/** When a part of the file has arrived, the line is cut for so long. */
export function cutFor(seconds: number, share = 0.3): Disturb {
  return async ({ network }, running) => {
    await running.reached(share);
    await network.cut();
    await pass(1000 * seconds);
    await network.heal();
    return Date.now();
  };
}

/** When a part of the file has arrived, the browsers get another address, without a word. */
export const changeAddress: Disturb = async ({ network }, running) => {
  await running.reached(0.3);
  network.changeAddress();
  return Date.now();
};

/** Early, while the product has not yet tried TCP for itself, UDP is blocked. */
export const blockUdpEarly: Disturb = async ({ network }, running) => {
  await running.reached(0.1);
  network.blockUdp();
  return Date.now();
};

/** When a part of the file has arrived, the relay is killed and started again. */
export const restartRelay: Disturb = async (stage, running) => {
  await running.reached(0.3);
  await stage.restartRelay();
  return Date.now();
};
