/**
 * `info`: what a link holds, from the relay's state and the manifest alone.
 *
 * @module
 */
import { displayPath } from "../core/manifest/display-path.ts";
import type { Manifest } from "../core/manifest/manifest.ts";
import { SEALED_PACK_BYTES } from "../core/units.ts";
import type { PortalState } from "../core/wire/frame.ts";
import type { InfoCommand } from "./arguments.ts";
import { systemClock } from "./clock.ts";
import type { Context } from "./context.ts";
import { count, formatBytes, formatTime } from "./format.ts";
import { open } from "./opened.ts";

/** How long the list of a sender that has only just begun is waited for. */
const LIST_LIMIT_MS = 5_000;

/** @throws Failure `link/…`, `password/…`, `portal/…`, `relay/…`, `manifest/…` */
export async function info(command: InfoCommand, context: Context): Promise<void> {
  const { output, signal } = context;
  const { portal, feed, relay, close } = await open(command, context);
  const { kind, grant } = portal;
  const late = new AbortController();
  try {
    const limit = systemClock.sleep(LIST_LIMIT_MS, AbortSignal.any([signal, late.signal]));
    limit.catch(() => {}); // a list that came in time
    await Promise.race([feed.until(() => feed.manifest.listed), limit, relay.lost]);
    const { state } = relay.steady;
    if (state === undefined) throw new Error("connected without a state");
    const told = { kind, link: grant.capability, ...facts(feed.manifest, state) };
    output.say({ type: "info", ...told }, describe(feed.manifest, state), "out");
  } finally {
    late.abort();
    close();
  }
}

/** Everything known, for programs. */
function facts(manifest: Manifest, state: PortalState) {
  return {
    phase: state.phase,
    complete: state.commitment !== null,
    expiresAtMs: state.expiresAtMs,
    senders: state.senders,
    receivers: state.receivers,
    heldPacks: heldPacks(state),
    listed: manifest.listed,
    bytes: manifest.totalBytes,
    entries: manifest.entries.map(({ kind, path, size, mtimeMs }) => ({ kind, path, size, mtimeMs })),
  };
}

function describe(manifest: Manifest, state: PortalState): string {
  const { entries, listed, totalBytes } = manifest;
  const sizes = entries.map(({ kind, size }) => (kind === "directory" ? "folder" : formatBytes(size)));
  const width = Math.max(0, ...sizes.slice(0, 100_000).map((text) => text.length));
  const lines = entries.map(({ path }, i) => `${(sizes[i] ?? "").padStart(width)}  ${displayPath(path)}`);
  const more = listed ? "" : ", and more that the sender has not listed yet";
  return [
    ...lines,
    `${count(entries.length, "item")}, ${formatBytes(totalBytes)}${more}.`,
    `${stateSentence(state)} It expires ${formatTime(state.expiresAtMs)}.`,
  ].join("\n");
}

function stateSentence(state: PortalState): string {
  if (state.phase === "paused") return "It is paused by its owner: nothing comes until it goes on.";
  if (state.commitment !== null) return "It is complete.";
  const held = `the relay holds ${formatBytes(heldPacks(state) * SEALED_PACK_BYTES)} of sealed packs`;
  return state.senders > 0 ? `It is being sent: ${held}.` : `It is not complete and nobody is sending: ${held}.`;
}

function heldPacks({ heldPacks: ranges }: PortalState): number {
  let packs = 0;
  for (let i = 0; i + 1 < ranges.length; i += 2) packs += (ranges[i + 1] ?? 0) - (ranges[i] ?? 0);
  return packs;
}
