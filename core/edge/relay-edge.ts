/**
 * A relay as an edge: one steady link, which chooses and changes its carrier by itself.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import { DOWNLOAD_WINDOW_PACKS } from "../units.ts";
import type { PortalState } from "../wire/frame.ts";
import type { SealedObject } from "../wire/object.ts";
import type { EdgeKind, PackEdge } from "./pack-edge.ts";
import type { LinkStatus, SteadyLink } from "./steady-link.ts";

/** How a link's bytes travel now. */
export function kindOf({ status }: Pick<SteadyLink, "status">): EdgeKind | null {
  if (status.carrier === null) return null;
  return status.carrier === "webtransport" ? "webtransport" : "tcp";
}

/** True while a link is connected and is not known to be in trouble. */
export function isLinkUp({ status }: Pick<SteadyLink, "status">): boolean {
  return status.carrier !== null && status.failure === null && status.nextTryAtMs === null;
}

/** One relay, to receive from. The link stays its owner's. */
export class RelayEdge implements PackEdge {
  readonly name: string;
  readonly maxActive = DOWNLOAD_WINDOW_PACKS;
  readonly #link: SteadyLink;
  #state: PortalState | undefined;
  #held = new RangeSet();
  #kind: EdgeKind | null = null;

  /** @param name host of the relay */
  constructor(name: string, link: SteadyLink) {
    this.name = name;
    this.#link = link;
  }

  get kind(): EdgeKind | null {
    this.#kind = kindOf(this.#link) ?? this.#kind;
    return this.#kind;
  }

  get isUp(): boolean {
    return isLinkUp(this.#link);
  }

  get rttMs(): number | null {
    return this.#link.rttMs;
  }

  /** The portal's owner paused it: packs that it holds do not come now. */
  get isKeptBack(): boolean {
    return this.#link.state?.phase === "paused";
  }

  /** How the link stands, for people. */
  get status(): LinkStatus {
    return this.#link.status;
  }

  get held(): RangeSet {
    const { state } = this.#link;
    if (state !== this.#state) {
      this.#state = state;
      this.#held = RangeSet.fromArray(state?.heldPacks ?? []);
    }
    return this.#held;
  }

  get<T>(
    pack: number,
    accept: (object: SealedObject) => Promise<T>,
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<T> {
    return this.#link.get("pack", pack, accept, signal, onBytes);
  }

  /** Fetches a page, waiting until it exists, as `SteadyLink.get` does. */
  getPage<T>(page: number, accept: (object: SealedObject) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#link.get("page", page, accept, signal);
  }
}
