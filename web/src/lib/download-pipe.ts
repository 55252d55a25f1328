/**
 * The service worker's end of one streamed download: a dumb pipe from a message port to the browser. It grants bytes,
 * hands them on one buffer per pull, and turns every unclean end into a failed download.
 *
 * @module
 */
import type { DownloadControl, FromPipe, ToPipe } from "../../../core/ports/download-pipe.ts";
import { MIB } from "../../../core/units.ts";

/** Bytes that may be on the way between the worker and the browser, and so the memory of one download here. */
const WINDOW_BYTES = 8 * MIB;
type Head = Extract<ToPipe, { readonly type: "head" }>;

export class DownloadPipe {
  readonly #port: MessagePort;
  readonly #control: MessagePort;
  readonly #head = Promise.withResolvers<Head | undefined>();
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #ended = false;
  #over = false;
  #arrived: (() => void) | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  readonly #finished = Promise.withResolvers<void>();

  /** takes both ports. */
  constructor(port: MessagePort, control: MessagePort) {
    this.#port = port;
    this.#control = control;
    port.onmessage = (event: MessageEvent<ToPipe>) => this.#receive(event.data);
    this.#tell({ type: "registered" });
  }

  /** The browser asked. Resolves when the worker said what it is; once only. */
  async respond(): Promise<Response> {
    const alive = `download-pipe/${crypto.randomUUID()}`;
    await holdLock(alive, this.#finished.promise);
    this.#post({ type: "started", alive });
    this.#post({ type: "credit", bytes: WINDOW_BYTES });
    const head = await this.#head.promise;
    // An error page would replace the app: no content leaves it where it is.
    if (head === undefined) return new Response(null, { status: 204 });
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => {
        this.#post({ type: "cancelled" });
        this.#finish();
      },
    });
    return new Response(stream, { headers: downloadHeaders(head.filename, head.length) });
  }

  /** One buffer per pull: more of them make one browser lose count and stall. */
  async #pull(): Promise<void> {
    while (this.#queue.length === 0 && !this.#ended && !this.#over) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#arrived = resolve;
      await promise;
    }
    const bytes = this.#queue.shift();
    if (this.#over) return;
    if (bytes !== undefined) {
      this.#controller?.enqueue(bytes);
      this.#post({ type: "credit", bytes: bytes.length });
      return;
    }
    this.#controller?.close();
    this.#post({ type: "done" });
    this.#finish();
  }

  #receive(message: ToPipe): void {
    if (message.type === "head") {
      this.#head.resolve(message);
      void this.#watch(message.alive);
    } else if (message.type === "bytes") this.#queue.push(message.bytes);
    else if (message.type === "end") this.#ended = true;
    else this.#fail();
    this.#arrived?.();
  }

  /** The worker holds the lock as long as it lives: a dead one can finish nothing. */
  async #watch(alive: string): Promise<void> {
    await navigator.locks.request(alive, () => undefined);
    this.#fail();
  }

  #fail(): void {
    if (this.#over) return;
    this.#controller?.error(new Error("the transfer ended early"));
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#finished.resolve();
    this.#queue.length = 0;
    this.#head.resolve(undefined);
    this.#arrived?.();
    this.#tell({ type: "over" });
    this.#port.close();
    this.#control.close();
  }

  #post(message: FromPipe): void {
    this.#port.postMessage(message);
  }

  #tell(message: DownloadControl): void {
    this.#control.postMessage(message);
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

/** Headers that make any bytes an inert file called `filename`. */
export function downloadHeaders(filename: string, length: number | null): Headers {
  const headers = new Headers({
    "Content-Type": "application/octet-stream",
    "Content-Disposition": contentDisposition(filename),
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-store",
  });
  if (length !== null) headers.set("Content-Length", String(length));
  return headers;
}

/** An attachment with its name in ASCII, and in UTF-8 as RFC 5987 writes it. */
export function contentDisposition(filename: string): string {
  const name = filename.toWellFormed();
  const ascii = name.replace(/[^ !#$&+\-.0-9A-Z^_`a-z{}~()@,;=[\]]/g, "_");
  const utf8 = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}
