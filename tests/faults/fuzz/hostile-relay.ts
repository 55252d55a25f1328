/**
 * A relay that does what it likes: an honest one in memory, and between it and its clients somebody who drops, changes and
 * makes up whatever crosses, frame by frame and object by object.
 *
 * @module
 */
import { openFramedLink } from "../../../core/edge/framed-link.ts";
import { Failure } from "../../../core/failure.ts";
import type { LeaseWish, Link, LinkRole } from "../../../core/ports/link.ts";
import type { Pipe, PipeHandler } from "../../../core/ports/pipe.ts";
import {
  type ClientFrame,
  decodeClientFrame,
  decodeRelayFrame,
  encodeFrame,
  type RelayFrame,
} from "../../../core/wire/frame.ts";
import { encodeHeader, type ObjectHeader, ObjectReader, type SealedObject } from "../../../core/wire/object.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeRelay } from "../../support/fake-relay.ts";

/** One connection, as the one in the middle has it. */
export interface Wire {
  /** From 1. */
  readonly connection: number;
  /** Says something to the client. */
  tell(...frames: readonly RelayFrame[]): void;
  /** Any bytes as a frame. */
  raw(bytes: Uint8Array): void;
  /** Any bytes on an object stream. */
  stream(bytes: Uint8Array, stream?: number): void;
  /** An object, whole. */
  deliver(object: SealedObject, stream?: number): void;
  /** The connection breaks. */
  cut(): void;
}

/** What is done to one connection. What is absent passes as it is. */
export interface Malice {
  /** After the client's hello. */
  readonly greeted?: () => void;
  /** A frame for the client; `pass` gives it to it. */
  readonly frame?: (frame: RelayFrame, pass: (frame: RelayFrame) => void) => void;
  /** An object for the client. */
  readonly object?: (object: SealedObject, pass: (object: SealedObject) => void) => void;
  /** A frame of the client, before the honest relay hears it. */
  readonly heard?: (frame: ClientFrame, pass: (frame: ClientFrame) => void) => void;
  /** An object of the client; the promise that `pass` gives is backpressure. */
  readonly stored?: (header: ObjectHeader, pass: () => Promise<void>) => Promise<void>;
}

/** What a relay does to each connection. */
export type Behaviour = (wire: Wire) => Malice;

/** Its clock is the test's. */
export class HostileRelay extends FakeRelay {
  readonly #behaviour: Behaviour;
  readonly fakeClock: FakeClock;

  constructor(behaviour: Behaviour, honest?: FakeRelay) {
    const clock = new FakeClock();
    super({ clock });
    this.fakeClock = clock;
    this.#behaviour = behaviour;
    if (honest === undefined) return;
    for (const [key, object] of honest.objects) this.objects.set(key, object);
    this.commitment = honest.commitment;
  }

  override async connect(
    carrier: "webtransport" | "websocket",
    role: LinkRole,
    clock: FakeClock,
    wish: LeaseWish = { lease: role.role === "send" ? this.lease : 0, takeOver: false },
  ): Promise<Link> {
    this.connections += 1;
    const pipe = new HostilePipe(this.pipe(carrier), this.connections, this.#behaviour);
    return openFramedLink(pipe, role, wish, clock);
  }
}

class HostilePipe implements Pipe, Wire {
  readonly carrier;
  readonly connection: number;
  readonly #inner: Pipe;
  readonly #malice: Malice;
  #handler: PipeHandler | undefined;
  #isClosed = false;

  constructor(inner: Pipe, connection: number, behaviour: Behaviour) {
    this.carrier = inner.carrier;
    this.connection = connection;
    this.#inner = inner;
    this.#malice = behaviour(this);
  }

  start(handler: PipeHandler): void {
    this.#handler = handler;
    const { frame: onFrame, object: onObject } = this.#malice;
    const reader = new ObjectReader({
      begin: ({ length }) => new Uint8Array(length),
      end: (object) => {
        if (onObject === undefined) this.deliver(object);
        else onObject(object, (passed) => this.deliver(passed));
      },
    });
    this.#inner.start({
      frame: (bytes) => {
        if (onFrame === undefined) this.raw(bytes);
        else onFrame(decodeRelayFrame(bytes), (frame) => this.tell(frame));
      },
      objectBytes: (_stream, bytes) => reader.push(bytes),
      moved: () => handler.moved(),
      closed: (reason) => {
        this.#isClosed = true;
        handler.closed(reason);
      },
    });
  }

  sendFrame(bytes: Uint8Array): void {
    const frame = decodeClientFrame(bytes);
    const pass = (passed: ClientFrame) => this.#inner.sendFrame(encodeFrame(passed));
    if (this.#malice.heard === undefined) pass(frame);
    else this.#malice.heard(frame, pass);
    if (frame.t === "hello") setImmediate(() => this.#malice.greeted?.());
  }

  sendObject(header: ObjectHeader, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const pass = () => this.#inner.sendObject(header, bytes);
    return this.#malice.stored === undefined ? pass() : this.#malice.stored(header, pass);
  }

  close(): void {
    this.#isClosed = true;
    this.#inner.close();
  }

  tell(...frames: readonly RelayFrame[]): void {
    for (const frame of frames) this.raw(encodeFrame(frame));
  }

  raw(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#handler?.frame(bytes);
  }

  stream(bytes: Uint8Array, stream = 0): void {
    if (!this.#isClosed) this.#handler?.objectBytes(stream, bytes);
  }

  deliver({ header, bytes }: SealedObject, stream = 0): void {
    this.stream(encodeHeader(header), stream);
    this.stream(bytes, stream);
  }

  cut(): void {
    if (this.#isClosed) return;
    this.close();
    this.#handler?.closed(new Failure("relay/unreachable", { what: "cut" }));
  }
}

/** How long by the test's clock something may take that will never end. */
const PATIENCE_MS = 90_000;
const STEP_MS = 250;

/** Lets time pass until `work` settles, or `limitMs` have passed. Gives true when it settled. */
export async function drive(clock: FakeClock, work: Promise<unknown>, limitMs = PATIENCE_MS): Promise<boolean> {
  let isSettled = false;
  const settled = () => {
    isSettled = true;
  };
  work.then(settled, settled);
  for (let ms = 0; ms < limitMs && !isSettled; ms += STEP_MS) {
    await clock.advance(STEP_MS);
    // Cryptography runs on other threads: the test's clock must not run away from it.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return isSettled;
}
