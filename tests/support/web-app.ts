/**
 * The web app, built as it is shipped but with scripted workers in place of its own, and served with the product's
 * security headers.
 *
 * @module
 */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { build, type Plugin } from "vite";
import { appPolicy, commonHeaders } from "../../relay-server/src/http/headers.ts";
import { ROOT } from "../../scripts/lib/process.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

const RELAY_INFO = {
  version: 1,
  name: "test",
  webtransport: null,
  webtransportReason: "test",
  limits: { maxPortalBytes: 100e9, maxExpirySeconds: 30 * 86_400, defaultExpirySeconds: 7 * 86_400 },
  creation: { invite: false, workBits: 0 },
  relays: { origins: [], mode: "striped" },
};

export interface WebApp extends AsyncDisposable {
  readonly url: string;
  /** The folder that holds the built files. */
  readonly folder: string;
  /** Path and query of every request so far. */
  readonly requests: readonly string[];
  /** From now on the service worker is another one, as after a new release. */
  release(): void;
  /** Whether the relay asks for an invitation from now on. */
  askInvite(invite: boolean): void;
}

const scriptedClients: Plugin = {
  name: "scripted-clients",
  enforce: "pre",
  resolveId: (source) => {
    const worker = /workers\/(transfer|lane|portals)\/client\.ts$/.exec(source)?.[1];
    return worker === undefined ? null : join(ROOT, `tests/support/scripted-${worker}.ts`);
  },
};

/** Builds into a temporary folder and serves it on a free port. Disposing stops the server and removes the folder. */
export async function serveWebApp(): Promise<WebApp> {
  const folder = await mkdtemp(join(tmpdir(), "warp-web-"));
  await build({
    configFile: join(ROOT, "vite.config.ts"),
    root: join(ROOT, "web"),
    logLevel: "warn",
    plugins: [scriptedClients],
    build: { outDir: folder, emptyOutDir: true },
  });
  const requests: string[] = [];
  let releases = 0;
  let info = RELAY_INFO;
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
    requests.push(pathname + search);
    const isPage = ["/", "/transfers", "/dashboard"].includes(pathname) || pathname.startsWith("/p/");
    const path = isPage ? "/index.html" : normalize(pathname);
    const body =
      path === "/api/v1/relay" ? JSON.stringify(info) : await readFile(join(folder, path)).catch(() => undefined);
    response.writeHead(body === undefined ? 404 : 200, {
      ...commonHeaders(false),
      "Content-Security-Policy": appPolicy(
        { scheme: "http:", name: "localhost", host: request.headers.host ?? "" },
        "127.0.0.1",
        [],
      ),
      "Content-Type": path === "/api/v1/relay" ? "application/json" : (TYPES[extname(path)] ?? "text/plain"),
    });
    response.end(path === "/service-worker.js" ? `${body}\n// ${releases}` : body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://localhost:${address.port}`,
    folder,
    requests,
    release: () => {
      releases += 1;
    },
    askInvite: (invite) => {
      info = { ...RELAY_INFO, creation: { invite, workBits: 0 } };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
