/**
 * The relays of one send, seen as one: each pack goes to one of them first, whichever the orchestrator orders; pages go to all.
 * At the end home is completed from the others and committed, and then it is done. What only a lost relay held is made again.
 *
 * A send to one relay alone passes straight through to its link.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import { type Deferred, deferred } from "../edge/deferred.ts";
import type { LinkStatus } from "../edge/steady-link.ts";
import { type Failure, toFailure } from "../failure.ts";
import { Orchestrator, type OrchestratorOptions, TICK_MS } from "../orchestrate/orchestrator.ts";
import type { RelaysMode } from "../portal/portal.ts";
import type { Clock } from "../ports/clock.ts";
import type { Orders } from "../schedule/dispatch-orders.ts";
import { MAX_PACKS, SEALED_PACK_BYTES } from "../units.ts";
import type { Commitment, PortalState } from "../wire/frame.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { completeRelays } from "./complete-relays.ts";
import type { EdgesSnapshot } from "./edges-snapshot.ts";
import { edgesSnapshot, type Waits } from "./edges-view.ts";
import { Attempt } from "./fetch-job.ts";
import { PutJob } from "./put-job.ts";
import { heldByAny, type LegParts, SendLeg } from "./send-leg.ts";
import type { SendLink } from "./send-link.ts";

/** What a fleet works with. */
export interface SendFleetOptions extends Pick<OrchestratorOptions, "seed" | "policy" | "conditions"> {
  /** The relay that serves the link. */
  readonly home: LegParts;
  readonly mode: RelaysMode;
  readonly clock: Clock;
  /** An object that was stored is held by no relay any more: it is to be made and put again. */
  readonly onLost: (kind: ObjectKind, index: number) => void;
}

/** One send's. */
export class SendFleet implements SendLink {
  readonly #options: SendFleetOptions;
  readonly #clock: Clock;
  readonly #orchestrator: Orchestrator;
  readonly #legs: SendLeg[] = [];
  readonly #home: SendLeg;
  readonly #jobs = new Map<number, PutJob>();
  /** Hashes of packs that went past home, u8[32] each. */
  readonly #hashes = new Map<number, Uint8Array>();
  readonly #startedMs: number;
  readonly #stop = new AbortController();
  /** Resolved while home is away. */
  #homeIsAway: Deferred<void> = deferred<void>();
  #isHomeUp = true;
  #isTicking = false;
  /** All was sent, and home is being completed: what is made again goes there. */
  #isClosing = false;
  #rest: readonly [next: number, end: number] = [0, 0];

  constructor(options: SendFleetOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#startedMs = options.clock.now();
    this.#orchestrator = new Orchestrator({ ...options, direction: "up", packBytes: SEALED_PACK_BYTES });
    this.#home = new SendLeg(options.home);
    this.#add(this.#home);
  }

  /** Takes another relay, at which the portal was made. */
  join(leg: LegParts): void {
    if (this.#stop.signal.aborted) leg.link.close();
    else this.#add(new SendLeg(leg));
  }

  /** Something about a link changed: its connection, or what it told. */
  changed(): void {
    const nowMs = this.#clock.now();
    for (const [edge, leg] of this.#legs.entries()) this.#orchestrator.setEdge(edge, leg.listen(), nowMs);
    const { isUp } = this.#home;
    if (!isUp) this.#homeIsAway.resolve();
    else if (!this.#isHomeUp) this.#homeIsAway = deferred<void>();
    this.#isHomeUp = isUp;
    this.#carry(this.#orchestrator.fill(nowMs));
  }

  /** A relay lost an object that it had. @param link that told of it */
  lost(link: LegParts["link"], kind: ObjectKind, index: number): void {
    const leg = this.#legs.find((one) => one.link === link);
    leg?.held.remove(kind, index);
    // Home is completed from whoever holds it; before its end nobody needs to.
    if (!this.#legs.some((one) => one.canGive(kind, index))) this.#options.onLost(kind, index);
  }

  /** How many packs there will be, as well as that is known: for plans. */
  setEnd(packs: number): void {
    this.#setRest(this.#rest[0], packs);
  }

  connected(): Promise<void> {
    return this.#home.link.connected();
  }
  rest(ms: number): Promise<void> {
    return this.#home.link.rest(ms);
  }

  /** Home's, with the packs and pages of all relays. */
  get state(): PortalState | undefined {
    const { state } = this.#home.link;
    if (state === undefined || this.#isAlone) return state;
    return { ...state, heldPacks: heldByAny(this.#legs, "pack"), heldPages: heldByAny(this.#legs, "page") };
  }

  /** Home's; while home is away and another relay is there, that one's. */
  get status(): LinkStatus {
    const { status } = this.#home.link;
    if (this.#home.isUp || this.#isClosing) return status;
    const isOver = status.failure !== null && status.nextTryAtMs === null;
    return isOver ? status : (this.#legs.find((leg) => leg.isUp)?.link.status ?? status);
  }

  /** Receivers at home, or where most are while home is away. */
  get receivers(): number {
    const there = this.#home.isUp ? [this.#home] : this.#legs.filter((leg) => leg.isUp);
    return Math.max(0, ...there.map(({ link }) => link.state?.receivers ?? 0));
  }

  /** Sealed bytes that were stored. */
  get objectBytes(): number {
    return this.#legs.reduce((sum, { link }) => sum + link.objectBytes, 0);
  }

  /** Somebody asks for a new plan. */
  replan(): void {
    this.#orchestrator.replanNow(this.#clock.now());
  }

  /** For pages. */
  snapshot(waits: Waits): EdgesSnapshot {
    return edgesSnapshot(this.#orchestrator, "up", waits, this.#startedMs, this.#clock.now());
  }

  /** Resolves when a relay has it and its bytes are not needed any more. @throws Failure what ends the portal at home */
  async put(object: SealedObject): Promise<void> {
    const { kind, index } = object.header;
    if (kind === "page") return this.#putPage(object);
    this.#setRest(Math.max(this.#rest[0], index + 1), this.#rest[1]);
    const job = new PutJob(object);
    this.#jobs.set(index, job);
    void this.#tick();
    try {
      const isDirect = this.#isAlone || this.#isClosing;
      if (isDirect && this.#orchestrator.hindrance === null) this.#try(job, 0);
      else {
        this.#orchestrator.want(index);
        this.#carry(this.#orchestrator.fill(this.#clock.now()));
      }
      await job.done.promise;
    } finally {
      this.#jobs.delete(index);
      this.#orchestrator.unwant(index);
    }
  }

  /** Completes home and commits there; then, as far as they are there, the others. @throws Failure */
  async commit(commitment: Commitment): Promise<void> {
    this.#isClosing = true;
    const { onLost, mode } = this.#options;
    await completeRelays({
      home: this.#home,
      legs: this.#legs,
      mode,
      commitment,
      hashOf: (pack) => this.#hashes.get(pack),
      remake: onLost,
      clock: this.#clock,
      signal: this.#stop.signal,
    });
  }

  /** Ends everything; pending operations reject with `cancelled`. */
  close(): void {
    this.#stop.abort();
    for (const leg of this.#legs) leg.close();
  }

  get #isAlone(): boolean {
    return this.#legs.length === 1;
  }

  #setRest(next: number, end: number): void {
    this.#rest = [next, end];
    this.#orchestrator.setRest(next, end);
  }

  #add(leg: SendLeg): void {
    const edge = this.#legs.length;
    this.#legs.push(leg);
    this.#orchestrator.setEdge(edge, leg.listen(), this.#clock.now());
    const all = new RangeSet();
    all.add(0, MAX_PACKS);
    this.#orchestrator.setHeld(edge, all);
    this.changed();
  }

  #try(job: PutJob, edge: number): void {
    const leg = this.#legs[edge];
    const { index, length, hash } = job.object.header;
    if (leg === undefined || job.attempts.has(edge)) return;
    const watch = this.#orchestrator.watches[edge];
    const attempt = new Attempt(edge, this.#clock.now(), () => watch?.ended(this.#clock.now()));
    watch?.started(true, this.#clock.now());
    job.attempts.set(edge, attempt);
    job.readers += 1;
    leg
      .put(job.object, attempt.signal)
      .then(
        () => {
          if (leg !== this.#home) this.#hashes.set(index, hash);
          this.#stored(job, attempt, length);
        },
        (error: unknown) => this.#failed(job, attempt, toFailure(error, "relay/unreachable")),
      )
      .finally(() => {
        job.readers -= 1;
        if (job.isStored && job.readers === 0) job.done.resolve();
      });
  }

  #stored(job: PutJob, attempt: Attempt, length: number): void {
    const { index } = job.object.header;
    const nowMs = this.#clock.now();
    if (!attempt.isOver) this.#orchestrator.progress(index, attempt.edge, length, nowMs);
    attempt.end();
    job.isStored = true;
    this.#orchestrator.arrived(index, attempt.edge, nowMs - attempt.startedMs, nowMs);
    for (const other of job.attempts.values()) other.end();
    this.#carry(this.#orchestrator.fill(nowMs));
  }

  #failed(job: PutJob, attempt: Attempt, failure: Failure): void {
    job.attempts.delete(attempt.edge);
    if (!attempt.end() || job.isStored) return;
    const nowMs = this.#clock.now();
    if (attempt.edge === 0) {
      job.done.reject(failure);
      return;
    }
    this.#orchestrator.failed(job.object.header.index, attempt.edge, nowMs, false);
    this.#carry(this.#orchestrator.fill(nowMs));
  }

  /** Home has it, or another relay while home is away. */
  async #putPage(object: SealedObject): Promise<void> {
    const others = this.#legs.filter((leg) => leg !== this.#home && leg.isUp);
    if (others.length === 0) return this.#home.put(object);
    const copy = { header: object.header, bytes: object.bytes.slice() };
    const offered = others.map(async (leg) => {
      if (!(await leg.offerPage(copy))) throw new Error("not there");
    });
    const stop = new AbortController();
    const elsewhere = Promise.all([Promise.any(offered), this.#homeIsAway.promise]).then(() => stop.abort());
    elsewhere.catch(() => {}); // home is waited for
    try {
      await this.#home.put(object, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  }

  #carry({ cancel, start }: Orders): void {
    for (const { pack, edge } of cancel) this.#jobs.get(pack)?.attempts.get(edge)?.end();
    for (const { pack, edge } of start) {
      const job = this.#jobs.get(pack);
      if (job !== undefined) this.#try(job, edge);
    }
  }

  /** Runs while something is stored. */
  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      while (this.#jobs.size > 0) {
        await this.#clock.sleep(TICK_MS, this.#stop.signal);
        this.#carry(this.#orchestrator.tick(this.#clock.now()));
      }
    } catch {
      // Closed.
    } finally {
      this.#isTicking = false;
    }
  }
}
