/**
 * `get`: receives everything that a link holds into a folder.
 *
 * @module
 */
import { resolve } from "node:path";
import { lastWord } from "../core/edge/last-word.ts";
import { Failure } from "../core/failure.ts";
import { releaseClaim } from "../core/portal/release-claim.ts";
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

/** @throws Failure; unfinished files are removed then */
export async function get(command: GetCommand, context: Context): Promise<void> {
  const { output } = context;
  const started = systemClock.now();
  const engine = loadCpuEngine();
  engine.catch(() => {}); // met below
  const opened = await open(command, context);
  const { portal, keys, feed, relay, progress, signal } = opened;
  const claim = crypto.getRandomValues(new Uint8Array(16));
  const hide = showProgress(output, progress);
  const sink = new FolderSink(command.out, {
    rename: command.rename,
    onRename: (path, actual) =>
      output.say({ type: "renamed", path, actual }, `${quoted(path)} is received as ${quoted(actual)}.`),
  });
  const packs = new PackWindow({
    portal: portal.link.portal,
    keys,
    link: relay.steady,
    feed,
    signal,
    onBytes: (bytes) => {
      progress.wireBytes += bytes;
    },
  });
  try {
    const expander = createExpander(await engine);
    relay.steady.setClaim(claim);
    if (portal.isLimited) await Promise.race([relay.steady.claim(claim, signal), relay.lost]);
    packs.start();
    const parts = { feed, packs, expander, sink, clock: systemClock, progress, gate: new Gate(), title: "" };
    await runToEnd(new Receiver(parts), opened);
    await lastWord(systemClock, relay.steady.complete(claim));
  } catch (error) {
    // Somebody else may have this download. The host's own signal may have aborted.
    const { signal: _, ...host } = portal.host;
    if (relay.steady.isClaimed)
      await lastWord(systemClock, releaseClaim(host, portal.link.portal, portal.token, claim));
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
