/**
 * A link's carrier over a WebSocket: each binary message begins with one byte that says whether a control frame or the
 * next bytes of the one object stream follow.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { Failure } from "../../../core/failure.ts";
import { MAX_FRAME_BYTES } from "../../../core/units.ts";
import { STREAM_CONTROL, STREAM_OBJECTS } from "../../../core/wire/object.ts";
import type { Carrier, CarrierHandler, ObjectOutput } from "../link/carrier.ts";

/** Largest message; clients send WRITE_BYTES. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** A message above this is not even read to be refused with a code. */
const MAX_READ_BYTES = 2 * MAX_MESSAGE_BYTES;
/** How long a closing handshake may take before the socket is cut. */
const CLOSE_MS = 1000;
const KEEP_ALIVE_MS = 10_000;

/** Turns upgrade requests into carriers. */
export class WebSocketDoor {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_READ_BYTES,
    // Sealed bytes do not compress.
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });

  /** Takes over the socket of an upgrade request. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    address: string,
    onCarrier: (carrier: Carrier) => void,
  ) {
    // Node keeps sockets half open; a peer that died would never be noticed.
    socket.on("end", () => socket.destroy());
    if ("setKeepAlive" in socket && typeof socket.setKeepAlive === "function") socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      onCarrier(new WebSocketCarrier(webSocket, address)),
    );
  }
}

class WebSocketCarrier implements Carrier {
  readonly kind = "websocket";
  readonly address: string;
  readonly #socket: WebSocket;
  #backlog = 0;
  /** Messages that came while an earlier one is being taken; the socket is paused then. */
  #tail: Promise<void> | undefined;

  constructor(socket: WebSocket, address: string) {
    this.#socket = socket;
    this.address = address;
    socket.binaryType = "nodebuffer";
  }

  get controlBacklog(): number {
    return this.#backlog;
  }

  start(handler: CarrierHandler): void {
    const socket = this.#socket;
    socket.on("message", (data, isBinary) => this.#onMessage(handler, data as Buffer<ArrayBuffer>, isBinary));
    socket.on("error", (error) => {
      const isTooLarge = "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
      handler.broken(new Failure(isTooLarge ? "wire/too-large" : "wire/malformed", { what: "websocket" }));
    });
    socket.on("close", () => handler.closed());
    const output: ObjectOutput = { headroom: 1, write: (slice) => this.#sendObjectBytes(slice) };
    handler.output(output);
  }

  sendFrame(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const message = new Uint8Array(1 + frame.length);
    message[0] = STREAM_CONTROL;
    message.set(frame, 1);
    this.#backlog += message.length;
    this.#socket.send(message, () => {
      this.#backlog -= message.length;
    });
  }

  close(): void {
    this.#socket.resume();
    this.#socket.close(1000);
    setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref();
  }

  #sendObjectBytes(slice: Uint8Array<ArrayBuffer>): Promise<void> {
    slice[0] = STREAM_OBJECTS;
    return new Promise((resolve, reject) => {
      this.#socket.send(slice, (error) => (error ? reject(error) : resolve()));
    });
  }

  #onMessage(handler: CarrierHandler, data: Buffer<ArrayBuffer>, isBinary: boolean): void {
    if (this.#tail !== undefined) {
      this.#tail = this.#tail.then(() => this.#deliver(handler, data, isBinary));
      this.#watchTail();
      return;
    }
    const pending = this.#deliver(handler, data, isBinary);
    if (pending === undefined) return;
    this.#socket.pause();
    this.#tail = pending;
    this.#watchTail();
  }

  #watchTail(): void {
    const tail = this.#tail;
    void tail?.then(() => {
      if (this.#tail !== tail) return;
      this.#tail = undefined;
      this.#socket.resume();
    });
  }

  #deliver(handler: CarrierHandler, data: Buffer<ArrayBuffer>, isBinary: boolean): Promise<void> | undefined {
    const kind = isBinary ? data[0] : undefined;
    const limit = kind === STREAM_CONTROL ? MAX_FRAME_BYTES + 1 : MAX_MESSAGE_BYTES;
    if (data.length > limit) {
      handler.broken(new Failure("wire/too-large", { bytes: data.length }));
      return undefined;
    }
    if (kind === STREAM_OBJECTS) return handler.objectBytes(0, data.subarray(1));
    if (kind !== STREAM_CONTROL || data.length < 2) {
      handler.broken(new Failure("wire/malformed", { what: "message" }));
      return undefined;
    }
    return handler.frame(data.subarray(1));
  }
}
