/**
 * Another browser of the same portal as an edge: it says which packs it has, gives those that are asked for, and is given what
 * lies on the shelf here. What it gives is sealed, and is verified by whoever asked; it is trusted with nothing.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import { Failure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { PeerChannel } from "../ports/peer-channel.ts";
import { KIB, MIB } from "../units.ts";
import type { SealedObject } from "../wire/object.ts";
import { decodePeerMessage, encodePeerFrame, MAX_HELD_BOUNDS, type PeerFrame } from "../wire/peer-frame.ts";
import { deferred } from "./deferred.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { PackEdge } from "./pack-edge.ts";
import type { PackShelf } from "./pack-shelf.ts";
import { MAX_PEER_WANTS, PeerServing } from "./peer-serving.ts";
import { PeerWants } from "./peer-wants.ts";
import { Quota } from "./quota.ts";
import { RoundTrip } from "./rtt.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Between two lists of what is held. */
const HAVE_EVERY_MS = 250;
/** Bytes that may wait for a peer that does not read. */
const MAX_UNREAD_BYTES = 2 * MIB;
/** Frames of a peer, which cost time: a burst is what a line that was cut for a while held back. */
const FRAME_BYTES_PER_SEC = 64 * KIB;
const FRAME_BURST_BYTES = MIB;

/** What a link to a peer works with. */
export interface PeerLinkParts {
  /** Not started yet. */
  readonly channel: PeerChannel;
  readonly shelf: PackShelf;
  readonly clock: Clock;
  /** True while nothing may be given: the portal, or this transfer, is paused. */
  readonly isHeld: () => boolean;
  /** Called after each change of `isUp`, `held` and `rttMs`. */
  readonly onChange: () => void;
}

/** One peer, from the making of its channel to its end. */
export class PeerLink implements PackEdge {
  readonly kind = "peer";
  readonly name = "";
  readonly maxActive = MAX_PEER_WANTS;
  readonly #parts: PeerLinkParts;
  readonly #opened = deferred<void>();
  readonly #closed = deferred<Failure>();
  readonly #stop = new AbortController();
  readonly #wants: PeerWants;
  readonly #serving: PeerServing;
  readonly #turns = new Quota(MAX_PEER_WANTS);
  readonly #frames = new TokenBucket(FRAME_BYTES_PER_SEC, FRAME_BURST_BYTES);
  readonly #roundTrip = new RoundTrip();
  readonly #stopShelf: () => void;
  #heartbeat: Heartbeat | undefined;
  #pings = 0;
  #askedMs = 0;
  #held = new RangeSet();
  /** What was told last, and when; undefined before the first time. */
  #told: { readonly text: string; readonly atMs: number } | undefined;
  #isTelling = false;
  #ended: Failure | undefined;

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
    const { channel, shelf, clock, isHeld } = parts;
    const send = (frame: PeerFrame) => this.#send(frame);
    const moved = () => this.#heartbeat?.heard();
    this.#wants = new PeerWants(send);
    this.#serving = new PeerServing({ channel, shelf, clock, send, isHeld, moved, signal: this.#stop.signal });
    this.#stopShelf = shelf.onChange(() => this.tellHeld());
    channel.start({
      open: () => this.#open(),
      message: (bytes) => this.#guard(() => this.#onMessage(bytes)),
      closed: () => this.#end(lost("closed")),
    });
  }

  /** Resolves when packs can be asked for. @throws Failure why it ended before */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }
  /** Resolves once with the reason when it ends, also after `close`. */
  get closed(): Promise<Failure> {
    return this.#closed.promise;
  }
  get isUp(): boolean {
    return this.#heartbeat !== undefined && this.#ended === undefined;
  }
  get held(): RangeSet {
    return this.#held;
  }
  get rttMs(): number | null {
    return this.#roundTrip.minMs ?? null;
  }
  /** Packs that this peer is being given now. */
  get serving(): number {
    return this.#serving.size;
  }

  async get<T>(
    pack: number,
    accept: (object: SealedObject) => Promise<T>,
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<T> {
    if (this.#ended !== undefined) throw this.#ended;
    await this.#turns.take(1, signal);
    let object: SealedObject;
    try {
      object = await this.#wants.get(pack, signal, onBytes);
    } finally {
      this.#turns.give(1);
    }
    try {
      return await accept(object);
    } finally {
      this.#wants.recycle(object);
    }
  }

  /** What may be given has changed: the peer is told, at most every 250 ms. */
  tellHeld(): void {
    if (this.#isTelling || !this.isUp) return;
    this.#isTelling = true;
    const { clock } = this.#parts;
    const waitMs = Math.max(0, (this.#told?.atMs ?? Number.NEGATIVE_INFINITY) + HAVE_EVERY_MS - clock.now());
    clock.sleep(waitMs, this.#stop.signal).then(
      () => {
        this.#isTelling = false;
        this.#sendHeld();
      },
      () => {}, // ended
    );
  }

  close(): void {
    this.#end(new Failure("cancelled"));
  }

  #open(): void {
    if (this.#heartbeat !== undefined || this.#ended !== undefined) return;
    const onSilence = () => this.#end(lost("silence"));
    this.#heartbeat = new Heartbeat(this.#parts.clock, () => this.#ping(), onSilence);
    this.#ping();
    this.tellHeld();
    this.#opened.resolve();
    this.#parts.onChange();
  }

  #ping(): void {
    this.#askedMs = this.#parts.clock.now();
    this.#pings += 1;
    this.#send({ t: "ping", n: this.#pings });
  }

  #sendHeld(): void {
    const { shelf, clock, isHeld } = this.#parts;
    // The first ones are as good as any: a shelf has fewer ranges than one list may have.
    const packs = isHeld() ? [] : shelf.held.toArray().slice(0, MAX_HELD_BOUNDS);
    const text = packs.join();
    if (text === (this.#told?.text ?? "")) return;
    this.#told = { text, atMs: clock.now() };
    this.#send({ t: "have", packs });
  }

  #onMessage(bytes: Uint8Array): void {
    this.#heartbeat?.heard();
    const message = decodePeerMessage(bytes);
    if ("slice" in message) this.#wants.slice(message.id, message.slice);
    else if (this.#frames.take(bytes.length, this.#parts.clock.now())) this.#onFrame(message.frame);
    else throw new Failure("wire/window", { what: "frames" });
  }

  #onFrame(frame: PeerFrame): void {
    switch (frame.t) {
      case "have":
        this.#holds(RangeSet.fromArray(frame.packs));
        return;
      case "want":
        this.#serving.want(frame.id, frame.pack);
        return;
      case "unwant":
        this.#serving.unwant(frame.id);
        return;
      case "absent":
        this.#onAbsent(frame.id);
        return;
      case "ping":
        this.#send({ t: "pong", n: frame.n });
        return;
      case "pong":
        if (frame.n !== this.#pings) return;
        this.#roundTrip.add(this.#parts.clock.now() - this.#askedMs);
        this.#parts.onChange();
        return;
      default:
        frame satisfies never;
    }
  }

  /** It is not asked for that pack again before it says that it has it. */
  #onAbsent(id: number): void {
    const pack = this.#wants.absent(id);
    if (pack === undefined || !this.#held.has(pack)) return;
    const held = new RangeSet();
    for (const [start, end] of this.#held) {
      held.add(start, Math.min(end, pack));
      held.add(Math.max(start, pack + 1), end);
    }
    this.#holds(held);
  }

  #holds(held: RangeSet): void {
    this.#held = held;
    this.#parts.onChange();
  }

  #send(frame: PeerFrame): void {
    if (this.#ended !== undefined) return;
    const { channel } = this.#parts;
    if (channel.bufferedBytes > MAX_UNREAD_BYTES) this.#end(lost("unread"));
    else channel.send(encodePeerFrame(frame));
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#end(error instanceof Failure ? error : new Failure("wire/malformed", {}, { cause: error }));
    }
  }

  #end(reason: Failure): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#held = new RangeSet();
    this.#heartbeat?.end();
    this.#stopShelf();
    this.#stop.abort();
    this.#turns.end(reason);
    this.#wants.end(reason);
    this.#parts.channel.close();
    this.#opened.reject(reason);
    this.#closed.resolve(reason);
    this.#parts.onChange();
  }
}

function lost(what: string): Failure {
  return new Failure("relay/unreachable", { carrier: "peer", what });
}
