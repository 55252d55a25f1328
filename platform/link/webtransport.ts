/**
 * Pipe over WebTransport: one control stream, and a few long-lived object streams that carry packs both ways.
 * Nothing depends on the end of a stream or on close codes, because QUIC stacks lose both.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { RelayInfo } from "../../core/portal/portal.ts";
import type { Pipe, PipeHandler } from "../../core/ports/pipe.ts";
import { WRITE_BYTES } from "../../core/units.ts";
import { delimit, FrameReader } from "../../core/wire/frame-stream.ts";
import { encodeHeader, type ObjectHeader, STREAM_CONTROL, STREAM_OBJECTS } from "../../core/wire/object.ts";

/** Object streams in one session; see the transfer bench for why not more. */
export const OBJECT_STREAMS = 2;

interface ObjectStream {
  readonly index: number;
  readonly writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  /** Bytes queued and not yet taken. */
  queuedBytes: number;
  tail: Promise<void>;
}

export type WebTransportTarget = NonNullable<RelayInfo["webtransport"]>;

/** Connects and opens the streams. @throws Failure `relay/unreachable` */
export async function openWebTransportPipe(target: WebTransportTarget, signal: AbortSignal): Promise<Pipe> {
  const transport = new WebTransport(target.url, {
    serverCertificateHashes: target.certificateHashes.map((hash) => ({
      algorithm: "sha-256",
      value: Uint8Array.from(atob(hash), (char) => char.charCodeAt(0)),
    })),
    congestionControl: "throughput",
  });
  transport.closed.catch(() => {});
  signal.addEventListener("abort", () => transport.close(), { once: true });
  try {
    await transport.ready;
    const control = await openStream(transport, STREAM_CONTROL);
    const objects = await Promise.all(
      Array.from({ length: OBJECT_STREAMS }, () => openStream(transport, STREAM_OBJECTS)),
    );
    return new WebTransportPipe(transport, control, objects);
  } catch (cause) {
    try {
      transport.close();
    } catch {
      // already closed
    }
    throw new Failure("relay/unreachable", { carrier: "webtransport" }, { cause });
  }
}

interface OpenedStream {
  readonly writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly readable: ReadableStream<Uint8Array>;
}

async function openStream(transport: WebTransport, kind: number): Promise<OpenedStream> {
  const stream = await transport.createBidirectionalStream();
  const writer = (stream.writable as WritableStream<Uint8Array<ArrayBuffer>>).getWriter();
  await writer.write(Uint8Array.of(kind));
  return { writer, readable: stream.readable as ReadableStream<Uint8Array> };
}

class WebTransportPipe implements Pipe {
  readonly carrier = "webtransport";
  readonly #transport: WebTransport;
  readonly #control: OpenedStream;
  readonly #opened: readonly OpenedStream[];
  readonly #streams: readonly ObjectStream[];
  #handler: PipeHandler | undefined;

  constructor(transport: WebTransport, control: OpenedStream, objects: readonly OpenedStream[]) {
    this.#transport = transport;
    this.#control = control;
    this.#opened = objects;
    this.#streams = objects.map(({ writer }, index) => ({ index, writer, queuedBytes: 0, tail: Promise.resolve() }));
  }

  start(handler: PipeHandler): void {
    this.#handler = handler;
    const lost = (cause?: unknown) =>
      handler.closed(new Failure("relay/unreachable", { carrier: "webtransport" }, { cause }));
    const frames = new FrameReader((frame) => handler.frame(frame));
    void readAll(this.#control.readable, (bytes) => frames.push(bytes)).then(
      () => lost(),
      (error) =>
        handler.closed(error instanceof Failure ? error : new Failure("relay/unreachable", {}, { cause: error })),
    );
    for (const [index, { readable }] of this.#opened.entries())
      void readAll(readable, (bytes) => handler.objectBytes(index, bytes)).then(() => lost(), lost);
    this.#transport.closed.then(() => lost(), lost);
  }

  sendFrame(frame: Uint8Array): void {
    this.#control.writer.write(delimit(frame)).catch(() => {
      // a lost session is told by `transport.closed`
    });
  }

  sendObject(header: ObjectHeader, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const stream = this.#streams.reduce((best, next) => (next.queuedBytes < best.queuedBytes ? next : best));
    stream.queuedBytes += bytes.length;
    const turn = stream.tail.then(() => write(stream, header, bytes, () => this.#handler?.moved()));
    stream.tail = turn.catch(() => {});
    return turn;
  }

  close(): void {
    try {
      this.#transport.close();
    } catch {
      // closing a dead session throws in some browsers
    }
  }
}

async function write(
  stream: ObjectStream,
  header: ObjectHeader,
  bytes: Uint8Array<ArrayBuffer>,
  onMoved: () => void,
): Promise<void> {
  await stream.writer.write(encodeHeader(header));
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
    const slice = bytes.subarray(at, at + WRITE_BYTES);
    await stream.writer.write(slice);
    onMoved();
    stream.queuedBytes -= slice.length;
  }
}

async function readAll(readable: ReadableStream<Uint8Array>, onBytes: (bytes: Uint8Array) => void): Promise<void> {
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes(value);
  }
}
