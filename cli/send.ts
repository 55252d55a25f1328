/**
 * `send`: makes a portal, prints its link, and sends what lies at the given paths; or hands them in to somebody's request, for
 * whom alone the link is. A send that does not end well deletes its portal: nobody could finish it.
 *
 * @module
 */
import { Failure } from "../core/failure.ts";
import type { Admission } from "../core/portal/client.ts";
import { MIN_EXPIRY_SECONDS, type RelayInfo } from "../core/portal/portal.ts";
import { formatLink } from "../core/seal/link.ts";
import { follow } from "../core/transfer/follow.ts";
import { Progress } from "../core/transfer/progress.ts";
import { Sender } from "../core/transfer/sender.ts";
import { DEFAULT_EXPIRY_SECONDS, type SendCommand, UsageError } from "./arguments.ts";
import { systemClock } from "./clock.ts";
import { type Context, showProgress } from "./context.ts";
import { loadCpuEngine } from "./engine.ts";
import { count, formatBytes, formatDuration, formatPace, formatTime } from "./format.ts";
import { createBatchSource } from "./lane.ts";
import { quoted } from "./named-failure.ts";
import { deletePortal, makePortal, type OwnedPortal, openPortal, requestOf, type SharedPortal } from "./portal.ts";
import { httpDial, openRelayLink, relayInfo } from "./relay.ts";
import { type Walk, walk } from "./walk.ts";

/** Of a delivery the relay asks nothing more. */
const FREE: Admission = { invite: null, workBits: 0 };
/** The link is printed after this time at the latest; a mistake in the paths mostly shows before, without a portal. */
const WALK_HEAD_START_MS = 400;

/** @param invite from the environment; an option overrides it. @throws Failure; the portal is deleted then */
export async function send(command: SendCommand, context: Context, invite: string | undefined): Promise<void> {
  const { output, signal } = context;
  const started = systemClock.now();
  const walking = walk(command.paths, { follow: command.follow, signal });
  walking.catch(() => {}); // met below
  const request = command.to === null ? null : await openPortal(command.to, command.relay, context.password, signal);
  const origin = request?.host.origin ?? command.relay;
  const { limits, creation } = await relayInfo(origin);
  const expirySeconds = Math.min(allowedExpiry(command, limits), secondsLeft(request));
  await Promise.race([walking, systemClock.sleep(WALK_HEAD_START_MS, signal)]);
  const options = { expirySeconds, maxDownloads: command.maxDownloads };
  // A request's link is its own invitation, and its password is not the delivery's.
  const portal = await (request === null
    ? makePortal(
        origin,
        { ...options, password: context.password, admission: admissionOf(creation, command.invite ?? invite) },
        signal,
      )
    : makePortal(origin, { ...options, password: null, admission: FREE, request: requestOf(request) }, signal));
  try {
    tellBegun(context, origin, portal, request);
    const found = await walking;
    tellRenamed(context, found);
    const progress = await upload(origin, portal, found, context);
    const { wireBytes, bytesTotal: bytes, entriesTotal: entries } = progress;
    const seconds = (systemClock.now() - started) / 1000;
    const size = `${formatBytes(bytes)} in ${count(entries, "item")}`;
    const wire = `${formatBytes(wireBytes)} on the wire, ${formatPace(bytes, seconds)}`;
    const until = formatTime(portal.expiresAtMs);
    const what =
      request === null ? `Sent ${size} (${wire}). The link works` : `Handed in ${size} (${wire}). It is kept`;
    output.say({ type: "done", bytes, wireBytes, entries, seconds }, `${what} until ${until}.`);
  } catch (error) {
    output.endLine();
    await deletePortal(origin, portal);
    throw error;
  }
}

/** What a relay asks of whoever creates a portal. @throws Failure `relay/invite` */
function admissionOf({ invite: isNeeded, workBits }: RelayInfo["creation"], invite: string | undefined): Admission {
  if (!isNeeded) return { invite: null, workBits };
  if (invite === undefined) throw new Failure("relay/invite");
  return { invite, workBits };
}

function tellBegun({ output }: Context, origin: string, portal: OwnedPortal, request: SharedPortal | null): void {
  const { expiresAtMs } = portal;
  if (request === null) {
    const link = origin + formatLink(portal.link);
    output.say({ type: "link", link, expiresAtMs }, link, "out");
  } else {
    const { title } = requestOf(request);
    output.say({ type: "request", title, expiresAtMs }, `Handing in to ${quoted(title)}.`);
  }
}

/** @throws UsageError when the relay keeps nothing for that long */
function allowedExpiry({ expirySeconds }: SendCommand, { maxExpirySeconds }: RelayInfo["limits"]): number {
  if (expirySeconds === null) return Math.min(DEFAULT_EXPIRY_SECONDS, maxExpirySeconds);
  if (expirySeconds > maxExpirySeconds)
    throw new UsageError(`This relay keeps portals for ${formatDuration(maxExpirySeconds)} at the most.`);
  return expirySeconds;
}

/** What is handed in does not outlive the request. */
function secondsLeft(request: SharedPortal | null): number {
  if (request === null) return Number.POSITIVE_INFINITY;
  return Math.max(MIN_EXPIRY_SECONDS, Math.floor((request.expiresAtMs - Date.now()) / 1000));
}

async function upload(
  origin: string,
  { link, keys, ownerToken }: OwnedPortal,
  found: Walk,
  { output, signal }: Context,
): Promise<Progress> {
  const progress = new Progress();
  progress.entriesTotal = found.sources.length;
  progress.bytesTotal = found.totalBytes;
  progress.listed = true;
  const dial = httpDial(origin, { portal: link.portal, role: "send", token: ownerToken });
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
