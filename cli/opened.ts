/**
 * A portal that is being read: its keys, its link to the relay and its manifest as it comes. Shared by `get` and `info`.
 *
 * @module
 */
import type { ContentKeys } from "../core/seal/keys.ts";
import { followReceive } from "../core/transfer/follow.ts";
import { PageFeed } from "../core/transfer/page-feed.ts";
import { Progress } from "../core/transfer/progress.ts";
import type { GetCommand, InfoCommand } from "./arguments.ts";
import type { Context } from "./context.ts";
import { openPortal, readingKeys, type SharedPortal } from "./portal.ts";
import { httpDial, openRelayLink, type RelayLink } from "./relay.ts";

export interface Opened {
  readonly portal: SharedPortal;
  readonly keys: ContentKeys;
  readonly feed: PageFeed;
  readonly relay: RelayLink;
  readonly progress: Progress;
  /** Aborts when it is closed, or by Ctrl-C. */
  readonly signal: AbortSignal;
  close(): void;
}

/** Connects and starts reading the manifest. @throws Failure `link/…`, `password/…`, `portal/…`, `relay/…`; `link/purpose` for a link that reads nothing */
export async function open(command: GetCommand | InfoCommand, { password, signal }: Context): Promise<Opened> {
  const portal = await openPortal(command.link, command.relay, password, signal);
  const keys = await readingKeys(portal, command.name);
  const { host, link, token } = portal;
  const progress = new Progress();
  const feed = new PageFeed();
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const update = (): void => followReceive(progress, relay.steady, feed.manifest);
  const dial = httpDial(host.origin, { portal: link.portal, role: "receive", token });
  const relay = openRelayLink(dial, stop, () => update());
  const close = (): void => {
    ended.abort();
    relay.close();
  };
  try {
    await Promise.race([relay.steady.connected(), relay.lost]);
    feed.start(link.portal, keys, relay.steady, stop, update);
    return { portal, keys, feed, relay, progress, signal: stop, close };
  } catch (error) {
    close();
    throw error;
  }
}
