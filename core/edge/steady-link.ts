/**
 * A link that lasts: it connects, connects again when a connection dies, moves to the faster path, and repeats the
 * operations that were not answered. This is the one layer that retries.
 *
 * @module
 */
import { Failure, toFailure } from "../failure.ts";
import type { Link } from "../ports/link.ts";
import type { Carrier, PathReason } from "../transfer/snapshot.ts";
import type { Commitment, PortalState } from "../wire/frame.ts";
import type { ObjectHeader, ObjectKind, SealedObject } from "../wire/object.ts";
import { type ConnectOptions, connect } from "./connect.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { PathTrial } from "./path-trial.ts";

/** Tries of one operation that the relay answers with a failure worth repeating (a damaged object, say). */
const MAX_TRIES = 6;
const FIRST_DELAY_MS = 400;
const MAX_DELAY_MS = 15_000;

/** What a steady link needs beside the way to connect. */
export interface SteadyOptions extends ConnectOptions {
  /** Uniform in [0, 1); jitter of the delays. */
  readonly random: () => number;
  /** Called whenever `status` or the portal's state changed. */
  readonly onChange: () => void;
}

/** How the link stands, for people. */
export interface LinkStatus {
  readonly carrier: Carrier | null;
  readonly reason: PathReason | null;
  /** Clock time of the next try while there is no connection. */
  readonly nextTryAtMs: number | null;
}

/** A link to one relay for one transfer; it lasts until `close` or a refusal that no further try can change. */
export class SteadyLink {
  readonly #options: SteadyOptions;
  readonly #stop = new AbortController();
  readonly #busy = new Map<Link, number>();
  #ready: Deferred<Link> = deferred<Link>();
  #current: Link | undefined;
  /** The path under trial; new operations go here while there is one. */
  #second: Link | undefined;
  #trial: PathTrial | undefined;
  #delayMs = FIRST_DELAY_MS;
  #status: LinkStatus = { carrier: null, reason: null, nextTryAtMs: null };
  #state: PortalState | undefined;
  #objectBytes = 0;

  constructor(options: SteadyOptions) {
    this.#options = options;
    void this.#connect();
  }

  get status(): LinkStatus {
    return this.#status;
  }
  /** The portal as last told, undefined before the first connection. */
  get state(): PortalState | undefined {
    return this.#state;
  }
  /** Sealed bytes of objects that were stored or accepted; what a dying connection took with it is not counted. */
  get objectBytes(): number {
    return this.#objectBytes;
  }

  /** Resolves when a connection stands. @throws the Failure that makes further tries useless */
  async connected(): Promise<void> {
    await this.#ready.promise;
  }

  /** Stores one object durably, over whatever connection works. Borrows until settled. */
  put(object: SealedObject): Promise<void> {
    let isRepeat = false;
    return this.#steadily(
      async (link) => {
        // It was stored, only the answer was lost with the last connection.
        if (isRepeat && isHeld(link.state, object.header)) return 0;
        isRepeat = true;
        await link.put(object);
        return object.header.length;
      },
      (bytes) => bytes,
    ).then(() => {});
  }

  /**
   * Fetches one object, waiting until it exists, and gives what `accept` makes of it; the object's bytes are good only
   * until then. An object that `accept` refuses
   * with a failure worth repeating (damaged on the way, say) is fetched again.
   */
  get<T>(
    kind: ObjectKind,
    index: number,
    accept: (object: SealedObject) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    let bytes = 0;
    return this.#steadily(
      async (link) => {
        const object = await link.get(kind, index, signal);
        bytes = object.header.length;
        try {
          return await accept(object);
        } finally {
          link.recycle(object);
        }
      },
      () => bytes,
      signal,
    );
  }

  commit(commitment: Commitment): Promise<void> {
    return this.#steadily((link) => link.commit(commitment));
  }

  complete(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#steadily((link) => link.complete(claim));
  }

  /** Ends everything; pending operations reject with `cancelled`. */
  close(): void {
    this.#stop.abort();
    this.#ready.reject(new Failure("cancelled"));
    for (const link of [this.#current, this.#second, ...this.#busy.keys()]) link?.close();
  }

  async #steadily<T>(
    operation: (link: Link) => Promise<T>,
    bytesOf: (result: T) => number = () => 0,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let tries = 1; ; ) {
      if (signal?.aborted) throw new Failure("cancelled");
      const link = this.#second ?? this.#current ?? (await this.#ready.promise);
      this.#busy.set(link, (this.#busy.get(link) ?? 0) + 1);
      try {
        const result = await operation(link);
        this.#record(link, bytesOf(result));
        return result;
      } catch (error) {
        const failure = toFailure(error, "relay/unreachable");
        if (this.#stop.signal.aborted || signal?.aborted) throw failure;
        if (await settled(link.closed)) continue; // the connection died, which is not this operation's fault
        if (!failure.retry || ++tries > MAX_TRIES) throw failure;
        await this.#options.clock.sleep(FIRST_DELAY_MS * tries, this.#stop.signal);
      } finally {
        this.#release(link);
      }
    }
  }

  /** One operation less on a link; one that was moved away from is closed when its last operation ends. */
  #release(link: Link): void {
    const left = (this.#busy.get(link) ?? 1) - 1;
    if (left > 0) {
      this.#busy.set(link, left);
      return;
    }
    this.#busy.delete(link);
    if (link !== this.#current && link !== this.#second) link.close();
  }

  async #connect(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const { link, reason } = await connect(this.#options, this.#stop.signal);
        if (this.#stop.signal.aborted) return link.close();
        this.#current = link;
        this.#trial = reason === "first-choice" ? new PathTrial() : undefined;
        this.#watch(link);
        this.#ready.resolve(link);
        this.#setStatus({ carrier: link.carrier, reason, nextTryAtMs: null });
        return;
      } catch (error) {
        const failure = toFailure(error, "relay/unreachable");
        if (this.#stop.signal.aborted) return;
        if (!failure.retry) return this.#ready.reject(failure);
        await this.#wait();
      }
    }
  }

  async #wait(): Promise<void> {
    const delayMs = this.#delayMs * (0.75 + 0.5 * this.#options.random());
    this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
    this.#setStatus({ carrier: null, reason: null, nextTryAtMs: this.#options.clock.now() + delayMs });
    await this.#options.clock.sleep(delayMs, this.#stop.signal).catch(() => {});
  }

  #watch(link: Link): void {
    this.#state = link.state;
    link.onState((state) => {
      this.#state = state;
      this.#options.onChange();
    });
    void link.closed.then((reason) => this.#onClosed(link, reason));
  }

  #onClosed(link: Link, reason: Failure): void {
    if (this.#stop.signal.aborted) return;
    if (link === this.#second) {
      this.#second = undefined;
      this.#trial?.giveUp();
    }
    if (link !== this.#current) return;
    this.#trial = undefined;
    if (this.#second !== undefined) {
      this.#keepSecond("webtransport-lost");
      return;
    }
    this.#current = undefined;
    this.#ready = deferred<Link>();
    this.#setStatus({ carrier: null, reason: null, nextTryAtMs: this.#options.clock.now() });
    if (reason.retry) void this.#wait().then(() => this.#connect());
    else this.#ready.reject(reason);
  }

  #record(link: Link, bytes: number): void {
    // Only an answered operation shows that a connection is good for something.
    this.#delayMs = FIRST_DELAY_MS;
    this.#objectBytes += bytes;
    if (this.#trial === undefined || bytes === 0) return;
    const before = this.#trial.step;
    const step = this.#trial.record(link === this.#second ? "second" : "first", bytes, this.#options.clock.now());
    if (step === before) return;
    if (step === "try-second") void this.#trySecond(this.#trial);
    else if (step === "keep-second") this.#keepSecond("tcp-measured-faster");
    else this.#leave("second");
  }

  async #trySecond(trial: PathTrial): Promise<void> {
    try {
      const { link } = await connect({ ...this.#options, forced: "tcp" }, this.#stop.signal);
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
    this.#current = kept;
    this.#second = undefined;
    this.#trial = undefined;
    this.#setStatus({ carrier: kept.carrier, reason, nextTryAtMs: null });
  }

  /** Gives no new operations to a link and closes it as soon as it has none. */
  #leave(which: "current" | "second"): void {
    const link = which === "current" ? this.#current : this.#second;
    if (which === "current") this.#current = undefined;
    else this.#second = undefined;
    if (link !== undefined && !this.#busy.has(link)) link.close();
  }

  #setStatus(status: LinkStatus): void {
    this.#status = status;
    this.#options.onChange();
  }
}

function isHeld(state: PortalState, { kind, index }: ObjectHeader): boolean {
  const ranges = kind === "pack" ? state.heldPacks : state.heldPages;
  return ranges.some((from, i) => i % 2 === 0 && index >= from && index < (ranges[i + 1] ?? from));
}

/** True when the promise has settled already. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
