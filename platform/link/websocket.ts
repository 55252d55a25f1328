/**
 * Pipe over a WebSocket. The first byte of each message tells control from object bytes; object bytes go in slices of
 * WRITE_BYTES, so that a control frame never waits behind a whole pack.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { LINK_ROUTE } from "../../core/portal/portal.ts";
import type { Pipe, PipeHandler } from "../../core/ports/pipe.ts";
import { MIB, WRITE_BYTES } from "../../core/units.ts";
import { encodeHeader, type ObjectHeader, STREAM_CONTROL, STREAM_OBJECTS } from "../../core/wire/object.ts";

/** Bytes that may wait in the browser's send buffer; it tells nothing when it drains, so it is asked again. */
const MAX_BUFFERED_BYTES = 2 * MIB;
const BUFFER_POLL_MS = 4;
/** The same when nothing waits for room: what still leaves the buffer shows that the line is alive. */
const DRAIN_POLL_MS = 500;

/** Connects. @throws Failure `relay/unreachable` */
export async function openWebSocketPipe(relayOrigin: string, signal: AbortSignal): Promise<Pipe> {
  const url = new URL(LINK_ROUTE, relayOrigin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise<void>((resolve, reject) => {
    const fail = () => reject(new Failure("relay/unreachable", { carrier: "websocket" }));
    socket.onopen = () => resolve();
    socket.onerror = fail;
    socket.onclose = fail;
    signal.addEventListener(
      "abort",
      () => {
        socket.close();
        fail();
      },
      { once: true },
    );
  });
  return new WebSocketPipe(socket);
}

class WebSocketPipe implements Pipe {
  readonly carrier = "websocket";
  readonly #socket: WebSocket;
  #handler: PipeHandler | undefined;
  /** Objects are written one after the other: they share one stream. */
  #tail: Promise<void> = Promise.resolve();
  /** One message of object bytes; `send` copies, so the next one is written over it. */
  readonly #message = new Uint8Array(1 + WRITE_BYTES);
  /** `bufferedAmount` when it was looked at last. */
  #bufferedBytes = 0;
  #isDraining = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onerror = null;
    socket.onclose = () => this.#closed();
  }

  start(handler: PipeHandler): void {
    this.#handler = handler;
    this.#socket.onmessage = ({ data }) => this.#onMessage(data);
    if (this.#socket.readyState !== WebSocket.OPEN) this.#closed();
  }

  sendFrame(frame: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const message = new Uint8Array(1 + frame.length);
    message[0] = STREAM_CONTROL;
    message.set(frame, 1);
    this.#socket.send(message);
  }

  sendObject(header: ObjectHeader, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const turn = this.#tail.then(() => this.#write(header, bytes));
    this.#tail = turn.catch(() => {});
    return turn;
  }

  close(): void {
    this.#socket.close();
  }

  async #write(header: ObjectHeader, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#sendSlice(encodeHeader(header));
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      while (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        await pause(BUFFER_POLL_MS);
        this.#look();
        if (this.#socket.readyState !== WebSocket.OPEN)
          throw new Failure("relay/unreachable", { carrier: "websocket" });
      }
      this.#sendSlice(bytes.subarray(at, at + WRITE_BYTES));
    }
    if (!this.#isDraining) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#socket.bufferedAmount > 0 && this.#socket.readyState === WebSocket.OPEN) {
      await pause(DRAIN_POLL_MS);
      this.#look();
    }
    this.#isDraining = false;
  }

  #look(): void {
    const { bufferedAmount } = this.#socket;
    if (bufferedAmount < this.#bufferedBytes) this.#handler?.moved();
    this.#bufferedBytes = bufferedAmount;
  }

  #sendSlice(slice: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) throw new Failure("relay/unreachable", { carrier: "websocket" });
    this.#look();
    this.#message[0] = STREAM_OBJECTS;
    this.#message.set(slice, 1);
    this.#socket.send(this.#message.subarray(0, 1 + slice.length));
    this.#bufferedBytes = this.#socket.bufferedAmount;
  }

  #onMessage(data: unknown): void {
    if (!(data instanceof ArrayBuffer) || data.byteLength < 2) {
      this.#handler?.closed(new Failure("wire/malformed", { what: "message" }));
      return;
    }
    const kind = new Uint8Array(data, 0, 1)[0];
    const body = new Uint8Array(data, 1);
    if (kind === STREAM_CONTROL) this.#handler?.frame(body);
    else if (kind === STREAM_OBJECTS) this.#handler?.objectBytes(0, body);
    else this.#handler?.closed(new Failure("wire/malformed", { what: "message kind" }));
  }

  #closed(): void {
    this.#handler?.closed(new Failure("relay/unreachable", { carrier: "websocket" }));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
