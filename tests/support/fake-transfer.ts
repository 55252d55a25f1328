/**
 * A send and a receive in one process, put together from core as the workers do it, over a relay in memory.
 *
 * @module
 */
import { cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { SourceEntry, SourceFile } from "../../core/ports/byte-source.ts";
import type { Engine } from "../../core/ports/engine.ts";
import type { LinkRole } from "../../core/ports/link.ts";
import type { Sink } from "../../core/ports/sink.ts";
import { deriveKeys, NO_PASSWORD, type PortalKeys } from "../../core/seal/keys.ts";
import { createLink, type PortalLink } from "../../core/seal/link.ts";
import type { BatchSource } from "../../core/transfer/batch.ts";
import { BatchPool } from "../../core/transfer/batch-pool.ts";
import { compressBatch } from "../../core/transfer/compress.ts";
import { expandRun } from "../../core/transfer/expand.ts";
import { Gate } from "../../core/transfer/gate.ts";
import { PackWindow } from "../../core/transfer/pack-window.ts";
import { PageFeed } from "../../core/transfer/page-feed.ts";
import { Progress } from "../../core/transfer/progress.ts";
import { Receiver } from "../../core/transfer/receiver.ts";
import { scan } from "../../core/transfer/scan.ts";
import { Sender } from "../../core/transfer/sender.ts";
import { hurriedClock } from "./fake-clock.ts";
import type { FakeRelay } from "./fake-relay.ts";

export interface Portal {
  readonly link: PortalLink;
  readonly keys: PortalKeys;
}

export async function createPortal(): Promise<Portal> {
  const link = createLink();
  return { link, keys: await deriveKeys(link, NO_PASSWORD) };
}

function steadyLink(relay: FakeRelay, portal: Portal, role: "send" | "receive"): SteadyLink {
  const linkRole: LinkRole = { portal: portal.link.portal, role, token: new Uint8Array(32) };
  return new SteadyLink({
    clock: hurriedClock,
    forced: undefined,
    webtransportAbsent: null,
    random: () => 0.5,
    onChange: () => {},
    dial: async (carrier) => {
      if (carrier !== "webtransport") throw new Failure("relay/unreachable", { carrier });
      return relay.connect(carrier, linkRole, hurriedClock);
    },
  });
}

/** Everything that a lane does for a sender, in this thread. */
export function batchSource(entries: readonly (SourceEntry | SourceFile)[], engine: Engine): BatchSource {
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0);
  const pool = new BatchPool(engine.batchBytes);
  const batches = scan(entries, engine, cutSizesFor(totalBytes), hurriedClock, pool);
  return {
    next: async (codec) => {
      const { done, value } = await batches.next();
      return done ? undefined : compressBatch(value, codec, engine, hurriedClock);
    },
    recycle: (batch) => {
      for (const { bytes } of batch.runs) pool.give(bytes.buffer);
    },
  };
}

export interface RunningSend {
  readonly progress: Progress;
  readonly sender: Sender;
  readonly link: SteadyLink;
  /** Settles when the send ends; the link is closed then. */
  readonly done: Promise<void>;
}

export function startSend(
  relay: FakeRelay,
  portal: Portal,
  entries: readonly (SourceEntry | SourceFile)[],
  source: BatchSource,
): RunningSend {
  const progress = new Progress();
  progress.bytesTotal = entries.reduce((sum, { size }) => sum + size, 0);
  progress.entriesTotal = entries.length;
  const link = steadyLink(relay, portal, "send");
  const plain = entries.map(({ kind, path, size, mtimeMs }) => ({ kind, path, size, mtimeMs }));
  const parts = { portal: portal.link.portal, keys: portal.keys, entries: plain, source, clock: hurriedClock };
  const sender = new Sender({ ...parts, link, progress });
  const done = sender.run().finally(() => link.close());
  done.catch(() => {});
  return { progress, sender, link, done };
}

export interface RunningReceive {
  readonly progress: Progress;
  readonly feed: PageFeed;
  readonly packs: PackWindow;
  readonly gate: Gate;
  readonly link: SteadyLink;
  readonly done: Promise<void>;
  cancel(): void;
}

export function startReceive(relay: FakeRelay, portal: Portal, engine: Engine, sink: Sink): RunningReceive {
  const stop = new AbortController();
  const progress = new Progress();
  const gate = new Gate();
  const feed = new PageFeed();
  const link = steadyLink(relay, portal, "receive");
  const { keys } = portal;
  feed.start(portal.link.portal, keys, link, stop.signal, () => {});
  const onBytes = (bytes: number) => {
    progress.wireBytes += bytes;
  };
  const packs = new PackWindow({ portal: portal.link.portal, keys, link, feed, signal: stop.signal, onBytes });
  packs.start();
  const expander = {
    expand: (
      ...args: [Uint8Array<ArrayBuffer>, "none" | "lz4" | "zstd", Uint32Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]
    ) => expandRun(engine, ...args),
  };
  const parts = {
    feed,
    packs,
    expander,
    sink,
    clock: hurriedClock,
    progress,
    gate,
    title: "test",
    signal: stop.signal,
  };
  const done = new Receiver(parts).run().finally(() => {
    stop.abort();
    link.close();
  });
  done.catch(() => {});
  return { progress, feed, packs, gate, link, done, cancel: () => stop.abort() };
}
