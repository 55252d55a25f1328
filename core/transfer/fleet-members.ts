/**
 * The edges of one receive by their numbers, and what the orchestrator is told of them.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import type { PackEdge } from "../edge/pack-edge.ts";
import type { RelayEdge } from "../edge/relay-edge.ts";
import type { LinkStatus } from "../edge/steady-link.ts";
import type { FailureCode } from "../failure.ts";
import type { Orchestrator } from "../orchestrate/orchestrator.ts";

/** Edges that one receive has had, at the most: beyond it no further ones are taken. */
const MAX_EDGES = 256;
/** Damaged packs after which an edge is not asked again; one that is forged is enough. */
const MAX_DAMAGED = 3;

/** One edge. */
export interface Member {
  readonly source: PackEdge;
  /** Null for a peer, which has no pages. */
  readonly relay: RelayEdge | null;
}

interface Known extends Member {
  damaged: number;
  /** What it held when that was last told on. */
  held: RangeSet | undefined;
}

/** All edges that one receive has had; the first is home. */
export class FleetMembers {
  readonly #home: RelayEdge;
  readonly #orchestrator: Orchestrator;
  readonly #onBarred: (source: PackEdge) => void;
  readonly #members: Known[] = [];

  /** @param onBarred is told of an edge that is asked no more because it lied */
  constructor(home: RelayEdge, orchestrator: Orchestrator, onBarred: (source: PackEdge) => void) {
    this.#home = home;
    this.#orchestrator = orchestrator;
    this.#onBarred = onBarred;
  }

  /** Nobody but home can be asked. */
  get isAlone(): boolean {
    return this.#members.length === 1;
  }

  /** How it stands, for people: with home, or with another relay, or peers that give something, while home is away. */
  get status(): LinkStatus {
    const home = this.#home;
    if (home.isUp) return home.status;
    const other = this.#members.find(({ source, relay }) => relay !== null && source.isUp);
    if (other?.relay) return other.relay.status;
    // Peers that have nothing more to give are no help.
    const isHelped = this.#members.some(
      ({ source }, edge) => source.isUp && (this.#orchestrator.watches[edge]?.active ?? 0) > 0,
    );
    return isHelped ? { ...home.status, nextTryAtMs: null, failure: null } : home.status;
  }

  /** The edge of a number. */
  at(edge: number): Member | undefined {
    return this.#members[edge];
  }

  isHome(edge: number): boolean {
    return this.#members[edge]?.source === this.#home;
  }

  /** @returns false for one that is known, or one too many */
  add(source: PackEdge, relay: RelayEdge | null): boolean {
    if (this.#members.length >= MAX_EDGES || this.#members.some((member) => member.source === source)) return false;
    this.#members.push({ source, relay, damaged: 0, held: undefined });
    return true;
  }

  /** Tells the orchestrator how all of them stand now. */
  tell(nowMs: number): void {
    for (const [edge, member] of this.#members.entries()) {
      const { kind, name, isUp, rttMs, maxActive, held } = member.source;
      this.#orchestrator.setEdge(edge, { kind, name, isUp, rttMs, maxActive }, nowMs);
      if (held !== member.held) this.#orchestrator.setHeld(edge, held);
      member.held = held;
    }
  }

  /** Edges that may give a pack that nobody is known to hold: relays wait until they have it. */
  mayGivePack(pack: number): number[] {
    return this.#asked(({ source, relay }) => relay !== null || source.held.has(pack));
  }

  /** Edges that give pages: home, and the other relays while it is away. */
  mayGivePage(): number[] {
    return this.#asked(({ relay }) => relay !== null && !this.#home.isUp);
  }

  /** An edge gave bytes that are wrong; home's are not all that there is of it. */
  blame(edge: number, code: FailureCode, nowMs: number): void {
    const member = this.#members[edge];
    if (member === undefined || member.source === this.#home) return;
    member.damaged += 1;
    if (code !== "pack/forged" && member.damaged < MAX_DAMAGED) return;
    this.#orchestrator.bar(edge, nowMs);
    this.#onBarred(member.source);
  }

  /** Home in any case: its link waits for its connection by itself, and its failures end the receive. */
  #asked(mayHave: (member: Member) => boolean): number[] {
    const { barred } = this.#orchestrator;
    return this.#members.flatMap((member, edge) => {
      const isAsked = member.source.isUp && !barred.has(edge) && mayHave(member);
      return isAsked || member.source === this.#home ? [edge] : [];
    });
  }
}
