/**
 * Proxies as they stand between people and relays: with limits, with habits, with login pages. Plain HTTP in one process,
 * in front of a real relay.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** What a proxy does to what passes; may be changed while it runs. */
export interface ProxyHabits {
  /** Larger bodies are answered with 413. */
  maxBodyBytes?: number;
  /** Bodies and answers are handed on only when they are whole. */
  isBuffering?: boolean;
  /** Answers that take longer are cut. */
  maxAnswerMs?: number;
  /** Wishes for a WebSocket pass, get an answer that is none, or get none at all. */
  webSockets?: "refused" | "swallowed";
  /** Answers everything in the relay's place. */
  instead?: (response: ServerResponse) => void;
}

/** A proxy that runs, and what it saw. */
export interface RunningProxy extends AsyncDisposable {
  /** `http://localhost:PORT` */
  readonly url: string;
  readonly habits: ProxyHabits;
  /** Largest body of a request. */
  largestBodyBytes: number;
  /** Answers that were cut. */
  cuts: number;
  /** Requests that something else than the relay answered. */
  foreignAnswers: number;
  webSocketWishes: number;
  /** Requests for objects that passed. */
  objectRequests: number;
}

/** Starts a proxy in front of `relayUrl`. */
export async function startProxy(relayUrl: string, habits: ProxyHabits): Promise<RunningProxy> {
  const upstream = new URL(relayUrl);
  const sockets = new Set<Duplex>();
  const server = createServer((incoming, response) => void pass(incoming, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (_incoming, socket) => {
    proxy.webSocketWishes += 1;
    socket.on("error", () => {});
    if (habits.webSockets !== "swallowed") socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const proxy: RunningProxy = {
    url: `http://localhost:${typeof address === "object" && address !== null ? address.port : 0}`,
    habits,
    largestBodyBytes: 0,
    cuts: 0,
    foreignAnswers: 0,
    webSocketWishes: 0,
    objectRequests: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    incoming.on("error", () => response.destroy());
    if (habits.instead !== undefined) {
      proxy.foreignAnswers += 1;
      incoming.resume();
      habits.instead(response);
      return;
    }
    const length = Number(incoming.headers["content-length"] ?? 0);
    proxy.largestBodyBytes = Math.max(proxy.largestBodyBytes, length);
    if (/\/(packs|pages)\//.test(incoming.url ?? "")) proxy.objectRequests += 1;
    if (length > (habits.maxBodyBytes ?? Number.POSITIVE_INFINITY)) {
      incoming.resume();
      response.writeHead(413).end("<html>Request Entity Too Large</html>");
      return;
    }
    const body = habits.isBuffering ? await whole(incoming) : undefined;
    const { hostname, port } = upstream;
    const { method, url: path, headers } = incoming;
    const outgoing = request({ hostname, port, method, path, headers }, (answer) => void answerWith(answer, response));
    const timer = setTimeout(
      () => {
        proxy.cuts += 1;
        outgoing.destroy();
        response.destroy();
      },
      habits.maxAnswerMs ?? 2 ** 30,
    );
    response.on("close", () => {
      clearTimeout(timer);
      outgoing.destroy();
    });
    outgoing.on("error", () => response.destroy());
    if (body === undefined) incoming.pipe(outgoing);
    else outgoing.end(body);
  }

  async function answerWith(answer: IncomingMessage, response: ServerResponse): Promise<void> {
    answer.on("error", () => response.destroy());
    if (habits.isBuffering) {
      const body = await whole(answer);
      response.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
    } else {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }
  }
  return proxy;
}

async function whole(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  try {
    for await (const part of stream) parts.push(part);
  } catch {
    // cut: the other side meets it
  }
  return Buffer.concat(parts);
}
