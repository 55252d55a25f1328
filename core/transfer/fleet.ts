/**
 * The edges of one receive, seen as one: packs come from whichever edge the orchestrator orders them at, and from another when
 * that one fails. What nobody is known to hold is asked for at every relay, and the first that has it gives it. Pages
 * come from home, or from another relay while home gives none.
 *
 * A receive from one relay alone passes straight through to its link. To home there may be a second way (second-way.ts).
 *
 * @module
 */
import type { PackEdge } from "../edge/pack-edge.ts";
import type { RelayEdge } from "../edge/relay-edge.ts";
import type { LinkStatus } from "../edge/steady-link.ts";
import { Failure, toFailure } from "../failure.ts";
import { Orchestrator, type OrchestratorOptions, TICK_MS } from "../orchestrate/orchestrator.ts";
import type { Clock } from "../ports/clock.ts";
import type { Orders } from "../schedule/dispatch-orders.ts";
import { SEALED_PACK_BYTES } from "../units.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import type { EdgesSnapshot } from "./edges-snapshot.ts";
import { edgesSnapshot, type Waits } from "./edges-view.ts";
import { Attempt, FetchJob } from "./fetch-job.ts";
import { FleetMembers, HOME } from "./fleet-members.ts";
import type { ObjectSource } from "./object-source.ts";
import type { SecondWay } from "./second-way.ts";

/** Copies of one object that are not what they should be, after which it counts as forged. */
const MAX_FAULTS = 6;
/** What a fleet works with. */
export interface FleetOptions extends Pick<OrchestratorOptions, "seed" | "policy" | "conditions"> {
  readonly home: RelayEdge;
  readonly second?: SecondWay;
  readonly clock: Clock;
  /** Takes a copy of each pack that was verified, to give it to others. */
  readonly shelf?: { put(object: SealedObject): void };
  /** An edge gave wrong bytes and is asked no more; it may be told so, or met again as another one. */
  readonly onBarred?: (source: PackEdge) => void;
}

/** One receive's. */
export class Fleet implements ObjectSource {
  readonly #options: FleetOptions;
  readonly #clock: Clock;
  readonly #orchestrator: Orchestrator;
  readonly #members: FleetMembers;
  readonly #jobs = new Map<string, FetchJob>();
  readonly #startedMs: number;
  readonly #stop = new AbortController();
  #isTicking = false;
  /** Packs before it were fetched, or are wanted no more. */
  #next = 0;
  #end = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#startedMs = options.clock.now();
    this.#orchestrator = new Orchestrator({ ...options, direction: "down", packBytes: SEALED_PACK_BYTES });
    const onBarred = (source: PackEdge) => options.onBarred?.(source);
    this.#members = new FleetMembers(options.home, options.second, this.#orchestrator, onBarred);
    this.join(options.home, options.home);
  }

  /** Takes another edge. Call `changed` whenever something about it did. @param relay itself, where it is one */
  join(source: PackEdge, relay: RelayEdge | null = null): void {
    if (this.#members.add(source, relay)) this.changed();
  }

  /** An edge's connection or holdings changed. */
  changed(): void {
    const nowMs = this.#clock.now();
    this.#lookAtWays(nowMs);
    this.#members.tell(nowMs);
    for (const job of this.#jobs.values()) if (!job.isOrdered) this.#askAll(job);
    this.#carry(this.#orchestrator.fill(nowMs));
  }

  /** Where packs end, once that is known: for plans. */
  setEnd(packs: number): void {
    this.#end = packs;
    this.#orchestrator.setRest(this.#next, packs);
  }

  /**
   * Fetches one object, waiting until it exists, and gives what `accept` makes of it; the object's bytes are good only until then.
   * @throws Failure `cancelled`, `pack/forged` | `object/corrupt` where no edge gives it right, or what ends the receive
   */
  async get<T>(
    kind: ObjectKind,
    index: number,
    accept: (object: SealedObject) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    if (signal.aborted || this.#stop.signal.aborted) throw new Failure("cancelled");
    const job = new FetchJob(kind, index, accept);
    const key = `${kind} ${index}`;
    const onAbort = () => job.reject();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#drop(key);
    this.#jobs.set(key, job);
    try {
      this.#place(job);
      void this.#tick();
      return (await job.result) as T;
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (this.#jobs.get(key) === job) this.#drop(key);
    }
  }

  /** How it stands with the relays, for people: home, or another one that goes on while home is away. */
  get status(): LinkStatus {
    return this.#members.status(this.#clock.now());
  }

  /** Somebody asks for a new plan. */
  replan(): void {
    this.#orchestrator.replanNow(this.#clock.now());
  }

  /** For pages. */
  snapshot(waits: Waits): EdgesSnapshot {
    return edgesSnapshot(this.#orchestrator, "down", waits, this.#startedMs, this.#clock.now());
  }

  /** Ends everything that is under way; the links stay their owners'. */
  close(): void {
    this.#stop.abort();
    for (const job of this.#jobs.values()) job.reject();
  }

  #drop(key: string): void {
    const job = this.#jobs.get(key);
    if (job === undefined) return;
    this.#jobs.delete(key);
    if (!job.isDone) job.reject();
    if (job.isOrdered) this.#orchestrator.unwant(job.index);
  }

  get #isAlone(): boolean {
    return this.#members.isAlone;
  }

  #place(job: FetchJob): void {
    const isPack = job.kind === "pack";
    if (isPack) this.#next = Math.max(this.#next, job.index);
    job.isOrdered = isPack && !this.#isAlone && this.#orchestrator.isHeld(job.index);
    if (!job.isOrdered) {
      this.#askAll(job);
      return;
    }
    this.#orchestrator.want(job.index);
    this.#carry(this.#orchestrator.fill(this.#clock.now()));
  }

  /** Asks everybody who may have it: relays wait until they do. */
  #askAll(job: FetchJob): void {
    // Looked at again with each tick.
    if (job.kind === "pack" && this.#orchestrator.hindrance !== null) return;
    const edges = job.kind === "pack" ? this.#members.mayGivePack(job.index) : this.#members.mayGivePage();
    for (const edge of edges) this.#try(job, edge);
  }

  #try(job: FetchJob, edge: number): void {
    const member = this.#members.at(edge);
    if (member === undefined || job.isDone || job.attempts.has(edge)) return;
    const { source, pages } = member;
    const watch = this.#orchestrator.watches[edge];
    const attempt = new Attempt(edge, this.#clock.now(), ({ isCounted }) => {
      if (isCounted) watch?.ended(this.#clock.now());
    });
    const count = (isWaiting: boolean) => {
      if (attempt.isCounted || attempt.isOver || job.kind === "page") return;
      attempt.isCounted = true;
      watch?.started(isWaiting, this.#clock.now());
    };
    const onBytes = (bytes: number) => {
      // What did not exist yet was no work until it came.
      count(false);
      attempt.cameBytes += bytes;
      if (!attempt.isOver) this.#orchestrator.progress(job.index, edge, bytes, this.#clock.now());
    };
    if (job.isOrdered) count(true);
    job.attempts.set(edge, attempt);
    attempt.isRaw = this.#isAlone;
    const accept = attempt.isRaw
      ? (object: SealedObject) => this.#acceptRaw(job, attempt, object)
      : this.#careful(job, attempt);
    const got =
      job.kind === "page" && pages !== null
        ? pages.getPage(job.index, accept, attempt.signal)
        : source.get(job.index, accept, attempt.signal, onBytes);
    got.then(
      (outcome) => this.#settled(job, attempt, outcome),
      (error: unknown) => this.#failed(job, attempt, toFailure(error, "relay/unreachable")),
    );
  }

  async #acceptRaw(job: FetchJob, attempt: Attempt, object: SealedObject): Promise<Outcome> {
    attempt.cameMs = this.#clock.now();
    const value = await job.accept(object);
    if (job.kind === "pack") this.#options.shelf?.put(object);
    return { value };
  }

  /** Where others can be asked, bytes that are wrong are the edge's failure and not the link's to repeat. */
  #careful(job: FetchJob, attempt: Attempt): (object: SealedObject) => Promise<Outcome> {
    return async (object) => {
      if (attempt.isOver) return { fault: new Failure("cancelled") };
      try {
        return await this.#acceptRaw(job, attempt, object);
      } catch (error) {
        return { fault: toFailure(error, "object/corrupt") };
      }
    };
  }

  #settled(job: FetchJob, attempt: Attempt, outcome: Outcome): void {
    if ("fault" in outcome) {
      this.#failed(job, attempt, outcome.fault);
      return;
    }
    if (!attempt.end()) return;
    const nowMs = this.#clock.now();
    const tookMs = (attempt.cameMs ?? nowMs) - attempt.startedMs;
    if (job.kind === "pack") {
      if (job.isOrdered) this.#orchestrator.arrived(job.index, attempt.edge, tookMs, nowMs);
      else this.#orchestrator.carriedPack(attempt.edge, tookMs, nowMs);
    }
    job.resolve(outcome.value);
    this.#carry(this.#orchestrator.fill(nowMs));
  }

  #failed(job: FetchJob, attempt: Attempt, failure: Failure): void {
    const { edge } = attempt;
    if (!attempt.end() || job.isDone) return;
    job.attempts.delete(edge);
    const nowMs = this.#clock.now();
    const isWrong = WRONG.includes(failure.code);
    if (isWrong) {
      job.faults += 1;
      this.#members.blame(edge, failure.code, nowMs);
    }
    // A relay that holds part of a portal says so; of home that would be the end.
    const isElsewhere = job.isOrdered && failure.code === "object/absent";
    const isFatal = this.#members.isHome(edge) && !isWrong && !isElsewhere && failure.code !== "cancelled";
    if (isFatal || job.faults >= MAX_FAULTS || (isWrong && this.#isAlone && attempt.isRaw)) {
      job.reject(failure);
      return;
    }
    if (job.isOrdered) this.#orchestrator.failed(job.index, edge, nowMs, failure.code === "object/absent");
    else if (isWrong) this.#place(job);
    this.#carry(this.#orchestrator.fill(nowMs));
  }

  /** Uses the second way to home, or home itself, differently where that is called for. */
  #lookAtWays(nowMs: number): void {
    const leftBytes = Math.max(0, this.#end - this.#next) * SEALED_PACK_BYTES;
    if (!this.#members.look(this.#jobs.values(), leftBytes, nowMs) || this.#isAlone) return;
    for (const job of this.#jobs.values()) {
      if (job.kind === "pack") this.#order(job, nowMs);
      else this.#askAll(job);
    }
  }

  /** What home alone was asked for is ordered from now on; what it has begun it goes on with, as if it had been ordered there. */
  #order(job: FetchJob, nowMs: number): void {
    if (job.isOrdered || !this.#orchestrator.isHeld(job.index)) return;
    const attempt = job.attempts.get(HOME);
    job.isOrdered = true;
    if (this.#members.isHomeGiving && attempt?.isCounted === true) {
      const leftBytes = Math.max(0, SEALED_PACK_BYTES - attempt.cameBytes);
      this.#orchestrator.adopt(job.index, HOME, leftBytes, nowMs);
      return;
    }
    if (this.#members.isHomeGiving) {
      attempt?.end();
      job.attempts.delete(HOME);
    }
    this.#orchestrator.want(job.index);
  }

  #carry({ cancel, start }: Orders): void {
    for (const { pack, edge } of cancel) {
      const job = this.#jobs.get(`pack ${pack}`);
      job?.attempts.get(edge)?.end();
      job?.attempts.delete(edge);
    }
    for (const { pack, edge } of start) {
      const job = this.#jobs.get(`pack ${pack}`);
      if (job !== undefined) this.#try(job, edge);
    }
  }

  /** Runs while something is fetched. */
  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      while (this.#jobs.size > 0) {
        await this.#clock.sleep(TICK_MS, this.#stop.signal);
        const nowMs = this.#clock.now();
        this.#lookAtWays(nowMs);
        this.#carry(this.#orchestrator.tick(nowMs));
        for (const job of this.#jobs.values()) {
          if (job.attempts.size > 0) continue;
          if (!job.isOrdered) this.#askAll(job);
          else if (!this.#orchestrator.isHeld(job.index)) {
            // Whoever held it is gone: it is waited for wherever it may come back.
            this.#orchestrator.unwant(job.index);
            this.#place(job);
          }
        }
      }
    } catch {
      // Closed.
    } finally {
      this.#isTicking = false;
    }
  }
}

/** What an attempt came to. */
type Outcome = { readonly value: unknown } | { readonly fault: Failure };

/** Failures that say that bytes are not what they should be. */
const WRONG: readonly string[] = ["pack/forged", "object/corrupt", "object/hash", "object/size"];
