/**
 * The worker's end of a streamed download: bytes go to the service worker over a message port, never more than it
 * granted, and whatever ends the download in the browser ends it here.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { FromPipe, ToPipe } from "../../core/ports/download-pipe.ts";
import { KIB, MIB } from "../../core/units.ts";
import { type StreamHead, type StreamTarget, TAKEN_BYTES } from "./stream-target.ts";

/** Small writes are gathered into messages of this size. */
const GATHER_BYTES = 256 * KIB;
/** Largest message; it must fit the service worker's first grant. */
const MAX_MESSAGE_BYTES = 4 * MIB;
/** From this length on a length is not announced: one browser never ends such a download. */
const UNSAFE_LENGTH = 2 ** 31;
/** How long the browser may take to ask for the download after it was clicked. */
const START_MS = 30_000;
/** Between two requests that keep the service worker from being stopped as idle, which browsers do after 30 s. */
const KEEP_ALIVE_MS = 10_000;
/** How long a service worker's last message may take after its lock was free. */
const LAST_WORDS_MS = 1_000;

export interface PipeOptions {
  /** A path below the service worker's scope that it answers itself; asked now and then so that it is not stopped as idle. */
  readonly keepAlivePath: string;
}

export class PipeTarget implements StreamTarget {
  readonly #port: MessagePort;
  readonly #started = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<void>();
  #credit = 0;
  #creditCame: (() => void) | undefined;
  #failure: Failure | undefined;
  #gathered = new Uint8Array(GATHER_BYTES);
  #gatheredBytes = 0;
  readonly #ended = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** takes the port. */
  constructor(port: MessagePort, { keepAlivePath }: PipeOptions) {
    this.#port = port;
    this.#started.promise.catch(() => undefined);
    this.#done.promise.catch(() => undefined);
    port.onmessage = (event: MessageEvent<FromPipe>) => this.#receive(event.data);
    // Messages on a port do not count as work for a service worker; requests do, and a worker's timers, unlike a hidden
    // page's, are not slowed down.
    this.#timer = setInterval(() => {
      void fetch(keepAlivePath, { cache: "no-store" }).catch(() => undefined);
    }, KEEP_ALIVE_MS);
  }

  async begin(head: StreamHead): Promise<void> {
    const alive = `download-worker/${crypto.randomUUID()}`;
    await holdLock(alive, this.#ended.promise);
    this.#post({
      type: "head",
      alive,
      filename: head.filename,
      length: head.length !== null && head.length < UNSAFE_LENGTH ? head.length : null,
    });
    const late = setTimeout(() => this.#end(new Failure("sink/failed", { reason: "download-not-started" })), START_MS);
    try {
      await this.#started.promise;
    } finally {
      clearTimeout(late);
    }
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (bytes.length < TAKEN_BYTES) return await this.#gather(bytes);
    await this.#sendGathered();
    if (bytes.length <= MAX_MESSAGE_BYTES) return await this.#send(ownBuffer(bytes));
    for (let from = 0; from < bytes.length; from += MAX_MESSAGE_BYTES) {
      await this.#send(bytes.slice(from, from + MAX_MESSAGE_BYTES));
    }
  }

  async end(): Promise<void> {
    await this.#sendGathered();
    if (this.#failure !== undefined) throw this.#failure;
    this.#post({ type: "end" });
    await this.#done.promise;
  }

  async fail(): Promise<void> {
    if (this.#failure === undefined) this.#post({ type: "fail" });
    this.#end(new Failure("cancelled"));
  }

  async #gather(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#gatheredBytes + bytes.length > GATHER_BYTES) await this.#sendGathered();
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  async #sendGathered(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const bytes = this.#gathered.slice(0, this.#gatheredBytes);
    this.#gatheredBytes = 0;
    await this.#send(bytes);
  }

  /** takes: `bytes` spans its buffer. */
  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    while (this.#credit < bytes.length && this.#failure === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#creditCame = resolve;
      await promise;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#credit -= bytes.length;
    this.#post({ type: "bytes", bytes }, [bytes.buffer]);
  }

  #receive(message: FromPipe): void {
    if (message.type === "started") {
      void this.#watch(message.alive);
      this.#started.resolve();
    } else if (message.type === "credit") {
      this.#credit += message.bytes;
      this.#creditCame?.();
    } else if (message.type === "done") {
      this.#done.resolve();
      this.#end(new Failure("sink/failed", { reason: "download-over" }));
    } else this.#end(new Failure("cancelled"));
  }

  /** The service worker holds the lock as long as the stream and itself live. */
  async #watch(alive: string): Promise<void> {
    await navigator.locks.request(alive, () => undefined);
    // A clean end says so on the port, which may be slower than the lock.
    await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
    this.#end(new Failure("sink/failed", { reason: "download-lost" }));
  }

  /** Once: releases everything and tells whoever waits. */
  #end(failure: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    clearInterval(this.#timer);
    this.#ended.resolve();
    this.#started.reject(failure);
    this.#done.reject(failure);
    this.#creditCame?.();
    this.#port.close();
  }

  #post(message: ToPipe, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** Resolves when the lock is held, which it is until `until` resolves or this thread dies. */
function holdLock(name: string, until: Promise<void>): Promise<void> {
  return new Promise((held, refused) => {
    const holding = navigator.locks.request(name, () => {
      held();
      return until;
    });
    holding.catch(refused);
  });
}

/** `bytes` itself when it spans its whole buffer, which may then be transferred; else a copy that does. */
function ownBuffer(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
}
