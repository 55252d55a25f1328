/**
 * `send`: makes a portal, prints its link, and sends what lies at the given paths. A send that does not end well deletes
 * its portal: nobody could finish it.
 *
 * @module
 */
import { formatLink } from "../core/seal/link.ts";
import { Progress } from "../core/transfer/progress.ts";
import { Sender } from "../core/transfer/sender.ts";
import { DEFAULT_EXPIRY_SECONDS, type SendCommand, UsageError } from "./arguments.ts";
import { systemClock } from "./clock.ts";
import { type Context, follow, showProgress } from "./context.ts";
import { loadCpuEngine } from "./engine.ts";
import { count, formatBytes, formatDuration, formatPace, formatTime } from "./format.ts";
import { createBatchSource } from "./lane.ts";
import { quoted } from "./named-failure.ts";
import { createPortal, deletePortal, type OwnedPortal } from "./portal.ts";
import { httpDial, openRelayLink, relayInfo } from "./relay.ts";
import { type Walk, walk } from "./walk.ts";

/** The link is printed after this time at the latest; a mistake in the paths mostly shows before, without a portal. */
const WALK_HEAD_START_MS = 400;

/** @throws Failure; the portal is deleted then */
export async function send(command: SendCommand, context: Context): Promise<void> {
  const { output, signal } = context;
  const started = systemClock.now();
  const walking = walk(command.paths, { follow: command.follow, signal });
  walking.catch(() => {}); // met below
  const expirySeconds = await allowedExpiry(command);
  await Promise.race([walking, systemClock.sleep(WALK_HEAD_START_MS, signal)]);
  const { password } = context;
  const portal = await createPortal(
    command.relay,
    { password, expirySeconds, maxDownloads: command.maxDownloads },
    signal,
  );
  try {
    const link = command.relay + formatLink(portal.link);
    output.say({ type: "link", link, expiresAtMs: portal.expiresAtMs }, link, "out");
    const found = await walking;
    tellRenamed(context, found);
    const progress = await upload(command, portal, found, context);
    const { wireBytes, bytesTotal: bytes, entriesTotal: entries } = progress;
    const seconds = (systemClock.now() - started) / 1000;
    const size = `${formatBytes(bytes)} in ${count(entries, "item")}`;
    const wire = `${formatBytes(wireBytes)} on the wire, ${formatPace(bytes, seconds)}`;
    const text = `Sent ${size} (${wire}). The link works until ${formatTime(portal.expiresAtMs)}.`;
    output.say({ type: "done", bytes, wireBytes, entries, seconds }, text);
  } catch (error) {
    output.endLine();
    await deletePortal(command.relay, portal);
    throw error;
  }
}

/** @throws UsageError when the relay keeps nothing for that long; Failure when there is no relay */
async function allowedExpiry({ relay, expirySeconds }: SendCommand): Promise<number> {
  const { maxExpirySeconds } = (await relayInfo(relay)).limits;
  if (expirySeconds === null) return Math.min(DEFAULT_EXPIRY_SECONDS, maxExpirySeconds);
  if (expirySeconds > maxExpirySeconds)
    throw new UsageError(`This relay keeps portals for ${formatDuration(maxExpirySeconds)} at the most.`);
  return expirySeconds;
}

async function upload(
  command: SendCommand,
  { link, keys, ownerToken }: OwnedPortal,
  found: Walk,
  { output, signal }: Context,
): Promise<Progress> {
  const progress = new Progress();
  progress.entriesTotal = found.sources.length;
  progress.bytesTotal = found.totalBytes;
  progress.listed = true;
  const dial = httpDial(command.relay, { portal: link.portal, role: "send", token: ownerToken });
  const relay = openRelayLink(dial, signal, (steady) => follow(progress, steady));
  const hide = showProgress(output, progress);
  try {
    const source = createBatchSource(found, await loadCpuEngine());
    const entries = found.sources.map(({ kind, path, size, mtimeMs }) => ({ kind, path, size, mtimeMs }));
    const sender = new Sender({
      portal: link.portal,
      keys,
      link: relay.steady,
      entries,
      source,
      clock: systemClock,
      progress,
    });
    await Promise.race([sender.run(), relay.lost]);
    progress.wireBytes = relay.steady.objectBytes;
    return progress;
  } finally {
    hide();
    relay.close();
  }
}

function tellRenamed({ output }: Context, { renamed }: Walk): void {
  for (const [name, path] of renamed)
    output.say({ type: "renamed", path: name, actual: path }, `${quoted(name)} is sent as ${quoted(path)}.`);
}
