/**
 * The connections of one steady link: one is in use, a second one may stand beside it, because it is measured or because
 * the first one is silent. Lost ones are replaced, and a better carrier is looked for again and again.
 *
 * @module
 */
import { type Failure, type FailureCode, toFailure } from "../failure.ts";
import type { LeaseWish, Link } from "../ports/link.ts";
import type { Carrier, PathReason } from "../transfer/snapshot.ts";
import { unlessAborted } from "../transfer/unless-aborted.ts";
import { LINK_SILENCE_MS } from "../units.ts";
import { type ConnectOptions, connect, connectBetter, reasonAfter } from "./connect.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Delays } from "./delays.ts";
import { Doubt } from "./doubt.ts";
import type { Naps } from "./naps.ts";
import { PathTrial } from "./path-trial.ts";
import { SearchTimes } from "./search-times.ts";
import type { Waiting } from "./stall.ts";

/** How long tries to connect follow each other quickly. */
const HASTE_MS = 120_000;
/** Between two looks at a connection that is doubted. */
const LOOK_AGAIN_MS = 1_000;
/** A connection that stood for this long had nothing to do with the trouble before it. */
const SOUND_MS = 60_000;
/** Reasons after which a better carrier may come back. */
const HOPEFUL: readonly PathReason[] = ["webtransport-blocked", "webtransport-lost", "websocket-blocked"];

/** What paths need beside the way to connect. */
export interface PathsOptions extends ConnectOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** One link's connections, until `end` or a failure that no further try can change. */
export class Paths {
  readonly #options: PathsOptions;
  readonly #naps: Naps;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  readonly #delays: Delays;
  readonly #searchTimes: SearchTimes;
  readonly #doubt: Doubt;
  /** Operations under way on each link. */
  readonly #busy = new Map<Link, number>();
  #ready: Deferred<Link> = deferred<Link>();
  #current: Link | undefined;
  /** The path under trial; new operations go here while there is one. */
  #second: Link | undefined;
  #trial: PathTrial | undefined;
  #reason: PathReason | null = null;
  #waiting: Waiting | undefined;
  #failure: Failure | undefined;
  #wish: LeaseWish | undefined;
  /** Until when another sender at the portal may be this one, whose connection was lost before it was told its lease. */
  #doubtUntilMs = Number.NEGATIVE_INFINITY;
  #usedSinceMs = 0;

  constructor(options: PathsOptions, naps: Naps, onChange: () => void) {
    this.#options = options;
    this.#naps = naps;
    this.#onChange = onChange;
    this.#wish = options.lease;
    this.#delays = new Delays(options.clock, options.random, HASTE_MS);
    this.#doubt = new Doubt(options.clock);
    this.#searchTimes = new SearchTimes(options.clock, naps, this.#stop.signal);
    void this.#connect();
  }

  get carrier(): Carrier | null {
    return this.#current?.carrier ?? null;
  }
  get reason(): PathReason | null {
    return this.#reason;
  }
  /** The connection in use. */
  get current(): Link | undefined {
    return this.#current;
  }
  /** Shortest round trip of the connection in use, null while it is not known. */
  get rttMs(): number | null {
    return this.#current?.rttMs ?? null;
  }
  /** Set while there is no connection that answers, and after a first failure to connect. */
  get waiting(): Waiting | undefined {
    return this.#waiting;
  }
  /** What no further try can change. */
  get failure(): Failure | undefined {
    return this.#failure;
  }
  /** The lease that a sender holds, 0 for none. */
  get lease(): number {
    return this.#wish?.lease ?? 0;
  }

  /**
   * The connection for the next operation, as soon as there is one.
   * @throws the Failure that makes further tries useless, `cancelled` when the signal aborts before
   */
  async take(signal?: AbortSignal): Promise<Link> {
    const link = this.#second ?? this.#current ?? (await unlessAborted(this.#ready.promise, signal));
    this.#busy.set(link, (this.#busy.get(link) ?? 0) + 1);
    return link;
  }

  /** One operation less on a link; one that was moved away from is closed when its last operation ends. */
  release(link: Link): void {
    const left = (this.#busy.get(link) ?? 1) - 1;
    if (left > 0) {
      this.#busy.set(link, left);
      return;
    }
    this.#busy.delete(link);
    if (link !== this.#current && link !== this.#second) link.close();
  }

  /** An operation was answered. @param bytes of an object, else 0 */
  answered(link: Link, bytes: number): void {
    // Only an answered operation shows that a connection is good for something.
    this.#delays.reset();
    if (bytes === 0) return;
    if (link.carrier === "webtransport") this.#searchTimes.reset();
    if (this.#trial === undefined) return;
    const before = this.#trial.step;
    const step = this.#trial.record(link === this.#second ? "second" : "first", bytes, this.#options.clock.now());
    if (step === before) return;
    if (step === "try-second") void this.#trySecond(this.#trial);
    else if (step === "keep-second") this.#keepSecond("tcp-measured-faster");
    else this.#leave("second");
  }

  /** The network may have changed: whatever stands is asked for a sign of life. */
  woken(): void {
    this.#doubt.woken([this.#current, this.#second]);
  }

  /** Closes every connection; whoever waits for one meets the reason. */
  end(reason: Failure): void {
    this.#stop.abort();
    this.#ready.reject(reason);
    for (const link of [this.#current, this.#second, ...this.#busy.keys()]) link?.close();
  }

  get #connectOptions(): ConnectOptions {
    return { ...this.#options, ...(this.#wish && { lease: this.#wish }), isPatient: this.#delays.isLong };
  }

  async #connect(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const [fromMs, { wakes }] = [this.#options.clock.now(), this.#naps];
      try {
        const { link, reason } = await connect(this.#connectOptions, this.#stop.signal);
        if (this.#stop.signal.aborted) return link.close();
        this.#watch(link);
        this.#use(link, reason);
        this.#ready.resolve(link);
        return;
      } catch (error) {
        const failure = toFailure(error, "relay/unreachable");
        if (this.#stop.signal.aborted) return;
        const mayBeOwn = failure.code === "portal/leased" && this.#options.clock.now() < this.#doubtUntilMs;
        if (!failure.retry && !mayBeOwn) return this.#fail(failure);
        await this.#pause(failure.code, fromMs, wakes);
      }
    }
  }

  /** The delay is counted from the last try's begin: one that took long is followed at once. */
  async #pause(code: FailureCode, fromMs: number, sinceWakes?: number): Promise<void> {
    const nowMs = this.#options.clock.now();
    if (this.#wish?.lease === 0 && code !== "portal/leased") this.#doubtUntilMs = nowMs + 2 * LINK_SILENCE_MS;
    const delayMs = Math.max(0, fromMs + this.#delays.next() - nowMs);
    this.#setWaiting({ code, nextTryAtMs: nowMs + delayMs });
    await this.#naps.take(delayMs, sinceWakes);
  }

  #setWaiting(waiting: Waiting | undefined): void {
    if (this.#waiting === waiting) return;
    this.#waiting = waiting;
    this.#onChange();
  }

  #fail(failure: Failure): void {
    this.#failure = failure;
    this.#waiting = undefined;
    this.#ready.reject(failure);
    this.#onChange();
  }

  #watch(link: Link): void {
    if (link.lease > 0) this.#wish = { lease: link.lease, takeOver: false };
    void link.closed.then((reason) => this.#onClosed(link, reason));
    void this.#guard(link);
  }

  #use(link: Link, reason: PathReason): void {
    this.#current = link;
    this.#reason = reason;
    this.#usedSinceMs = this.#options.clock.now();
    this.#waiting = undefined;
    const isChosen = reason === "first-choice" || reason === "webtransport-back";
    this.#trial = isChosen && link.carrier === "webtransport" ? new PathTrial() : undefined;
    if (this.#options.forced === undefined && HOPEFUL.includes(reason)) void this.#search(link);
    this.#onChange();
  }

  #onClosed(link: Link, reason: Failure): void {
    if (this.#stop.signal.aborted) return;
    if (link === this.#second) {
      this.#second = undefined;
      this.#trial?.giveUp();
    }
    if (link !== this.#current) return;
    if (this.#second !== undefined) {
      this.#keepSecond("webtransport-lost");
      return;
    }
    this.#current = undefined;
    this.#reason = null;
    this.#trial = undefined;
    this.#ready = deferred<Link>();
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#usedSinceMs >= SOUND_MS) this.#delays.reset();
    if (reason.retry) void this.#pause(reason.code, nowMs).then(() => this.#connect());
    else this.#fail(reason);
  }

  /** A connection that is quiet while something is to be done is replaced by one that stands before it is heard again. */
  async #guard(link: Link): Promise<void> {
    let isOver = false;
    void link.closed.then(() => {
      isOver = true;
    });
    while (!isOver && !this.#stop.signal.aborted) {
      const leftMs = this.#doubt.leftMs(link);
      if (leftMs > 0) {
        if (link === this.#current) this.#setWaiting(undefined);
        await this.#naps.take(leftMs);
      } else if (!this.#busy.has(link)) await this.#naps.take(LOOK_AGAIN_MS);
      else if (link !== this.#current || this.#second !== undefined)
        return link.close(); // its operations move on
      else await this.#openBeside(link);
    }
  }

  async #openBeside(quiet: Link): Promise<void> {
    const { clock, forced } = this.#options;
    this.#setWaiting(this.#waiting ?? { code: "relay/unreachable", nextTryAtMs: clock.now() });
    // Where UDP may be blocked now, WebTransport gets its chance with TCP beside it; TCP is followed by TCP.
    const kind = forced ?? (quiet.carrier === "webtransport" ? undefined : "tcp");
    const opened = await connect({ ...this.#connectOptions, forced: kind }, this.#stop.signal).catch(() => undefined);
    const isWanted = !this.#stop.signal.aborted && quiet === this.#current;
    const isQuiet = this.#doubt.leftMs(quiet) <= 0;
    if (isWanted && isQuiet && opened !== undefined) {
      this.#watch(opened.link);
      const reason = reasonAfter(this.#options, quiet.carrier, this.#reason ?? opened.reason, opened.link.carrier);
      this.#use(opened.link, reason);
      return quiet.close();
    }
    opened?.link.close();
    if (isWanted && isQuiet) await this.#naps.take(LOOK_AGAIN_MS);
  }

  /** Looks for a better carrier while `link` is in use. */
  async #search(link: Link): Promise<void> {
    for (;;) {
      await this.#searchTimes.next();
      if (link !== this.#current || this.#stop.signal.aborted) return;
      const better = await connectBetter(this.#connectOptions, link.carrier, this.#stop.signal);
      if (better === undefined) continue;
      if (link !== this.#current || this.#stop.signal.aborted) return better.link.close();
      this.#watch(better.link);
      this.#second = better.link;
      this.#keepSecond(better.reason);
      return;
    }
  }

  async #trySecond(trial: PathTrial): Promise<void> {
    try {
      const { link } = await connect({ ...this.#connectOptions, forced: "tcp" }, this.#stop.signal);
      if (link.carrier === "websocket" && this.#trial === trial && this.#current && !this.#stop.signal.aborted) {
        this.#second = link;
        this.#watch(link);
        return;
      }
      link.close();
    } catch {
      // no TCP here: the first path is kept
    }
    trial.giveUp();
  }

  #keepSecond(reason: PathReason): void {
    const kept = this.#second;
    if (kept === undefined) return;
    this.#leave("current");
    this.#second = undefined;
    this.#use(kept, reason);
  }

  /** Gives no new operations to a link and closes it as soon as it has none. */
  #leave(which: "current" | "second"): void {
    const link = which === "current" ? this.#current : this.#second;
    if (which === "current") this.#current = undefined;
    else this.#second = undefined;
    if (link !== undefined && !this.#busy.has(link)) link.close();
  }
}
