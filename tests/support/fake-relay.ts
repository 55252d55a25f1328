/**
 * A relay in memory behind real frames: what it is told and what it tells passes through the wire's encoder and decoder
 * in small slices. Faults are chosen by the test, per operation.
 *
 * @module
 */
import { RangeSet } from "../../core/chunk/range-set.ts";
import { openFramedLink } from "../../core/edge/framed-link.ts";
import { Failure, type FailureCode, toFailure } from "../../core/failure.ts";
import { merkleRoot } from "../../core/hash/merkle.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { LeaseWish, Link, LinkRole } from "../../core/ports/link.ts";
import type { Pipe, PipeHandler } from "../../core/ports/pipe.ts";
import { UPLOAD_WINDOW_BYTES } from "../../core/units.ts";
import {
  type ClientFrame,
  type Commitment,
  decodeClientFrame,
  encodeFrame,
  type LinkLimits,
  type PortalPhase,
  type PortalState,
  PROTOCOL_VERSION,
  type RelayFrame,
  wireCode,
} from "../../core/wire/frame.ts";
import {
  encodeHeader,
  type ObjectHeader,
  type ObjectKind,
  ObjectReader,
  type SealedObject,
} from "../../core/wire/object.ts";
import { objectHash } from "./bytes.ts";
import { hurriedClock } from "./fake-clock.ts";

/** What may happen to one object on its way, counted from 1 over all links and both directions. */
export type Fault = "none" | "cut" | "refuse" | "corrupt" | "late";

export interface RelayOptions {
  readonly fault?: (operation: number, direction: "put" | "get", header: ObjectHeader) => Fault;
  readonly limits?: LinkLimits;
  /** Bytes of one slice towards the client. */
  readonly sliceBytes?: number;
  /** What clients of this relay go by. */
  readonly clock?: Clock;
}

const SLICE_BYTES = 60_000;

export class FakeRelay {
  readonly objects = new Map<string, SealedObject>();
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly pipes = new Set<RelayPipe>();
  /** The number of the latest connection at the portal. */
  members = 0;
  /** The portal's lease; it was created with the first one. */
  lease = 1;
  commitment: Commitment | null = null;
  phase: PortalPhase = "active";
  /** Downloads that are left; null for no limit. */
  downloadsLeft: number | null = null;
  /** Claims on downloads that are left, hexadecimal; the test may let them lapse. */
  readonly claims = new Set<string>();
  /** The claims of downloads that were completed, repeats included. */
  completed: Uint8Array[] = [];
  operations = 0;
  connections = 0;
  /** Object bytes that arrived, repeats included. */
  receivedBytes = 0;
  /** Most object bytes of one link that were neither acknowledged nor refused. */
  peakWindowBytes = 0;
  /** Most objects that one link waited for. */
  peakWants = 0;
  readonly #options: RelayOptions;

  constructor(options: RelayOptions = {}) {
    this.#options = options;
    this.limits = options.limits ?? { windowBytes: UPLOAD_WINDOW_BYTES, maxWants: 64 };
    this.clock = options.clock ?? hurriedClock;
  }

  /** Connects a client; without a wish it holds the lease that the portal was created with, or whichever it has now. */
  async connect(
    carrier: "webtransport" | "websocket",
    role: LinkRole,
    clock: Clock,
    wish: LeaseWish = { lease: role.role === "send" ? this.lease : 0, takeOver: false },
  ): Promise<Link> {
    this.connections += 1;
    return openFramedLink(this.pipe(carrier), role, wish, clock);
  }

  /** The client's end of a fresh connection. */
  pipe(carrier: "webtransport" | "websocket"): Pipe {
    return new RelayPipe(this, carrier);
  }

  /** A held object turns out to be damaged: it is gone, and senders are told. */
  lose(kind: ObjectKind, index: number): void {
    if (!this.objects.delete(`${kind} ${index}`)) throw new Error("what is not held cannot be lost");
    for (const pipe of [...this.pipes]) pipe.tellLost(kind, index);
    this.changed();
  }

  /** The lease that a sender gets for its wish. @throws Failure `portal/leased` | `portal/lease-lost` | `wire/malformed` */
  grant({ lease, takeOver }: LeaseWish): number {
    if (lease > this.lease) throw new Failure("wire/malformed");
    if (lease > 0 && lease < this.lease) throw new Failure("portal/lease-lost");
    if (lease > 0) return lease;
    const others = [...this.pipes].filter(({ role }) => role === "send");
    if (others.length > 0 && !takeOver) throw new Failure("portal/leased");
    for (const other of others) other.refuse("portal/lease-lost");
    this.lease += 1;
    return this.lease;
  }

  /** The owner pauses the portal, or lets it go on. */
  setPaused(isPaused: boolean): void {
    this.phase = isPaused ? "paused" : "active";
    this.changed();
  }

  /** @throws Failure `portal/claimed` | `portal/unknown` */
  take(claim: string): void {
    if (this.downloadsLeft === null || this.claims.has(claim)) return;
    if (this.downloadsLeft === 0) throw new Failure("portal/unknown");
    if (this.claims.size >= this.downloadsLeft) throw new Failure("portal/claimed");
    this.claims.add(claim);
  }

  complete(claim: Uint8Array): void {
    this.completed.push(claim);
    if (this.downloadsLeft !== null && this.claims.delete(Buffer.from(claim).toString("hex"))) this.downloadsLeft -= 1;
  }

  get sliceBytes(): number {
    return this.#options.sliceBytes ?? SLICE_BYTES;
  }

  nextFault(direction: "put" | "get", header: ObjectHeader): Fault {
    this.operations += 1;
    return this.#options.fault?.(this.operations, direction, header) ?? "none";
  }

  /** The stored packs' root. */
  get root(): Uint8Array<ArrayBuffer> {
    const packs = [...this.objects.values()].filter(({ header }) => header.kind === "pack");
    packs.sort((a, b) => a.header.index - b.header.index);
    return merkleRoot("packs", Buffer.concat(packs.map(({ header }) => header.hash)));
  }

  state(): PortalState {
    return {
      phase: this.phase,
      heldPacks: this.#held("pack"),
      heldPages: this.#held("page"),
      commitment: this.commitment,
      senders: [...this.pipes].filter(({ role }) => role === "send").length,
      receivers: [...this.pipes].filter(({ role }) => role === "receive").length,
      expiresAtMs: 2_000_000_000_000,
    };
  }

  #held(kind: string): number[] {
    const set = new RangeSet();
    for (const { header } of this.objects.values()) if (header.kind === kind) set.add(header.index);
    return set.toArray();
  }

  changed(): void {
    for (const pipe of [...this.pipes]) pipe.onChanged();
  }

  /** Every connection breaks without a word. */
  cutAll(): void {
    for (const pipe of [...this.pipes]) pipe.cut();
  }
}

class RelayPipe implements Pipe {
  readonly carrier;
  role: "send" | "receive" | undefined;
  member = 0;
  #claim = "";
  readonly #relay: FakeRelay;
  #handler: PipeHandler | undefined;
  #windowBytes = 0;
  readonly #wants = new Set<string>();
  #isClosed = false;
  #out: Promise<void> = Promise.resolve();

  constructor(relay: FakeRelay, carrier: "webtransport" | "websocket") {
    this.#relay = relay;
    this.carrier = carrier;
  }

  start(handler: PipeHandler): void {
    this.#handler = handler;
    this.#relay.pipes.add(this);
  }

  sendFrame(bytes: Uint8Array): void {
    const frame = decodeClientFrame(bytes);
    setImmediate(() => {
      if (!this.#isClosed) this.#onFrame(frame);
    });
  }

  async sendObject(header: ObjectHeader, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const reader = new ObjectReader({
      begin: ({ length }) => new Uint8Array(length),
      end: (object) => this.#onObject(object),
    });
    this.#windowBytes += header.length;
    this.#relay.peakWindowBytes = Math.max(this.#relay.peakWindowBytes, this.#windowBytes);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#isClosed) throw new Failure("relay/unreachable");
    reader.push(encodeHeader(header));
    reader.push(bytes);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#relay.pipes.delete(this)) this.#relay.changed();
  }

  cut(): void {
    if (this.#isClosed) return;
    this.close();
    this.#handler?.closed(new Failure("relay/unreachable", { what: "cut" }));
  }

  /** Says good-bye with a failure. */
  refuse(code: FailureCode): void {
    this.#handler?.frame(encodeFrame({ t: "bye", code: wireCode(code) }));
    this.close();
  }

  tellLost(kind: ObjectKind, index: number): void {
    if (this.role === "send") this.#tell({ t: "lost", kind, index });
  }

  /** Somebody signals to `to`, which may be this one. */
  onSignal(to: number, from: number, body: Uint8Array): void {
    if (to === 0 || to === this.member) this.#tell({ t: "signal", from, body });
  }

  onChanged(): void {
    this.#tell({ t: "state", state: this.#relay.state() });
    for (const key of [...this.#wants]) this.#deliver(key);
  }

  #tell(frame: RelayFrame): void {
    if (!this.#isClosed && this.role !== undefined) this.#handler?.frame(encodeFrame(frame));
  }

  #onHello(frame: ClientFrame & { t: "hello" }): void {
    const relay = this.#relay;
    try {
      const lease = frame.role === "send" ? relay.grant(frame) : 0;
      this.role = frame.role;
      this.member = ++relay.members;
      const { limits } = relay;
      this.#tell({ t: "welcome", v: PROTOCOL_VERSION, limits, lease, member: this.member, state: relay.state() });
    } catch (error) {
      this.refuse(toFailure(error, "wire/malformed").code);
    }
  }

  #onFrame(frame: ReturnType<typeof decodeClientFrame>): void {
    const relay = this.#relay;
    switch (frame.t) {
      case "hello":
        this.#onHello(frame);
        return;
      case "want":
        this.#wants.add(`${frame.kind} ${frame.index}`);
        relay.peakWants = Math.max(relay.peakWants, this.#wants.size);
        this.#deliver(`${frame.kind} ${frame.index}`);
        return;
      case "unwant":
        this.#wants.delete(`${frame.kind} ${frame.index}`);
        return;
      case "commit":
        if (Buffer.compare(relay.root, frame.root) !== 0) throw new Error("a commitment with another root");
        relay.commitment = { packs: frame.packs, pages: frame.pages, root: new Uint8Array(frame.root) };
        this.#tell({ t: "committed" });
        relay.changed();
        return;
      case "claim":
        this.#onClaim(Buffer.from(frame.claim).toString("hex"));
        return;
      case "complete":
        relay.complete(frame.claim);
        this.#tell({ t: "completed" });
        return;
      case "signal":
        for (const pipe of [...relay.pipes]) if (pipe !== this) pipe.onSignal(frame.to, this.member, frame.body);
        return;
      case "ping":
        this.#tell({ t: "pong", n: frame.n });
        return;
      case "bye":
        this.close();
        return;
      default:
        frame satisfies never;
    }
  }

  #onClaim(claim: string): void {
    try {
      this.#relay.take(claim);
      this.#claim = claim;
      this.#tell({ t: "claimed", code: 0 });
    } catch (error) {
      this.#tell({ t: "claimed", code: wireCode(toFailure(error, "wire/malformed").code) });
    }
  }

  #onObject({ header, bytes }: SealedObject): void {
    const relay = this.#relay;
    const { kind, index } = header;
    relay.receivedBytes += bytes.length;
    const fault = relay.nextFault("put", header);
    if (fault === "cut") {
      relay.cutAll();
      return;
    }
    const answer = () => {
      this.#windowBytes -= header.length;
      const known = relay.objects.get(`${kind} ${index}`);
      const hash = objectHash(bytes);
      const damaged = fault === "refuse" || Buffer.compare(hash, header.hash) !== 0;
      const conflict = known !== undefined && Buffer.compare(known.header.hash, header.hash) !== 0;
      if (damaged || conflict) {
        this.#tell({ t: "refuse", kind, index, code: wireCode(conflict ? "object/conflict" : "object/hash") });
        return;
      }
      relay.objects.set(`${kind} ${index}`, { header, bytes: bytes.slice() });
      this.#tell({ t: "ack", kind, index });
      relay.changed();
    };
    if (fault === "late") setTimeout(answer, 15);
    else setImmediate(answer);
  }

  #deliver(key: string): void {
    const relay = this.#relay;
    const object = relay.objects.get(key);
    const { commitment } = relay;
    if (relay.phase === "paused") return;
    if (key.startsWith("pack") && relay.downloadsLeft !== null && !relay.claims.has(this.#claim)) {
      this.#wants.delete(key);
      this.#tell({ t: "refuse", kind: "pack", index: Number(key.split(" ")[1]), code: wireCode("portal/claimed") });
      return;
    }
    if (object === undefined) {
      if (commitment === null) return;
      const kind = key.startsWith("pack") ? "pack" : "page";
      const index = Number(key.split(" ")[1]);
      this.#wants.delete(key);
      this.#tell({ t: "refuse", kind, index, code: wireCode("object/absent") });
      return;
    }
    this.#wants.delete(key);
    const fault = relay.nextFault("get", object.header);
    if (fault === "cut") {
      this.#out = this.#out.then(() => relay.cutAll());
      return;
    }
    if (fault === "refuse") {
      const { kind, index } = object.header;
      this.#tell({ t: "refuse", kind, index, code: wireCode("relay/storage") });
      return;
    }
    const bytes = object.bytes.slice();
    if (fault === "corrupt") bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    const whole = Buffer.concat([encodeHeader(object.header), bytes]);
    this.#out = this.#out.then(() => this.#write(whole));
  }

  async #write(whole: Uint8Array): Promise<void> {
    for (let at = 0; at < whole.length; at += this.#relay.sliceBytes) {
      if (at % (8 * this.#relay.sliceBytes) === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#isClosed) return;
      this.#handler?.objectBytes(0, whole.subarray(at, at + this.#relay.sliceBytes));
    }
  }
}
