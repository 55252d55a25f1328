/**
 * Serves the page, worker and service worker of the sink tests as the product is served: bundled, with the product's
 * security headers.
 *
 * @module
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { bundle } from "../support/bundle.ts";

const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; font-src 'self'; " +
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src 'none'; object-src 'none'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html app",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Origin-Agent-Cluster": "?1",
};

const SHELL = '<!doctype html><html lang="en"><title>Sinks</title><script type="module" src="/sink-page.js"></script>';

/** What the service worker finds in the place of the build's own list. */
const PRECACHED = JSON.stringify([
  { url: "/index.html", revision: "THE_VERSION" },
  { url: "/sink-page.js", revision: "THE_VERSION" },
]);

export interface SinkServer {
  readonly url: string;
  /** Addresses asked for that are not files of the app; none, when the service worker does its work. */
  readonly strays: readonly string[];
  close(): Promise<void>;
}

/** @param version changes the service worker's bytes when asked again, as a new release does */
export async function serveSinks(version: () => string = () => "1"): Promise<SinkServer> {
  const [page, worker, serviceWorker] = await Promise.all([
    bundle("tests/contract/sink-page.ts", "es"),
    bundle("tests/contract/sink-worker.ts", "es"),
    bundle("web/src/service-worker.ts", "iife", { "self.__WB_MANIFEST": PRECACHED }),
  ]);
  const strays: string[] = [];
  const answer = (path: string): readonly [type: string, body: string] | undefined => {
    if (path === "/sink-page.js") return ["text/javascript", page];
    if (path === "/sink-worker.js") return ["text/javascript", worker];
    if (path === "/service-worker.js") return ["text/javascript", serviceWorker.replaceAll("THE_VERSION", version())];
    if (path === "/" || path === "/index.html") return ["text/html", SHELL];
    return undefined;
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const found = answer(path);
    if (found === undefined && path !== "/favicon.ico") strays.push(path);
    response.writeHead(found === undefined ? 404 : 200, { ...HEADERS, "Content-Type": found?.[0] ?? "text/plain" });
    response.end(found?.[1]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://localhost:${address.port}`,
    strays,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
