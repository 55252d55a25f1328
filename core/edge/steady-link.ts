/**
 * A link that lasts: it connects, connects again when a connection dies, moves to the faster path, and repeats the
 * operations that were not answered. This is the one layer that retries.
 *
 * @module
 */
import { Failure, type FailureCode, toFailure } from "../failure.ts";
import type { Dial, Link, OnBytes } from "../ports/link.ts";
import type { Carrier, PathReason } from "../transfer/snapshot.ts";
import type { Commitment, PortalState } from "../wire/frame.ts";
import { isHeld } from "../wire/held.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { Acknowledged } from "./acknowledged.ts";
import { Claims } from "./claims.ts";
import { Naps } from "./naps.ts";
import { Paths, type PathsOptions } from "./paths.ts";
import { RELAY_TROUBLE, Stall } from "./stall.ts";
import { Turns } from "./turns.ts";

/** Tries of one operation that the relay answers with a failure of that one operation (a damaged object, say). */
const MAX_TRIES = 6;
const REST_MS = 400;
/** A relay that does not refuse an object for so long has no trouble: the object does not exist yet. */
const TRIAL_MS = 2_000;
/** Losses that are known and not made good; a relay that tells of more is not listened to. */
const MAX_LOST = 65_536;

/** What a steady link needs beside the way to connect; `lease` is what a sender begins with. */
export interface SteadyOptions extends PathsOptions {
  /** Called whenever `status` or the portal's state changed. */
  readonly onChange: () => void;
  /** Called for each object that was stored and is lost at the relay: it is to be stored again. */
  readonly onLost?: (kind: ObjectKind, index: number) => void;
  /** Called for each signal of another connection of this portal, by its number; the body is the listener's. */
  readonly onSignal?: (from: number, body: Uint8Array) => void;
  /** Calls a listener when the network may be back, or another one, until the function that it gives is called. */
  readonly wake?: (listener: () => void) => () => void;
}

/** How the link stands, for people. */
export interface LinkStatus {
  readonly carrier: Carrier | null;
  readonly reason: PathReason | null;
  /** Clock time of the next try, or of the one under way, while it waits for the relay or for a turn. */
  readonly nextTryAtMs: number | null;
  /** What the last try failed with while it waits (`portal/claimed` for a turn), or what ended the link. */
  readonly failure: FailureCode | null;
}

/** A link to one relay for one transfer; it lasts until `close` or a refusal that no further try can change. */
export class SteadyLink {
  readonly #options: SteadyOptions;
  readonly #stop = new AbortController();
  readonly #naps: Naps;
  readonly #paths: Paths;
  readonly #stall: Stall;
  /** Where all downloads that are left are running elsewhere, everything that needs one waits here. */
  readonly #turns: Stall;
  readonly #claims = new Claims();
  readonly #stopWake: (() => void) | undefined;
  readonly #acknowledged = new Acknowledged();
  /** Objects that `onLost` told of and that were not stored since. */
  readonly #lost = new Set<string>();
  #state: PortalState | undefined;
  #objectBytes = 0;

  constructor(options: SteadyOptions) {
    this.#options = options;
    const { clock, random, onChange, wake } = options;
    this.#naps = new Naps(clock);
    this.#stall = new Stall(RELAY_TROUBLE, clock, this.#naps, random, onChange);
    this.#turns = new Stall(["portal/claimed"], clock, this.#naps, random, onChange);
    this.#paths = new Paths({ ...options, dial: this.#dial }, this.#naps, onChange);
    this.#stopWake = wake?.(() => {
      this.#paths.woken();
      this.#naps.wake();
    });
  }

  get status(): LinkStatus {
    const { carrier, reason, failure, waiting = this.#stall.waiting ?? this.#turns.waiting } = this.#paths;
    const code = failure?.code ?? waiting?.code ?? null;
    return { carrier, reason, nextTryAtMs: failure ? null : (waiting?.nextTryAtMs ?? null), failure: code };
  }
  /** The portal as last told, undefined before the first connection. */
  get state(): PortalState | undefined {
    return this.#state;
  }
  /** Shortest round trip of the connection in use, null while it is not known. */
  get rttMs(): number | null {
    return this.#paths.rttMs;
  }
  /** The lease under which objects are stored; 0 for a receiver, and for a sender that has none yet. */
  get lease(): number {
    return this.#paths.lease;
  }
  /** The number at the portal of the connection in use, another one after each change of connection; 0 while it has none. */
  get member(): number {
    return this.#paths.current?.member ?? 0;
  }
  /** Sealed bytes of objects that were stored or accepted; what a dying connection took with it is not counted. */
  get objectBytes(): number {
    return this.#objectBytes;
  }

  /** Resolves when a connection stands. @throws the Failure that makes further tries useless */
  async connected(): Promise<void> {
    this.#paths.release(await this.#paths.take());
  }

  /**
   * Stores one object durably, over whatever connection works, however long that takes. Borrows until settled: an aborted one
   * ends as soon as no connection can still be reading its bytes, and may have been stored.
   * @throws Failure `cancelled` after `signal` was aborted
   */
  async put(object: SealedObject, signal?: AbortSignal): Promise<void> {
    const { kind, index, length } = object.header;
    let isRepeat = false;
    const store = async (link: Link) => {
      // It was stored, only the answer was lost with the last connection.
      if (isRepeat && isHeld(link.state, kind, index)) return 0;
      isRepeat = true;
      await link.put(object);
      return length;
    };
    await this.#steadily(store, (bytes) => bytes, signal);
    this.#acknowledged.add(kind, index);
    this.#lost.delete(`${kind} ${index}`);
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
    onBytes?: OnBytes,
  ): Promise<T> {
    let bytes = 0;
    return this.#steadily(
      async (link, turns) => {
        const getting =
          kind === "pack"
            ? this.#claims.under(link, () => link.get(kind, index, signal, onBytes))
            : link.get(kind, index, signal);
        const object = await this.#letPass(turns, getting);
        turns.passed();
        bytes = object.header.length;
        try {
          return await accept(object);
        } finally {
          link.recycle(object);
        }
      },
      () => bytes,
      signal,
      kind === "pack" ? [this.#turns, this.#stall] : [this.#stall],
    );
  }

  /** The claim of this receive, for the case that the portal's downloads are limited later. @param claim u8[16] */
  setClaim(claim: Uint8Array<ArrayBuffer>): void {
    this.#claims.set(claim, false);
  }

  /** True when the portal counts downloads, and this one's claim was told. */
  get isClaimed(): boolean {
    return this.#claims.isNeeded;
  }

  /**
   * Takes one of the downloads that the portal has left, and waits for its turn as long as it takes. The claim is told again
   * on each later connection before a pack is asked for there.
   * @param claim u8[16]
   * @throws Failure `cancelled` | `portal/unknown` when none is left
   */
  claim(claim: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    this.#claims.set(claim, true);
    const waits = [this.#turns, this.#stall];
    return this.#steadily((link) => this.#claims.under(link, async () => {}), undefined, signal, waits);
  }

  commit(commitment: Commitment): Promise<void> {
    return this.#steadily((link) => link.commit(commitment));
  }

  complete(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#steadily((link) => link.complete(claim));
  }

  /** Hands sealed bytes to another connection of the portal, or to all with 0; while not connected they are dropped. */
  signal(to: number, body: Uint8Array): void {
    this.#paths.current?.signal(to, body);
  }

  /** Waits so long, at the most until `close`. @throws Failure `cancelled` */
  rest(ms: number): Promise<void> {
    return this.#options.clock.sleep(ms, this.#stop.signal);
  }

  /** Ends everything; pending operations reject with `cancelled`. */
  close(): void {
    const reason = new Failure("cancelled");
    this.#stop.abort();
    this.#stopWake?.();
    this.#stall.end(reason);
    this.#turns.end(reason);
    this.#naps.end();
    this.#paths.end(reason);
  }

  readonly #dial: Dial = async (carrier, signal, lease) => {
    const acknowledged = this.#acknowledged.copy();
    const link = await this.#options.dial(carrier, signal, lease);
    link.onState((state) => this.#told(state));
    link.onLost((kind, index) => this.#onLost(kind, index));
    link.onSignal((from, body) => this.#onSignal(link, from, body));
    // What is missing now was lost while nobody could say so.
    for (const [kind, index] of acknowledged.missingIn(link.state)) {
      if (this.#lost.size >= MAX_LOST) break;
      this.#onLost(kind, index);
    }
    this.#told(link.state);
    return link;
  };

  #told(state: PortalState): void {
    if (this.#stop.signal.aborted) return;
    // An earlier session of this sender may have stored what a relay loses now.
    if (this.#state === undefined) this.#acknowledged.addHeld(state);
    this.#state = state;
    this.#options.onChange();
  }

  /** A second connection hears what everybody hears once more, and has no number that others were told. */
  #onSignal(link: Link, from: number, body: Uint8Array): void {
    if (!this.#stop.signal.aborted && link === this.#paths.current) this.#options.onSignal?.(from, body);
  }

  #onLost(kind: ObjectKind, index: number): void {
    const { onLost } = this.#options;
    const key = `${kind} ${index}`;
    const isOver = this.#stop.signal.aborted || this.#lost.size >= MAX_LOST;
    if (onLost === undefined || isOver || this.#lost.has(key)) return; // several connections tell of it
    this.#lost.add(key);
    this.#acknowledged.remove(kind, index);
    onLost(kind, index);
  }

  /**
   * An object may have to be waited for until it exists, and what is made of it may need another one: others that wait for this
   * operation's turn go on once the relay has not refused it for a while, or gives it.
   */
  async #letPass<T>(turns: Turns, getting: Promise<T>): Promise<T> {
    const stop = new AbortController();
    if (turns.isWaitedFor) {
      this.#options.clock.sleep(TRIAL_MS, stop.signal).then(
        () => turns.passed(),
        () => {},
      );
    }
    try {
      return await getting;
    } finally {
      stop.abort();
    }
  }

  async #steadily<T>(
    operation: (link: Link, turns: Turns) => Promise<T>,
    bytesOf: (result: T) => number = () => 0,
    signal?: AbortSignal,
    stalls: readonly Stall[] = [this.#stall],
  ): Promise<T> {
    for (let tries = 1; ; ) {
      if (signal?.aborted) throw new Failure("cancelled");
      const turns = await Turns.enter(stalls, signal);
      let link: Link | undefined;
      try {
        link = await this.#paths.take(signal);
        const result = await operation(link, turns);
        turns.passed();
        this.#paths.answered(link, bytesOf(result));
        this.#objectBytes += bytesOf(result);
        return result;
      } catch (error) {
        const failure = toFailure(error, "relay/unreachable");
        const isOver = this.#stop.signal.aborted || signal?.aborted === true || link === undefined;
        const isDead = link !== undefined && (await settled(link.closed));
        const isWaitedFor = turns.ended(isOver || isDead ? undefined : failure);
        if (isOver) throw failure;
        if (isDead || isWaitedFor) continue; // which is not this operation's fault
        if (!failure.retry || ++tries > MAX_TRIES) throw failure;
        await this.#options.clock.sleep(REST_MS * tries, this.#stop.signal);
      } finally {
        if (link !== undefined) this.#paths.release(link);
      }
    }
  }
}

/** True when the promise has settled already. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
