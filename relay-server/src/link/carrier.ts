/**
 * What a link needs of the connection under it: control frames, object streams, backpressure both ways. WebTransport
 * and WebSocket implement it; link.ts does not know which one it has.
 *
 * @module
 */
import type { Failure } from "../../../core/failure.ts";

/** One way to send object bytes. */
export interface ObjectOutput {
  /** Bytes that the carrier needs free in front of every slice that it is given. */
  readonly headroom: number;
  /**
   * Sends one slice, at most WRITE_BYTES with its headroom, and resolves when the carrier can take the next; the slice is
   * borrowed until then. @throws Error when the connection is gone
   */
  write(slice: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** What a carrier tells its link. A promise that is returned must settle before more of the same stream is delivered. */
export interface CarrierHandler {
  frame(bytes: Uint8Array<ArrayBuffer>): Promise<void> | undefined;
  /** Next bytes of object stream `stream`; the link may keep them. */
  objectBytes(stream: number, bytes: Uint8Array): Promise<void> | undefined;
  /** An object stream is open for sending. */
  output(output: ObjectOutput): void;
  /** The peer broke the framing. */
  broken(failure: Failure): void;
  /** The connection is gone; the last call. */
  closed(): void;
}

export interface Carrier {
  readonly kind: "webtransport" | "websocket";
  /** Address of the peer, without its port. */
  readonly address: string;
  /** Control bytes handed over and not yet taken by the peer. */
  readonly controlBacklog: number;
  /** Starts delivering; called once. */
  start(handler: CarrierHandler): void;
  /** Sends one control frame; never throws. */
  sendFrame(frame: Uint8Array<ArrayBuffer>): void;
  /** Lets what was sent go out, then ends the connection within about a second. */
  close(): void;
}
