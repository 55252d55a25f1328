/**
 * A portal that is being read: its keys, its link to the relay and its manifest as it comes. Shared by `get` and `info`.
 *
 * @module
 */
import { PageFeed } from "../core/transfer/page-feed.ts";
import { Progress } from "../core/transfer/progress.ts";
import type { GetCommand, InfoCommand } from "./arguments.ts";
import { type Context, follow } from "./context.ts";
import { openPortal, type SharedPortal } from "./portal.ts";
import { httpDial, openRelayLink, type RelayLink } from "./relay.ts";

export interface Opened {
  readonly portal: SharedPortal;
  readonly feed: PageFeed;
  readonly relay: RelayLink;
  readonly progress: Progress;
  /** Aborts when it is closed, or by Ctrl-C. */
  readonly signal: AbortSignal;
  close(): void;
}

/** Connects and starts reading the manifest. @throws Failure `link/…`, `password/…`, `portal/…`, `relay/…` */
export async function open(command: GetCommand | InfoCommand, { password, signal }: Context): Promise<Opened> {
  const portal = await openPortal(command.link, command.relay, password, signal);
  const { origin, link, keys, readToken } = portal;
  const progress = new Progress();
  const feed = new PageFeed();
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const update = (): void => {
    follow(progress, relay.steady);
    const { state } = relay.steady;
    const { manifest } = feed;
    const stalled = manifest.end === null && state !== undefined && state.commitment === null && state.senders === 0;
    if (stalled) progress.waitingFor ??= "sender";
    progress.entriesTotal = manifest.entries.length;
    progress.bytesTotal = manifest.totalBytes;
    progress.listed = manifest.listed;
  };
  const dial = httpDial(origin, { portal: link.portal, role: "receive", token: readToken });
  const relay = openRelayLink(dial, stop, () => update());
  const close = (): void => {
    ended.abort();
    relay.close();
  };
  try {
    await Promise.race([relay.steady.connected(), relay.lost]);
    feed.start(link.portal, keys, relay.steady, stop, update);
    return { portal, feed, relay, progress, signal: stop, close };
  } catch (error) {
    close();
    throw error;
  }
}
