/**
 * `get`: receives everything that a link holds into a folder.
 *
 * @module
 */
import { resolve } from "node:path";
import { Failure } from "../core/failure.ts";
import { Gate } from "../core/transfer/gate.ts";
import { PackWindow } from "../core/transfer/pack-window.ts";
import { Receiver } from "../core/transfer/receiver.ts";
import type { GetCommand } from "./arguments.ts";
import { systemClock } from "./clock.ts";
import { type Context, showProgress } from "./context.ts";
import { loadCpuEngine } from "./engine.ts";
import { FolderSink } from "./folder-sink.ts";
import { count, formatBytes, formatPace } from "./format.ts";
import { createExpander } from "./lane.ts";
import { quoted } from "./named-failure.ts";
import { type Opened, open } from "./opened.ts";

/** A relay that does not answer must not keep a finished transfer open. */
const COMPLETE_LIMIT_MS = 3_000;

/** @throws Failure; unfinished files are removed then */
export async function get(command: GetCommand, context: Context): Promise<void> {
  const { output } = context;
  const started = systemClock.now();
  const engine = loadCpuEngine();
  engine.catch(() => {}); // met below
  const opened = await open(command, context);
  const { portal, feed, relay, progress, signal } = opened;
  const hide = showProgress(output, progress);
  const sink = new FolderSink(command.out, {
    rename: command.rename,
    onRename: (path, actual) =>
      output.say({ type: "renamed", path, actual }, `${quoted(path)} is received as ${quoted(actual)}.`),
  });
  const packs = new PackWindow({
    portal: portal.link.portal,
    keys: portal.keys,
    link: relay.steady,
    feed,
    signal,
    onBytes: (bytes) => {
      progress.wireBytes += bytes;
    },
  });
  try {
    const expander = createExpander(await engine);
    packs.start();
    const parts = { feed, packs, expander, sink, clock: systemClock, progress, gate: new Gate(), title: "" };
    await runToEnd(new Receiver(parts), opened);
    await complete(opened);
  } catch (error) {
    throw context.signal.aborted ? new Failure("cancelled", {}, { cause: error }) : error;
  } finally {
    hide();
    opened.close();
  }
  const { bytesDone: bytes, wireBytes, entriesDone: entries } = progress;
  const seconds = (systemClock.now() - started) / 1000;
  const size = `${formatBytes(bytes)} in ${count(entries, "item")}`;
  const text = `Received and verified ${size} into ${quoted(resolve(command.out))} (${formatPace(bytes, seconds)}).`;
  output.say({ type: "done", bytes, wireBytes, entries, seconds }, text);
}

/** The receiver removes what is unfinished before it rejects, so a lost relay ends it rather than overtakes it. */
async function runToEnd(receiver: Receiver, { relay, close }: Opened): Promise<void> {
  let lost: unknown;
  relay.lost.catch((error: unknown) => {
    lost = error;
    close();
  });
  try {
    await receiver.run();
  } catch (error) {
    throw lost ?? error;
  }
}

/** Counts the download; the bytes are safe already, so a relay that cannot count does not make it fail. */
async function complete({ relay }: Opened): Promise<void> {
  const claim = crypto.getRandomValues(new Uint8Array(16));
  const stop = new AbortController();
  const limit = systemClock.sleep(COMPLETE_LIMIT_MS, stop.signal).catch(() => {});
  await Promise.race([relay.steady.complete(claim).catch(() => {}), limit]);
  stop.abort();
}
