/**
 * The client's half of the link protocol over a pipe: hello, objects up with acknowledgements, objects down by request,
 * heartbeat. It does not retry and does not choose: edge/steady-link.ts does.
 *
 * @module
 */
import { Failure, failureFromWire, toFailure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { LeaseWish, Link, LinkRole, OnBytes } from "../ports/link.ts";
import type { Pipe } from "../ports/pipe.ts";
import { SEALED_PACK_BYTES } from "../units.ts";
import {
  BYE_OK,
  type ClientFrame,
  type Commitment,
  decodeRelayFrame,
  encodeFrame,
  type LinkLimits,
  type PortalState,
  PROTOCOL_VERSION,
  type RelayFrame,
} from "../wire/frame.ts";
import { type ObjectKind, ObjectReader, type SealedObject } from "../wire/object.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Outbox } from "./outbox.ts";
import { Questions } from "./questions.ts";
import { Quota, splitWants } from "./quota.ts";
import { RoundTrip } from "./rtt.ts";

/** Says hello over a fresh pipe and waits for the welcome. @throws Failure; the pipe is closed then */
export async function openFramedLink(pipe: Pipe, role: LinkRole, wish: LeaseWish, clock: Clock): Promise<Link> {
  const link = new FramedLink(pipe, role, wish, clock);
  await link.welcomed;
  return link;
}

/** How long a welcome may take; who connects has limits of its own, for whole attempts. */
const WELCOME_MS = 10_000;
/** Pack buffers kept for reuse. */
const MAX_SPARE = 4;

/** An object that was asked for. */
interface Wanted {
  readonly object: Deferred<SealedObject>;
  readonly onBytes: OnBytes | undefined;
}

class FramedLink implements Link {
  readonly carrier;
  readonly #pipe: Pipe;
  readonly #outbox: Outbox;
  readonly #welcome = deferred<void>();
  /** Aborted when the welcome came, or the end. */
  readonly #greeting = new AbortController();
  readonly #closed = deferred<Failure>();
  readonly #puts = new Map<string, Deferred<void>>();
  readonly #gets = new Map<string, Wanted>();
  /** Memory of packs that were opened, for the next ones. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #readers = new Map<number, ObjectReader>();
  readonly #listeners: ((state: PortalState) => void)[] = [];
  readonly #heartbeat: Heartbeat;
  readonly #clock: Clock;
  readonly #roundTrip = new RoundTrip();
  #pings = 0;
  /** When the last question went that its answer is measured by: the hello, then each ping. */
  #askedMs: number;
  /** Set by the welcome. */
  #window = new Quota(0);
  #wants = { pack: new Quota(0), page: new Quota(0) };
  readonly #questions = new Questions();
  #limits: LinkLimits | undefined;
  #lease = 0;
  #member = 0;
  readonly #lostListeners: ((kind: ObjectKind, index: number) => void)[] = [];
  readonly #signalListeners: ((from: number, body: Uint8Array) => void)[] = [];
  #state: PortalState | undefined;
  #ended: Failure | undefined;

  constructor(pipe: Pipe, role: LinkRole, wish: LeaseWish, clock: Clock) {
    this.carrier = pipe.carrier;
    this.#pipe = pipe;
    this.#clock = clock;
    this.#askedMs = clock.now();
    // A pipe that takes no bytes is broken, whether or not it says so.
    this.#outbox = new Outbox(pipe, (error) => this.#end(toFailure(error, "relay/unreachable")));
    const lost = (what: string) => this.#end(new Failure("relay/unreachable", { what }));
    this.#heartbeat = new Heartbeat(
      clock,
      () => this.ping(),
      () => lost("silence"),
    );
    pipe.start({
      frame: (bytes) => this.#guard(() => this.#onFrame(decodeRelayFrame(bytes))),
      objectBytes: (stream, bytes) => this.#guard(() => this.#reader(stream).push(bytes)),
      moved: () => this.#heartbeat.heard(),
      closed: (reason) => this.#end(reason),
    });
    this.#send({ t: "hello", v: PROTOCOL_VERSION, portal: role.portal, role: role.role, token: role.token, ...wish });
    clock.sleep(WELCOME_MS, this.#greeting.signal).then(
      () => lost("hello"),
      () => {},
    );
  }

  get welcomed(): Promise<void> {
    return this.#welcome.promise;
  }
  get limits(): LinkLimits {
    if (this.#limits === undefined) throw new Error("not welcomed yet");
    return this.#limits;
  }
  get state(): PortalState {
    if (this.#state === undefined) throw new Error("not welcomed yet");
    return this.#state;
  }
  get lease(): number {
    return this.#lease;
  }
  get member(): number {
    return this.#member;
  }
  get closed(): Promise<Failure> {
    return this.#closed.promise;
  }
  get heardMs(): number {
    return this.#heartbeat.heardMs;
  }
  get rttMs(): number | null {
    return this.#roundTrip.minMs ?? null;
  }
  ping(): void {
    this.#askedMs = this.#clock.now();
    this.#send({ t: "ping", n: this.#pings++ });
  }
  onLost(listener: (kind: ObjectKind, index: number) => void): void {
    this.#lostListeners.push(listener);
  }
  onState(listener: (state: PortalState) => void): void {
    this.#listeners.push(listener);
  }
  signal(to: number, body: Uint8Array): void {
    this.#send({ t: "signal", to, body });
  }
  onSignal(listener: (from: number, body: Uint8Array) => void): void {
    this.#signalListeners.push(listener);
  }

  async put(object: SealedObject): Promise<void> {
    this.#assertOpen();
    const { kind, index, length } = object.header;
    await this.#window.take(length);
    try {
      this.#assertOpen();
      const key = keyOf(kind, index);
      // What a relay calls lost may still be on its way: one answer is for both.
      const pending = this.#puts.get(key);
      const acknowledged = pending ?? deferred<void>();
      this.#puts.set(key, acknowledged);
      if (pending === undefined) this.#outbox.add(object);
      await acknowledged.promise;
    } finally {
      this.#window.give(length);
    }
  }

  async get(kind: ObjectKind, index: number, signal?: AbortSignal, onBytes?: OnBytes): Promise<SealedObject> {
    this.#assertOpen();
    const wants = this.#wants[kind];
    await wants.take(1, signal);
    try {
      this.#assertOpen();
      return await this.#want(kind, index, signal, onBytes);
    } finally {
      wants.give(1);
    }
  }

  async #want(
    kind: ObjectKind,
    index: number,
    signal: AbortSignal | undefined,
    onBytes: OnBytes | undefined,
  ): Promise<SealedObject> {
    if (signal?.aborted) throw new Failure("cancelled");
    const wanted = deferred<SealedObject>();
    const key = keyOf(kind, index);
    this.#gets.set(key, { object: wanted, onBytes });
    this.#send({ t: "want", kind, index });
    const onAbort = () => {
      if (!this.#gets.delete(key)) return;
      this.#send({ t: "unwant", kind, index });
      wanted.reject(new Failure("cancelled"));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await wanted.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  recycle({ bytes }: SealedObject): void {
    const whole = bytes.buffer.byteLength === SEALED_PACK_BYTES;
    if (whole && this.#ended === undefined && this.#spare.length < MAX_SPARE)
      this.#spare.push(new Uint8Array(bytes.buffer));
  }

  commit(commitment: Commitment): Promise<void> {
    this.#assertOpen();
    return this.#questions.ask("commit", () => this.#send({ t: "commit", ...commitment }));
  }

  claim(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#assertOpen();
    return this.#questions.ask("claim", () => this.#send({ t: "claim", claim }));
  }

  complete(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#assertOpen();
    return this.#questions.ask("complete", () => this.#send({ t: "complete", claim }));
  }

  close(): void {
    this.#end(new Failure("cancelled"), BYE_OK);
  }

  #onFrame(frame: RelayFrame): void {
    this.#heartbeat.heard();
    switch (frame.t) {
      case "welcome":
        if (this.#limits !== undefined) throw new Failure("wire/malformed", { what: "second welcome" });
        if (frame.v !== PROTOCOL_VERSION) throw new Failure("relay/version");
        this.#limits = frame.limits;
        this.#lease = frame.lease;
        this.#member = frame.member;
        this.#window = new Quota(frame.limits.windowBytes);
        this.#wants = splitWants(frame.limits.maxWants);
        this.#state = frame.state;
        this.#roundTrip.add(this.#clock.now() - this.#askedMs);
        this.#greeting.abort();
        this.#welcome.resolve();
        return;
      case "ack":
        this.#puts.get(keyOf(frame.kind, frame.index))?.resolve();
        this.#puts.delete(keyOf(frame.kind, frame.index));
        return;
      case "refuse":
        this.#onRefuse(frame);
        return;
      case "state":
        this.#state = frame.state;
        for (const listener of this.#listeners) listener(frame.state);
        return;
      case "lost":
        for (const listener of this.#lostListeners) listener(frame.kind, frame.index);
        return;
      case "committed":
        this.#questions.answered("commit");
        return;
      case "claimed":
        this.#questions.answered("claim", frame.code);
        return;
      case "completed":
        this.#questions.answered("complete");
        return;
      case "signal":
        for (const listener of this.#signalListeners) listener(frame.from, frame.body);
        return;
      case "pong":
        // Of the last ping only: whose answer a late one is does not matter.
        if (frame.n === this.#pings - 1) this.#roundTrip.add(this.#clock.now() - this.#askedMs);
        return;
      case "bye":
        throw new Failure(failureFromWire(frame.code) ?? "relay/unreachable", { wire: frame.code });
      default:
        frame satisfies never;
    }
  }

  #onRefuse(frame: { kind: ObjectKind; index: number; code: number }): void {
    const failure = new Failure(failureFromWire(frame.code) ?? "wire/malformed", { wire: frame.code });
    const key = keyOf(frame.kind, frame.index);
    const pending = this.#puts.get(key) ?? this.#gets.get(key)?.object;
    this.#puts.delete(key);
    this.#gets.delete(key);
    pending?.reject(failure);
  }

  #reader(stream: number): ObjectReader {
    let reader = this.#readers.get(stream);
    if (reader === undefined) {
      let current: string | undefined;
      reader = new ObjectReader({
        begin: (header) => {
          current = keyOf(header.kind, header.index);
          // An object that nobody asked for any more is read to its end and dropped; the stream stays in step.
          return this.#spare.pop() ?? new Uint8Array(header.kind === "pack" ? SEALED_PACK_BYTES : header.length);
        },
        slice: ({ length }) => {
          this.#heartbeat.heard();
          if (current !== undefined) this.#gets.get(current)?.onBytes?.(length);
        },
        end: (object) => {
          const key = keyOf(object.header.kind, object.header.index);
          const wanted = this.#gets.get(key);
          this.#gets.delete(key);
          // What nobody asked for, or any more, costs no fresh memory each time.
          if (wanted === undefined) this.recycle(object);
          else wanted.object.resolve(object);
        },
      });
      this.#readers.set(stream, reader);
    }
    return reader;
  }

  #send(frame: ClientFrame): void {
    if (this.#ended === undefined) this.#pipe.sendFrame(encodeFrame(frame));
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#end(error instanceof Failure ? error : new Failure("wire/malformed", {}, { cause: error }));
    }
  }

  #assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  #end(reason: Failure, bye?: number): void {
    if (this.#ended !== undefined) return;
    if (bye !== undefined) this.#send({ t: "bye", code: bye });
    this.#ended = reason;
    this.#heartbeat.end();
    this.#greeting.abort();
    this.#pipe.close();
    this.#welcome.reject(reason);
    for (const quota of [this.#window, this.#wants.pack, this.#wants.page]) quota.end(reason);
    for (const pending of this.#puts.values()) pending.reject(reason);
    for (const { object } of this.#gets.values()) object.reject(reason);
    this.#puts.clear();
    this.#gets.clear();
    // Whoever still knows a link that ended must not keep sixteen megabytes for it.
    this.#spare.length = 0;
    this.#questions.end(reason);
    this.#closed.resolve(reason);
  }
}

function keyOf(kind: ObjectKind, index: number): string {
  return `${kind} ${index}`;
}
