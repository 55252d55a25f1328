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
import type { EdgeUse } from "../orchestrate/edge-watch.ts";
import type { Orchestrator } from "../orchestrate/orchestrator.ts";
import type { FetchJob } from "./fetch-job.ts";
import type { PageGiver, SecondWay } from "./second-way.ts";

/** Edges that one receive has had, at the most: beyond it no further ones are taken. */
const MAX_EDGES = 256;
/** Damaged packs after which an edge is not asked again; one that is forged is enough. */
const MAX_DAMAGED = 3;

/** Who gives something while home is away has done so within this time. */
const HELPS_MS = 2_000;

/** The number of the first edge. */
export const HOME = 0;

/** One edge. */
export interface Member {
  readonly source: PackEdge;
  /** Null for a peer, and for the second way to home. */
  readonly relay: RelayEdge | null;
  /** Null for a peer. */
  readonly pages: PageGiver | null;
}

interface Known extends Member {
  damaged: number;
  /** What it held when that was last told on. */
  held: RangeSet | undefined;
}

/** All edges that one receive has had; the first is home. */
export class FleetMembers {
  readonly #home: RelayEdge;
  readonly #second: SecondWay | undefined;
  readonly #orchestrator: Orchestrator;
  readonly #onBarred: (source: PackEdge) => void;
  readonly #members: Known[] = [];

  /**
   * @param second another way to home, where there may be one
   * @param onBarred is told of an edge that is asked no more because it lied
   */
  constructor(
    home: RelayEdge,
    second: SecondWay | undefined,
    orchestrator: Orchestrator,
    onBarred: (source: PackEdge) => void,
  ) {
    this.#home = home;
    this.#second = second;
    this.#orchestrator = orchestrator;
    this.#onBarred = onBarred;
  }

  /** Nobody but home can be asked, in one way. */
  get isAlone(): boolean {
    return this.#members.every(({ source }) => source === this.#home || this.#useOf(source) === "resting");
  }

  /** How it stands, for people: with home, or with another relay, or whoever else gives something, while home is away. */
  status(nowMs: number): LinkStatus {
    const home = this.#home;
    if (home.isUp) return home.status;
    const other = this.#members.find(({ source, relay }) => relay !== null && source.isUp);
    if (other?.relay) return other.relay.status;
    // Who has nothing more to give is no help, nor is who gives nothing.
    const isHelped = this.#members.some(({ source }, edge) => {
      const { active = 0, carriedAtMs = 0 } = this.#orchestrator.watches[edge] ?? {};
      return source.isUp && active > 0 && nowMs - carriedAtMs < HELPS_MS;
    });
    return isHelped ? { ...home.status, nextTryAtMs: null, failure: null } : home.status;
  }

  /** The edge of a number. */
  at(edge: number): Member | undefined {
    return this.#members[edge];
  }

  /** What home was asked for comes. */
  get isHomeGiving(): boolean {
    return this.#home.isUp && this.#second?.isHomeSilent !== true;
  }

  /**
   * Looks at home and the second way to it.
   *
   * @param leftBytes that nobody was asked for yet, as far as is known
   * @returns whether either is used differently from now on, which the orchestrator was told
   */
  look(jobs: Iterable<FetchJob>, leftBytes: number, nowMs: number): boolean {
    const [home, second] = [this.#home, this.#second];
    if (second === undefined) return false;
    const bytesOf = (source: PackEdge) => {
      const edge = this.#members.findIndex((member) => member.source === source);
      return this.#orchestrator.watches[edge]?.carriedBytes ?? 0;
    };
    const owes = [...jobs].some((job) => job.isOwedBy(HOME, home.held));
    const [homeBytes, secondBytes] = [bytesOf(home), bytesOf(second.edge)];
    if (!second.look({ nowMs, homeBytes, secondBytes, owes, leftBytes })) return false;
    if (second.use !== "resting") this.add(second.edge, null);
    this.tell(nowMs);
    return true;
  }

  isHome(edge: number): boolean {
    return this.#members[edge]?.source === this.#home;
  }

  /** @returns false for one that is known, or one too many */
  add(source: PackEdge, relay: RelayEdge | null): boolean {
    if (this.#members.length >= MAX_EDGES || this.#members.some((member) => member.source === source)) return false;
    const pages = source === this.#second?.edge ? this.#second.edge : relay;
    this.#members.push({ source, relay, pages, damaged: 0, held: undefined });
    return true;
  }

  /** Tells the orchestrator how all of them stand now. */
  tell(nowMs: number): void {
    for (const [edge, member] of this.#members.entries()) {
      const { kind, name, isUp, rttMs, maxActive, held } = member.source;
      const use = this.#useOf(member.source);
      this.#orchestrator.setEdge(edge, { kind, name, isUp, rttMs, maxActive, ...(use && { use }) }, nowMs);
      if (held !== member.held) this.#orchestrator.setHeld(edge, held);
      member.held = held;
    }
  }

  /** Edges that may give a pack that nobody is known to hold: relays wait until they have it. */
  mayGivePack(pack: number): number[] {
    const isSecond = (source: PackEdge) => source === this.#second?.edge;
    return this.#asked(({ source, relay }) => relay !== null || (!isSecond(source) && source.held.has(pack)));
  }

  /** Edges that give pages: home, and the other relays and the second way while it gives none. */
  mayGivePage(): number[] {
    return this.#asked(({ pages }) => pages !== null && !this.isHomeGiving);
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

  #useOf(source: PackEdge): EdgeUse | undefined {
    if (source === this.#home) return this.#second?.isHomeSilent === true ? "silent" : undefined;
    return source === this.#second?.edge ? this.#second.use : undefined;
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
