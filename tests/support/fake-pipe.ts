/**
 * A pipe whose other end is the test: it sees the frames and objects that a client sends and answers by hand.
 *
 * @module
 */
import type { Failure } from "../../core/failure.ts";
import type { Pipe, PipeHandler } from "../../core/ports/pipe.ts";
import {
  type ClientFrame,
  decodeClientFrame,
  encodeFrame,
  type LinkLimits,
  type PortalState,
  PROTOCOL_VERSION,
  type RelayFrame,
} from "../../core/wire/frame.ts";
import { encodeHeader, type ObjectHeader, type SealedObject } from "../../core/wire/object.ts";

export const EMPTY_STATE: PortalState = {
  phase: "created",
  heldPacks: [],
  heldPages: [],
  commitment: null,
  senders: 0,
  receivers: 0,
  expiresAtMs: 2_000_000_000_000,
};

export class FakePipe implements Pipe {
  readonly carrier;
  readonly frames: ClientFrame[] = [];
  readonly objects: ObjectHeader[] = [];
  isClosed = false;
  /** What `sendObject` does. */
  onObject: () => Promise<void> = async () => {};
  #handler: PipeHandler | undefined;

  constructor(carrier: "webtransport" | "websocket" = "webtransport") {
    this.carrier = carrier;
  }

  start(handler: PipeHandler): void {
    this.#handler = handler;
  }

  sendFrame(frame: Uint8Array): void {
    this.frames.push(decodeClientFrame(frame));
  }

  sendObject(header: ObjectHeader): Promise<void> {
    this.objects.push(header);
    return this.onObject();
  }

  close(): void {
    this.isClosed = true;
  }

  /** Says something as the relay. */
  tell(...frames: readonly RelayFrame[]): void {
    for (const frame of frames) this.#handler?.frame(encodeFrame(frame));
  }

  welcome(
    limits: LinkLimits = { windowBytes: 2 ** 25, maxWants: 64 },
    version: number = PROTOCOL_VERSION,
    lease = 1,
  ): void {
    this.tell({ t: "welcome", v: version, limits, lease, member: 1, state: EMPTY_STATE });
  }

  /** Object bytes went out to the network. */
  moved(): void {
    this.#handler?.moved();
  }

  /** Bytes of an object stream. */
  stream(stream: number, bytes: Uint8Array): void {
    this.#handler?.objectBytes(stream, bytes);
  }

  deliver({ header, bytes }: SealedObject, stream = 0): void {
    this.stream(stream, encodeHeader(header));
    this.stream(stream, bytes);
  }

  rawFrame(bytes: Uint8Array): void {
    this.#handler?.frame(bytes);
  }

  break(reason: Failure): void {
    this.#handler?.closed(reason);
  }
}
