/**
 * One WebTransport session of the addon behind the session interface of `@fails-components/webtransport`.
 *
 * @module
 */
import type { Addon, ServerHandle, SessionEvent } from "./native-addon.ts";
import { NativeStream, type StreamHost } from "./native-stream.ts";

/** The core's session object, as far as it is used here. */
export interface CoreSession {
  onReady(event: object): void;
  onClose(event: { errorcode: number; error: string }): void;
  onGoAwayReceived(event: object): void;
  onStream(event: { stream: NativeStream; bidirectional: boolean; incoming: boolean; sendOrder: number }): void;
  onSessionStats(event: object): void;
  onDatagramStats(event: object): void;
}

const NO_STATS = {
  expiredOutgoing: 0,
  lostOutgoing: 0,
  minRtt: 0,
  smoothedRtt: 0,
  rttVariation: 0,
  estimatedSendRateBps: 0,
};

export class NativeSession implements StreamHost {
  /** Set by the core. */
  jsobj: CoreSession | undefined;
  readonly #addon: Addon;
  readonly #server: ServerHandle;
  readonly #id: number;
  readonly #streams = new Map<number, NativeStream>();
  readonly #writes = new Map<number, () => void>();
  readonly #opening = new Map<number, boolean>();
  #early: SessionEvent[] | undefined = [];
  #nextRequest = 1;
  #lastError = "";
  #isClosed = false;

  constructor(addon: Addon, server: ServerHandle, id: number) {
    this.#addon = addon;
    this.#server = server;
    this.#id = id;
  }

  // Called by the core.

  /** Datagrams are not part of our protocol: none is ever sent. */
  writeDatagram(): { code: "blocked" } {
    return { code: "blocked" };
  }
  getMaxDatagramSize(): number {
    return this.#isClosed ? 0 : this.#addon.serverMaxDatagramSize(this.#server);
  }
  orderBidiStream(): boolean {
    return this.#open(true);
  }
  orderUnidiStream(): boolean {
    return this.#open(false);
  }
  orderSessionStats(): void {
    this.jsobj?.onSessionStats({ timestamp: Date.now(), ...NO_STATS });
  }
  orderDatagramStats(): void {
    this.jsobj?.onDatagramStats({ timestamp: Date.now(), ...NO_STATS });
  }
  notifySessionDraining(): void {
    if (!this.#isClosed) this.#addon.serverDrain(this.#server, this.#id);
  }
  close({ code, reason }: { code: number; reason: string }): void {
    if (this.#isClosed) return;
    this.#addon.serverCloseSession(this.#server, this.#id, code >>> 0, new TextEncoder().encode(reason));
  }

  // Called by streams.

  write(stream: number, bytes: Uint8Array, onTaken: () => void): void {
    if (this.#isClosed) return;
    const request = this.#nextRequest++;
    this.#writes.set(request, onTaken);
    this.#addon.serverWrite(this.#server, this.#id, stream, bytes, request);
  }
  finish(stream: number): void {
    if (!this.#isClosed) this.#addon.serverFin(this.#server, this.#id, stream);
  }
  reset(stream: number, code: number): void {
    if (!this.#isClosed) this.#addon.serverReset(this.#server, this.#id, stream, code);
  }
  stopSending(stream: number, code: number): void {
    if (!this.#isClosed) this.#addon.serverStopSending(this.#server, this.#id, stream, code);
  }
  setPaused(stream: number, paused: boolean): void {
    if (!this.#isClosed) this.#addon.serverSetPaused(this.#server, this.#id, stream, paused);
  }
  forget(stream: number): void {
    this.#streams.delete(stream);
  }

  // Called by the listener.

  /** The core knows the session now: what came before is delivered. */
  begin(): void {
    this.jsobj?.onReady({});
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) this.dispatch(event);
  }

  dispatch(event: SessionEvent): void {
    if (this.#early !== undefined) {
      this.#early.push(event);
      return;
    }
    switch (event.type) {
      case "stream":
        this.#add(event.streamId, { receive: true, send: event.bidi }, event.bidi, true);
        return;
      case "streamOpened": {
        const bidi = this.#opening.get(event.requestId);
        this.#opening.delete(event.requestId);
        if (bidi !== undefined) this.#add(event.streamId, { receive: bidi, send: true }, bidi, false);
        return;
      }
      case "streamData":
        this.#streams.get(event.streamId)?.onData(event.data);
        return;
      case "streamFin":
        this.#streams.get(event.streamId)?.onFin();
        return;
      case "streamReset":
        this.#streams.get(event.streamId)?.onReset(event.code);
        return;
      case "streamStopSending":
        this.#streams.get(event.streamId)?.onStopSending(event.code);
        return;
      case "writeAck": {
        const onTaken = this.#writes.get(event.requestId);
        this.#writes.delete(event.requestId);
        onTaken?.();
        return;
      }
      case "draining":
        this.jsobj?.onGoAwayReceived({});
        return;
      case "error":
        this.#lastError = event.message;
        return;
      case "closed":
        this.#close(event.code, new TextDecoder().decode(event.reason));
        return;
      case "datagram":
        // Dropped: the core would queue them without limit.
        return;
      default:
        event satisfies never;
    }
  }

  #open(bidi: boolean): boolean {
    if (this.#isClosed) return false;
    const request = this.#nextRequest++;
    this.#opening.set(request, bidi);
    this.#addon.serverOpenStream(this.#server, this.#id, bidi, request);
    return true;
  }

  #add(id: number, directions: { receive: boolean; send: boolean }, bidirectional: boolean, incoming: boolean): void {
    const stream = new NativeStream(this, id, directions);
    this.#streams.set(id, stream);
    this.jsobj?.onStream({ stream, bidirectional, incoming, sendOrder: 0 });
  }

  #close(errorcode: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#streams.clear();
    this.#writes.clear();
    this.#opening.clear();
    this.jsobj?.onClose({ errorcode, error: reason || this.#lastError });
  }
}
