/**
 * A send and a receive in one process, put together from core as the workers do it, over a relay in memory.
 *
 * @module
 */
import { cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import { SteadyLink, type SteadyOptions } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { Manifest } from "../../core/manifest/manifest.ts";
import type { SourceEntry, SourceFile } from "../../core/ports/byte-source.ts";
import type { Engine } from "../../core/ports/engine.ts";
import type { LinkRole } from "../../core/ports/link.ts";
import type { Sink } from "../../core/ports/sink.ts";
import { type ContentKeys, createSecret, deriveContentKeys } from "../../core/seal/keys.ts";
import { createLink, type PortalLink } from "../../core/seal/link.ts";
import type { BatchSource, Repeater } from "../../core/transfer/batch.ts";
import { BatchPool } from "../../core/transfer/batch-pool.ts";
import { compressBatch } from "../../core/transfer/compress.ts";
import { expandRun } from "../../core/transfer/expand.ts";
import { Gate } from "../../core/transfer/gate.ts";
import type { KeepOptions } from "../../core/transfer/kept-receive.ts";
import { PackWindow } from "../../core/transfer/pack-window.ts";
import { type FeedEvent, PageFeed } from "../../core/transfer/page-feed.ts";
import { Progress } from "../../core/transfer/progress.ts";
import { Receiver } from "../../core/transfer/receiver.ts";
import { repeatRun } from "../../core/transfer/repeat.ts";
import { type ScanStart, scan } from "../../core/transfer/scan.ts";
import { type JournalParts, Sender } from "../../core/transfer/sender.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { hurriedClock } from "./fake-clock.ts";
import type { FakeRelay } from "./fake-relay.ts";

export interface Portal {
  readonly link: PortalLink;
  readonly keys: ContentKeys;
}

export async function createPortal(): Promise<Portal> {
  const link = createLink();
  return { link, keys: await deriveContentKeys(link.portal, createSecret()) };
}

function steadyLink(
  relay: FakeRelay,
  portal: Portal,
  role: "send" | "receive",
  hooks: Partial<Pick<SteadyOptions, "onChange" | "onLost">> = {},
): SteadyLink {
  const linkRole: LinkRole = { portal: portal.link.portal, role, token: new Uint8Array(32) };
  return new SteadyLink({
    clock: relay.clock,
    forced: undefined,
    webtransportAbsent: null,
    random: () => 0.5,
    onChange: () => {},
    ...hooks,
    dial: async (carrier) => {
      if (carrier !== "webtransport") throw new Failure("relay/unreachable", { carrier });
      return relay.connect(carrier, linkRole, relay.clock);
    },
  });
}

/** Everything that a lane does for a sender, in this thread. */
export function batchSource(
  entries: readonly (SourceEntry | SourceFile)[],
  engine: Engine,
): BatchSource & { begin(start: ScanStart): Promise<void> } {
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0);
  const pool = new BatchPool(engine.batchBytes);
  let batches = scan(entries, engine, cutSizesFor(totalBytes), hurriedClock, pool);
  return {
    begin: async (start) => {
      batches = scan(entries, engine, cutSizesFor(totalBytes), hurriedClock, pool, start);
    },
    next: async (codec) => {
      const { done, value } = await batches.next();
      return done ? undefined : compressBatch(value, codec, engine, hurriedClock);
    },
    recycle: (batch) => {
      for (const { bytes } of batch.runs) pool.give(bytes.buffer);
    },
  };
}

/** Makes runs again out of the entries. */
export function repeaterOf(entries: readonly (SourceEntry | SourceFile)[], engine: Engine): Repeater {
  const read = async (index: number, offset: number, bytes: number) => {
    const entry = entries[index];
    if (entry === undefined || !("read" in entry)) throw new Failure("file/absent", { entry: index });
    return entry.read(offset, bytes);
  };
  return { repeat: (runs) => Promise.all(runs.map((run) => repeatRun(run, engine, read))) };
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
  journal?: JournalParts,
  onSealed: (object: SealedObject) => void = () => {},
): RunningSend {
  const progress = new Progress();
  progress.bytesTotal = entries.reduce((sum, { size }) => sum + size, 0);
  progress.entriesTotal = entries.length;
  const link: SteadyLink = steadyLink(relay, portal, "send", {
    onLost: (kind, index) => sender.lost(kind, index),
  });
  const plain = entries.map(({ kind, path, size, mtimeMs }) => ({ kind, path, size, mtimeMs }));
  const parts = { portal: portal.link.portal, keys: portal.keys, entries: plain, source, clock: relay.clock };
  const sender: Sender = new Sender({ ...parts, link, progress, onSealed, ...(journal && { journal }) });
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
  /** Ends it with the Failure given, or as cancelled. */
  cancel(reason?: Failure): void;
  /** Tells a fresh connection that it is complete: the receive's own is closed when it is done. */
  complete(): Promise<void>;
}

/** Outside of `startReceive`, whose functions would keep the manifest alive for whoever has one of them. */
async function runReceive(
  receiver: Receiver,
  {
    packs,
    link,
    stop,
    keep,
    claim,
  }: {
    readonly packs: PackWindow;
    readonly link: SteadyLink;
    readonly stop: AbortController;
    readonly keep: KeepOptions | undefined;
    readonly claim: Uint8Array<ArrayBuffer> | undefined;
  },
): Promise<void> {
  try {
    if (claim !== undefined) await link.claim(claim, stop.signal);
    if (keep?.resume !== true) packs.start();
    await receiver.run();
  } finally {
    stop.abort();
    link.close();
  }
}

/** @param claim u8[16]; absent where the portal's downloads are not limited */
export function startReceive(
  relay: FakeRelay,
  portal: Portal,
  engine: Engine,
  sink: Sink,
  keep?: KeepOptions,
  claim?: Uint8Array<ArrayBuffer>,
): RunningReceive {
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
    clock: relay.clock,
    progress,
    gate,
    title: "test",
    signal: stop.signal,
    ...(keep === undefined ? {} : { keep }),
  };
  const done = runReceive(new Receiver(parts), { packs, link, stop, keep, claim });
  done.catch(() => {});
  const complete = async () => {
    const last = steadyLink(relay, portal, "receive");
    await last.complete(claim ?? new Uint8Array(16));
    last.close();
  };
  return { complete, progress, feed, packs, gate, link, done, cancel: (reason) => stop.abort(reason) };
}

/** Everything that a complete portal's manifest says. */
export async function readManifest(
  relay: FakeRelay,
  portal: Portal,
): Promise<{ manifest: Manifest; events: FeedEvent[] }> {
  const link = steadyLink(relay, portal, "receive");
  const feed = new PageFeed();
  feed.start(portal.link.portal, portal.keys, link, new AbortController().signal, () => {});
  const events: FeedEvent[] = [];
  for (let event = await feed.nextEvent(); event !== undefined; event = await feed.nextEvent()) events.push(event);
  link.close();
  return { manifest: feed.manifest, events };
}
