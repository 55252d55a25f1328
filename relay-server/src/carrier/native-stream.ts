/**
 * One QUIC stream of the addon behind the stream interface of `@fails-components/webtransport`, with backpressure in
 * both directions.
 *
 * @module
 */

/** Bytes held here for a reader that is behind before the addon stops giving more. */
const READ_HIGH_BYTES = 256 * 1024;
/** Bytes left unread in the core's stream before it is fed no more. */
const CONTROLLER_HIGH_BYTES = 128 * 1024;
/** Bytes handed to the addon and not yet taken by QUIC before a write waits. */
const WRITE_WINDOW_BYTES = 256 * 1024;

/** The core's stream object, as far as it is used here. */
export interface CoreStream {
  readonly readableController?: {
    readonly desiredSize: number | null;
    readonly byobRequest: { readonly view: ArrayBufferView | null; respond(bytes: number): void } | null;
  };
  commitReadBuffer(buffer: {
    buffer?: Uint8Array;
    byob?: unknown;
    readBytes?: number;
    drained?: boolean;
    fin: boolean;
  }): { stopReading?: boolean } | undefined;
  onStreamWrite(event: { success: boolean }): void;
  onStreamNetworkFinish(event: { nettask: NetTask }): void;
  onStreamRecvSignal(event: { nettask: NetTask; code: number }): void;
}

type NetTask = "stopSending" | "resetStream" | "streamFinal";

/** What a stream asks of its session. */
export interface StreamHost {
  write(stream: number, bytes: Uint8Array, onTaken: () => void): void;
  finish(stream: number): void;
  reset(stream: number, code: number): void;
  stopSending(stream: number, code: number): void;
  setPaused(stream: number, paused: boolean): void;
  forget(stream: number): void;
}

export class NativeStream {
  /** Set by the core. */
  jsobj: CoreStream | undefined;
  readonly readbuffer = undefined;
  readonly #host: StreamHost;
  readonly #id: number;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #queued = 0;
  #isReading = false;
  #isPaused = false;
  #finCame = false;
  #readIsOver = false;
  #unacknowledged = 0;
  #writeWaits = false;
  #sendOpen: boolean;
  #receiveOpen: boolean;

  constructor(host: StreamHost, id: number, directions: { readonly receive: boolean; readonly send: boolean }) {
    this.#host = host;
    this.#id = id;
    this.#receiveOpen = directions.receive;
    this.#sendOpen = directions.send;
  }

  // Called by the core.

  startReading(): void {
    this.#isReading = true;
    this.#feed();
  }
  stopReading(): void {
    this.#isReading = false;
  }
  drainReads(): void {
    this.startReading();
  }
  stopSending(code: number): void {
    this.#dropReads();
    this.#host.stopSending(this.#id, code);
    this.#tellLater("stopSending");
    this.#forgetIfOver();
  }
  resetStream(code: number): void {
    this.#sendOpen = false;
    this.#host.reset(this.#id, code);
    this.#tellLater("resetStream");
    this.#forgetIfOver();
  }
  streamFinal(): void {
    this.#sendOpen = false;
    this.#host.finish(this.#id);
    this.#tellLater("streamFinal");
    this.#forgetIfOver();
  }
  updateSendOrderAndGroup(): void {}
  writeChunk(bytes: Uint8Array): void {
    this.#unacknowledged += bytes.byteLength;
    this.#host.write(this.#id, bytes, () => {
      this.#unacknowledged -= bytes.byteLength;
      if (!this.#writeWaits || this.#unacknowledged >= WRITE_WINDOW_BYTES) return;
      this.#writeWaits = false;
      this.jsobj?.onStreamWrite({ success: true });
    });
    if (this.#unacknowledged < WRITE_WINDOW_BYTES) this.jsobj?.onStreamWrite({ success: true });
    else this.#writeWaits = true;
  }

  // Called by the session.

  onData(data: Uint8Array<ArrayBuffer>): void {
    if (this.#readIsOver) return;
    this.#queue.push(data);
    this.#queued += data.byteLength;
    this.#feed();
    if (this.#isPaused || this.#queued < READ_HIGH_BYTES) return;
    this.#isPaused = true;
    this.#host.setPaused(this.#id, true);
  }
  onFin(): void {
    this.#finCame = true;
    this.#receiveOpen = false;
    this.#feed();
    this.#forgetIfOver();
  }
  onReset(code: number): void {
    this.#dropReads();
    this.jsobj?.onStreamRecvSignal({ nettask: "resetStream", code });
    this.#forgetIfOver();
  }
  onStopSending(code: number): void {
    this.#sendOpen = false;
    this.jsobj?.onStreamRecvSignal({ nettask: "stopSending", code });
    this.#forgetIfOver();
  }

  #feed(): void {
    const core = this.jsobj;
    if (core === undefined || this.#readIsOver) return;
    while (this.#isReading) {
      const data = this.#queue.shift();
      if (data === undefined) break;
      this.#isReading = this.#feedOne(core, data);
    }
    if (this.#isPaused && this.#queued < READ_HIGH_BYTES / 2) {
      this.#isPaused = false;
      this.#host.setPaused(this.#id, false);
    }
    if (this.#finCame && this.#queue.length === 0) this.#feedEnd(core);
  }

  /** Gives one slice to the core; false when it wants no more for now. */
  #feedOne(core: CoreStream, data: Uint8Array<ArrayBuffer>): boolean {
    const byob = core.readableController?.byobRequest;
    let answer: { stopReading?: boolean } | undefined;
    if (byob?.view) {
      const { buffer, byteOffset, byteLength } = byob.view;
      const view = new Uint8Array(buffer, byteOffset, byteLength);
      const bytes = Math.min(byteLength, data.byteLength);
      view.set(data.subarray(0, bytes));
      if (bytes < data.byteLength) this.#queue.unshift(data.subarray(bytes));
      this.#queued -= bytes;
      answer = core.commitReadBuffer({
        buffer: view,
        byob,
        readBytes: bytes,
        drained: this.#queue.length === 0,
        fin: false,
      });
    } else {
      this.#queued -= data.byteLength;
      answer = core.commitReadBuffer({ buffer: data, readBytes: data.byteLength, drained: true, fin: false });
    }
    return answer?.stopReading !== true && (core.readableController?.desiredSize ?? 0) > -CONTROLLER_HIGH_BYTES;
  }

  /** The end of the stream goes out as soon as nothing is queued, whether the core reads or not. */
  #feedEnd(core: CoreStream): void {
    this.#readIsOver = true;
    const byob = core.readableController?.byobRequest;
    core.commitReadBuffer({ fin: true });
    // A reader that brought its own buffer gets it back empty.
    byob?.respond(0);
  }

  #dropReads(): void {
    this.#readIsOver = true;
    this.#receiveOpen = false;
    this.#queue = [];
    this.#queued = 0;
  }

  #tellLater(nettask: NetTask): void {
    process.nextTick(() => this.jsobj?.onStreamNetworkFinish({ nettask }));
  }

  #forgetIfOver(): void {
    if (!this.#receiveOpen && !this.#sendOpen) this.#host.forget(this.#id);
  }
}
