/**
 * A link's carrier over a WebTransport session: the client opens one control stream and a few object streams, each
 * bidirectional and named by its first byte. Nothing waits for the end of a stream or for close codes.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import { delimit, FrameReader } from "../../../core/wire/frame-stream.ts";
import { STREAM_CONTROL, STREAM_OBJECTS } from "../../../core/wire/object.ts";
import type { Carrier, CarrierHandler } from "../link/carrier.ts";

/** The part of a WebTransport session, as browsers specify it, that a carrier uses. */
export interface WebTransportSession {
  readonly closed: Promise<unknown>;
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly datagrams: { readonly readable: ReadableStream<Uint8Array> };
  close(info: { closeCode: number; reason: string }): void;
}

interface BidirectionalStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Streams that one session may open: control and objects. */
const MAX_OBJECT_STREAMS = 8;
/** How long the peer has to read a good-bye and close; the session's own close code is lost more often than not. */
const CLOSE_MS = 1000;

/** Serves one session. @param address of the peer, without its port */
export class WebTransportCarrier implements Carrier {
  readonly kind = "webtransport";
  readonly address: string;
  readonly #session: WebTransportSession;
  #control: WritableStreamDefaultWriter<Uint8Array> | undefined;
  /** Frames from before the control stream was there. */
  #early: Uint8Array<ArrayBuffer>[] = [];
  #backlog = 0;
  #streams = 0;
  #objectStreams = 0;

  constructor(session: WebTransportSession, address: string) {
    this.#session = session;
    this.address = address;
  }

  get controlBacklog(): number {
    return this.#backlog;
  }

  start(handler: CarrierHandler): void {
    this.#session.closed.then(
      () => handler.closed(),
      () => handler.closed(),
    );
    void this.#acceptStreams(handler);
    void drain(this.#session.incomingUnidirectionalStreams, (stream) => stream.cancel());
    void drain(this.#session.datagrams.readable, () => undefined);
  }

  sendFrame(frame: Uint8Array<ArrayBuffer>): void {
    const bytes = delimit(frame);
    this.#backlog += bytes.length;
    if (this.#control === undefined) this.#early.push(bytes);
    else this.#write(this.#control, bytes);
  }

  close(): void {
    const timer = setTimeout(() => this.#session.close({ closeCode: 0, reason: "" }), CLOSE_MS);
    this.#session.closed.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
  }

  #write(control: WritableStreamDefaultWriter<Uint8Array>, bytes: Uint8Array): void {
    const done = () => {
      this.#backlog -= bytes.length;
    };
    control.write(bytes).then(done, done);
  }

  async #acceptStreams(handler: CarrierHandler): Promise<void> {
    await drain(this.#session.incomingBidirectionalStreams, (stream) => {
      if (++this.#streams > MAX_OBJECT_STREAMS + 1) {
        handler.broken(new Failure("wire/window", { streams: this.#streams }));
        return;
      }
      // A stream that breaks takes only itself; a link that ends says so through `closed`.
      void this.#serveStream(stream, handler).catch(() => undefined);
    });
  }

  async #serveStream(stream: BidirectionalStream, handler: CarrierHandler): Promise<void> {
    const reader = stream.readable.getReader();
    const first = await reader.read();
    if (first.done) return;
    const kind = first.value[0];
    const rest = first.value.subarray(1);
    if (kind === STREAM_CONTROL && this.#control === undefined) {
      return this.#serveControl(stream, reader, rest, handler);
    }
    if (kind === STREAM_OBJECTS && this.#objectStreams < MAX_OBJECT_STREAMS) {
      return this.#serveObjects(stream, reader, rest, handler);
    }
    handler.broken(new Failure("wire/malformed", { what: "stream" }));
  }

  async #serveControl(
    stream: BidirectionalStream,
    reader: ReadableStreamDefaultReader<Uint8Array>,
    rest: Uint8Array,
    handler: CarrierHandler,
  ): Promise<void> {
    const control = stream.writable.getWriter();
    this.#control = control;
    for (const bytes of this.#early.splice(0)) this.#write(control, bytes);
    const frames: Uint8Array<ArrayBuffer>[] = [];
    const cutter = new FrameReader((frame) => frames.push(frame));
    for (let bytes: Uint8Array | undefined = rest; bytes !== undefined; bytes = (await reader.read()).value) {
      try {
        cutter.push(bytes);
      } catch (error) {
        handler.broken(error as Failure);
        return;
      }
      for (const frame of frames.splice(0)) await handler.frame(frame);
    }
  }

  async #serveObjects(
    stream: BidirectionalStream,
    reader: ReadableStreamDefaultReader<Uint8Array>,
    rest: Uint8Array,
    handler: CarrierHandler,
  ): Promise<void> {
    const number = this.#objectStreams++;
    const writer = stream.writable.getWriter();
    // A peer that stops reading a stream makes its writes fail, and that is told there.
    writer.closed.catch(() => undefined);
    handler.output({ headroom: 0, write: (slice) => writer.write(slice) });
    for (let bytes: Uint8Array | undefined = rest; bytes !== undefined; bytes = (await reader.read()).value) {
      if (bytes.length > 0) await handler.objectBytes(number, bytes);
    }
  }
}

/** Takes everything from a stream until it ends, however it ends. */
async function drain<T>(stream: ReadableStream<T>, take: (value: T) => unknown): Promise<void> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      await Promise.resolve(take(next.value)).catch(() => undefined);
    }
  } catch {
    // The session is gone; `closed` tells it.
  }
}
