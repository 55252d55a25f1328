/**
 * Connections to other browsers as ports: a channel of messages, and whoever makes one.
 *
 * @module
 */

/** What a channel tells. None of the calls may throw. */
export interface PeerChannelHandler {
  /** Messages can be sent from now on. */
  open(): void;
  /** One whole message; the memory is the handler's. */
  message(bytes: Uint8Array): void;
  /** It ended, or never opened. */
  closed(): void;
}

/** Messages to and from one other browser: each arrives whole, once, in order. */
export interface PeerChannel {
  /** Starts telling; called once. */
  start(handler: PeerChannelHandler): void;
  /** Queues one message, at most WRITE_BYTES; it is copied. Never throws: what a closed channel is given is lost. */
  send(message: Uint8Array<ArrayBuffer>): void;
  /** Bytes that were queued and did not leave yet. */
  readonly bufferedBytes: number;
  close(): void;
}

/** This side of a connection that is being made. */
export interface PeerConnection {
  /** All that the other side needs to know, as SDP. */
  readonly sdp: string;
  /** Opens when both sides know each other. */
  readonly channel: PeerChannel;
  /** Of an offer: takes the other side's answer. @throws Failure `relay/unreachable` when the browser does not */
  accept(sdp: string): Promise<void>;
  /** Ends it, with its channel. */
  close(): void;
}

/** Makes connections. */
export interface PeerBroker {
  /** Begins one. @throws Failure `relay/unreachable` when the browser does not */
  offer(): Promise<PeerConnection>;
  /** Takes one that another browser began. @throws Failure `relay/unreachable` when the browser does not */
  answer(sdp: string): Promise<PeerConnection>;
}
