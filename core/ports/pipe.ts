/**
 * A connection that carries control frames and object streams, without knowing what they mean: a WebTransport session
 * or a WebSocket.
 *
 * @module
 */
import type { Failure } from "../failure.ts";
import type { ObjectHeader } from "../wire/object.ts";

/** What a pipe tells. None of the calls may throw. */
export interface PipeHandler {
  frame(bytes: Uint8Array): void;
  /** Next bytes of object stream `stream`; borrowed. */
  objectBytes(stream: number, bytes: Uint8Array): void;
  /** Bytes of an object left for the network: a slow line that is full is no dead one. */
  moved(): void;
  closed(reason: Failure): void;
}

/** One connection, from its opening to its end. */
export interface Pipe {
  readonly carrier: "webtransport" | "websocket";
  /** Starts delivering to the handler; called once. */
  start(handler: PipeHandler): void;
  /** Sends one control frame ahead of queued object bytes. Never throws; a lost pipe is told through `closed`. */
  sendFrame(frame: Uint8Array): void;
  /** Queues header and bytes on the least busy object stream; resolves when the pipe has taken them (backpressure). */
  sendObject(header: ObjectHeader, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): void;
}
