/**
 * One of the relays that a send goes to: its link, and what it is known to hold.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import { Acknowledged } from "../edge/acknowledged.ts";
import { isLinkUp, kindOf } from "../edge/relay-edge.ts";
import type { SteadyLink } from "../edge/steady-link.ts";
import type { EdgeFacts } from "../orchestrate/edge-watch.ts";
import type { PortalState } from "../wire/frame.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { IN_FLIGHT_PACKS } from "./outgoing.ts";

/** A way to read sealed objects of the portal at one relay. */
export type ObjectReader = Pick<SteadyLink, "get" | "close">;

/** What is given for each relay; the fleet closes the link, and the reader that it opens. */
export interface LegParts {
  /** Host, for people. */
  readonly name: string;
  readonly link: SteadyLink;
  openReader(): ObjectReader;
}

/** Pages that wait for one relay beside home at a time; what is more is filled in at the end. */
const MAX_WAITING_PAGES = 64;

/** One relay of a send. */
export class SendLeg {
  readonly name: string;
  readonly link: SteadyLink;
  /** What it told or acknowledged, and did not lose. */
  readonly held = new Acknowledged();
  readonly #parts: LegParts;
  #told: PortalState | undefined;
  #reader: ObjectReader | undefined;
  #waitingPages = 0;

  constructor(parts: LegParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.link = parts.link;
  }

  get isUp(): boolean {
    return isLinkUp(this.link);
  }

  /** Takes in what the relay told of itself, and gives how it stands. */
  listen(): EdgeFacts {
    const { name, isUp, link } = this;
    if (link.state !== undefined && link.state !== this.#told) this.held.addHeld(link.state);
    this.#told = link.state;
    return { kind: kindOf(link), name, isUp, rttMs: link.rttMs, maxActive: IN_FLIGHT_PACKS };
  }

  /** Stores an object here, and knows of it. @throws Failure as `SteadyLink.put` */
  async put(object: SealedObject, signal?: AbortSignal): Promise<void> {
    await this.link.put(object, signal);
    this.held.add(object.header.kind, object.header.index);
  }

  /** Stores a page beside the other relays. The bytes are this call's own. @returns whether it is there; false where it is left out for now */
  async offerPage(object: SealedObject): Promise<boolean> {
    if (!this.isUp || this.#waitingPages >= MAX_WAITING_PAGES) return false;
    this.#waitingPages += 1;
    try {
      await this.put(object);
      return true;
    } catch {
      return false; // filled in at the end, or left out with its relay
    } finally {
      this.#waitingPages -= 1;
    }
  }

  /** True for an object that this relay can give. */
  canGive(kind: ObjectKind, index: number): boolean {
    return this.isUp && this.held.has(kind, index);
  }

  /** Hands a sealed object that this relay holds to `take`, which may use its bytes until it settles. */
  async give(kind: ObjectKind, index: number, take: (object: SealedObject) => Promise<void>): Promise<void> {
    this.#reader ??= this.#parts.openReader();
    await this.#reader.get(kind, index, take);
  }

  close(): void {
    this.#reader?.close();
    this.link.close();
  }
}

/** What one relay or another holds, as flat ranges. */
export function heldByAny(legs: readonly SendLeg[], kind: ObjectKind): number[] {
  const all = new RangeSet();
  for (const { held } of legs) for (const [from, to] of held.all(kind)) all.add(from, to);
  return all.toArray();
}
