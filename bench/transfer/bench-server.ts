/**
 * The bench's own server: serves the bench page with the headers of the product, gives data to the browsers, and hands
 * them orders, which they fetch one by one.
 *
 * @module
 */
import { once } from "node:events";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type AnswerOf,
  type ArgumentsOf,
  type ClientName,
  type CommandName,
  type Order,
  type Report,
  ROUTES,
} from "./commands.ts";

/** The product's headers; `connect-src` is wider, because relay and tus stand on ports of their own. */
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self' http://localhost:* ws://localhost:* https://127.0.0.1:*; worker-src 'self'; base-uri 'none'; " +
    "require-trusted-types-for 'script'; trusted-types app",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
const SHELL = '<!doctype html><html lang="en"><title>Bench</title><script type="module" src="/page.js"></script>';
const TYPES: Readonly<Record<string, string>> = { js: "text/javascript", wasm: "application/wasm", css: "text/css" };

interface Running {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent: (name: string, value: unknown) => void;
}

/** How long something may take with `bytes` bytes before it counts as hung: a minute, and 2 MB/s. */
export function limitFor(bytes: number): number {
  return 60_000 + bytes / 2000;
}

/** What runs an order in a page; events come while it runs. */
export interface RunningOrder<N extends CommandName> {
  readonly answer: Promise<AnswerOf<N>>;
  /** The value of the first event of this name. */
  event(name: string): Promise<unknown>;
}

export class BenchServer {
  readonly #pagesFolder: string;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #waiting = new Map<string, ServerResponse>();
  readonly #orders = new Map<string, Order[]>();
  readonly #running = new Map<number, Running>();
  readonly #data = new Map<string, string>();
  #nextId = 1;
  #url = "";

  /** @param pagesFolder built bench pages */
  constructor(pagesFolder: string) {
    this.#pagesFolder = pagesFolder;
  }

  get url(): string {
    return this.#url;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    this.#url = `http://localhost:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  pageUrl(client: ClientName): string {
    return `${this.#url}/?client=${client}`;
  }

  /** Offers a file under an address that pages may load. */
  offer(name: string, path: string): string {
    this.#data.set(name, path);
    return `${this.#url}${ROUTES.data}${name}`;
  }

  /** Gives an order to a page. It is refused with what the page threw, or after `limitMs`. */
  order<N extends CommandName>(client: ClientName, name: N, args: ArgumentsOf<N>, limitMs = 120_000): RunningOrder<N> {
    const id = this.#nextId++;
    const events = new Map<string, PromiseWithResolvers<unknown>>();
    const eventOf = (event: string): PromiseWithResolvers<unknown> => {
      const known = events.get(event) ?? Promise.withResolvers<unknown>();
      events.set(event, known);
      return known;
    };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error(`${client}: ${name} gave no answer in ${limitMs} ms`)), limitMs);
    const onEvent = (event: string, value: unknown) => eventOf(event).resolve(value);
    this.#running.set(id, { resolve, reject, onEvent });
    promise
      .catch((error: unknown) => {
        for (const event of events.values()) event.reject(error);
      })
      .finally(() => {
        clearTimeout(timer);
        this.#running.delete(id);
      });
    const queue = this.#orders.get(client) ?? [];
    this.#orders.set(client, queue);
    queue.push({ id, name, arguments: args });
    this.#deliver(client);
    return {
      answer: promise as Promise<AnswerOf<N>>,
      event: (event) => Promise.race([eventOf(event).promise, promise.then(() => eventOf(event).promise)]),
    };
  }

  #deliver(client: string): void {
    const response = this.#waiting.get(client);
    const order = response && this.#orders.get(client)?.shift();
    if (!response || !order) return;
    this.#waiting.delete(client);
    response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(order));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.#url);
    if (url.pathname === ROUTES.next) {
      const client = url.searchParams.get("client") ?? "";
      this.#waiting.set(client, response);
      this.#deliver(client);
    } else if (url.pathname === ROUTES.report) {
      this.#onReport(JSON.parse(await text(request)) as Report);
      response.writeHead(204).end();
    } else if (url.pathname.startsWith(ROUTES.data)) {
      this.#sendFile(response, this.#data.get(url.pathname.slice(ROUTES.data.length)), "application/octet-stream");
    } else if (url.pathname === "/" || url.pathname === "/blank") {
      response.writeHead(200, { ...HEADERS, "Content-Type": "text/html" }).end(url.pathname === "/" ? SHELL : "");
    } else {
      this.#sendPage(response, url.pathname);
    }
  }

  #onReport(report: Report): void {
    const running = this.#running.get(report.id);
    if (report.type === "event") running?.onEvent(report.name, report.value);
    else if (report.type === "answer") running?.resolve(report.value);
    else running?.reject(new Error(report.message));
  }

  #sendPage(response: ServerResponse, path: string): void {
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
    try {
      if (type === undefined || path.includes("..")) throw new Error("no page");
      const body = readFileSync(join(this.#pagesFolder, path));
      response.writeHead(200, { ...HEADERS, "Content-Type": type }).end(body);
    } catch {
      response.writeHead(404, HEADERS).end();
    }
  }

  #sendFile(response: ServerResponse, path: string | undefined, type: string): void {
    if (path === undefined) {
      response.writeHead(404, HEADERS).end();
      return;
    }
    response.writeHead(200, { ...HEADERS, "Content-Type": type, "Content-Length": statSync(path).size });
    createReadStream(path, { highWaterMark: 1 << 20 }).pipe(response);
  }
}
