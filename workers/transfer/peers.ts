/**
 * Other browsers of the same portal in one transfer: they are met through the relay, give packs that they have, and are given
 * what this transfer lately sent or received.
 *
 * @module
 */
import type { PackEdge } from "../../core/edge/pack-edge.ts";
import { PackShelf, shelfBytes } from "../../core/edge/pack-shelf.ts";
import { Pairings } from "../../core/edge/pairings.ts";
import { PeerLink } from "../../core/edge/peer-link.ts";
import type { SteadyLink } from "../../core/edge/steady-link.ts";
import type { ContentKeys } from "../../core/seal/keys.ts";
import { GIB } from "../../core/units.ts";
import { systemClock } from "../../platform/clock.ts";
import type { PageBroker } from "../../platform/webrtc/page-broker.ts";
import { createPeerBroker } from "../../platform/webrtc/peer-broker.ts";

/** What meeting others takes. */
export interface PeersParts {
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly keys: ContentKeys;
  /** The link to the portal's home. */
  readonly link: Pick<SteadyLink, "member" | "signal" | "state" | "isClaimed">;
  /** Undefined where this browser cannot. */
  readonly broker: PageBroker | undefined;
  /** False where the person, or the page's address, does not want it. */
  readonly isWanted: boolean;
  /** Its downloads are counted, at home. */
  readonly isLimited: boolean;
  /** True while this side is paused. */
  readonly isPaused: () => boolean;
}

/** Why a transfer meets nobody, or `on`. */
export type PeersStatus = "on" | "unwanted" | "unsupported" | "counted" | "without-key";

/** The peers of one transfer. */
export class Peers {
  /** Where packs lie that others may fetch. */
  readonly shelf: PackShelf;
  readonly #parts: PeersParts;
  readonly #pairings: Pairings | undefined;
  readonly #links = new Set<PeerLink>();
  #status: PeersStatus;
  #isHeld = false;
  /** Called with all that can be asked, after each change of any of them. */
  onEdges: (edges: readonly PackEdge[]) => void = () => {};

  constructor(parts: PeersParts) {
    this.#parts = parts;
    this.shelf = new PackShelf(shelfBytes(deviceMemoryBytes()));
    const { portal, keys, link, broker } = parts;
    this.#status = statusOf(parts);
    if (this.#status !== "on" || broker === undefined || keys.signal === undefined) return;
    this.#pairings = new Pairings({
      portal,
      key: keys.signal,
      link,
      broker: createPeerBroker(broker),
      clock: systemClock,
      random: Math.random,
      join: (channel) => {
        const parts = { channel, shelf: this.shelf, clock: systemClock, isHeld: () => this.#isHeld };
        const joined = new PeerLink({ ...parts, onChange: () => this.#tell() });
        this.#links.add(joined);
        void joined.closed.then(() => this.#links.delete(joined));
        return joined;
      },
      onChange: () => this.#met(),
    });
  }

  get status(): PeersStatus {
    return this.#status;
  }

  /** The link, the portal's state or this side's pause may have changed. */
  changed(): void {
    const { link, isPaused } = this.#parts;
    if (this.#status !== "on") return;
    // From now on bytes are counted, which only the relay can.
    if (link.isClaimed) {
      this.#status = "counted";
      this.close();
      return;
    }
    const isHeld = isPaused() || link.state?.phase === "paused";
    if (isHeld !== this.#isHeld) {
      this.#isHeld = isHeld;
      for (const joined of this.#links) joined.tellHeld();
    }
    this.#pairings?.changed();
  }

  /** A signal came through the relay. @param body kept */
  signalled(from: number, body: Uint8Array): void {
    this.#pairings?.signalled(from, body);
  }

  /** One of the edges gave wrong bytes: it is left, and not met again. */
  distrust(edge: PackEdge): void {
    if (edge instanceof PeerLink) this.#pairings?.distrust(edge);
  }

  /** Leaves everybody. */
  close(): void {
    this.#pairings?.close();
    this.shelf.shut();
  }

  #met(): void {
    const isAlone = this.#pairings?.isAlone !== false;
    if (!isAlone) this.shelf.open();
    else if (this.shelf.isOpen) this.shelf.shut();
    this.#tell();
  }

  #tell(): void {
    this.onEdges(this.#pairings?.links ?? []);
  }
}

function statusOf({ isWanted, isLimited, broker, keys }: PeersParts): PeersStatus {
  if (!isWanted) return "unwanted";
  if (broker === undefined) return "unsupported";
  if (isLimited) return "counted";
  return keys.signal === undefined ? "without-key" : "on";
}

/** Undefined where the browser does not tell. */
function deviceMemoryBytes(): number | undefined {
  const gib = (navigator as { readonly deviceMemory?: number }).deviceMemory;
  return gib === undefined ? undefined : gib * GIB;
}
