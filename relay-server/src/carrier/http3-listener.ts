/**
 * One WebTransport listener on one UDP port with one certificate: `@fails-components/webtransport`, on its own HTTP/3
 * transport where that is installed, else on the prebuilt addon. Where neither loads there is no listener, and a reason.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { LINK_ROUTE } from "../../../core/portal/portal.ts";
import type { Carrier } from "../link/carrier.ts";
import { network } from "../peer-address.ts";
import { type Addon, loadAddon } from "./native-addon.ts";
import { type CoreServer, type ListenOptions, NativeTransport } from "./native-transport.ts";
import { WebTransportCarrier, type WebTransportSession } from "./webtransport.ts";

export type { ListenOptions } from "./native-transport.ts";

export interface Http3Listener {
  readonly port: number;
  /** Open sessions. */
  readonly sessions: number;
  /** Ends all sessions and frees the port. */
  close(): Promise<void>;
}

/** What serves HTTP/3 on this machine. */
export interface Http3Engine {
  readonly name: string;
  /** @throws Error when the port is taken or the certificate is not readable */
  listen(options: ListenOptions, handler: ListenHandler): Promise<Http3Listener>;
}

export interface ListenHandler {
  onCarrier(carrier: Carrier): void;
  onBug(error: unknown): void;
}

/** The parts of the core's server that are used here; its own types ask for fields that no transport needs. */
interface Core extends CoreServer {
  readonly ready: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly port: number | null;
  transportInt: unknown;
  startServer(): void;
  stopServer(): void;
  setRequestCallback(callback: (request: { header: Record<string, string> }) => Promise<object>): void;
  sessionStream(path: string): ReadableStream<WebTransportSession & { ready: Promise<unknown>; peerAddress: string }>;
}
type CoreClass = new (options: object) => Core;

/** Finds what serves HTTP/3 here. @throws Error with a sentence for the operator */
export async function findHttp3Engine(): Promise<Http3Engine> {
  const core = await importQuietly();
  if (await hasOwnTransport())
    return { name: "http3-quiche", listen: (options, handler) => listenOwn(core, options, handler) };
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch (cause) {
    throw new Error(`no WebTransport binary for ${process.platform}-${process.arch}`, { cause });
  }
  return { name: "rwebtransport", listen: (options, handler) => listenAddon(core, addon, options, handler) };
}

interface CoreModule {
  readonly HttpServer: CoreClass;
  readonly Http3Server: CoreClass;
  /** Settles when the core knows whether its own transport is there. */
  readonly quicheLoaded: Promise<unknown>;
}

/** The core prints to the console when its own transport is missing, which is no fault; our log is JSON. */
async function importQuietly(): Promise<CoreModule> {
  const { log, error } = console;
  Object.assign(console, { log: () => undefined, error: () => undefined });
  try {
    // By its address: the package has types for Node and browsers only, and tests are compiled for neither.
    const core = (await import(import.meta.resolve("@fails-components/webtransport"))) as CoreModule;
    await core.quicheLoaded;
    // Its complaints come a few turns after the import failed.
    await new Promise((resolve) => setTimeout(resolve, 1));
    return core;
  } finally {
    Object.assign(console, { log, error });
  }
}

async function hasOwnTransport(): Promise<boolean> {
  const name = "@fails-components/webtransport-transport-http3-quiche";
  return import(name).then(
    () => true,
    () => false,
  );
}

async function listenOwn({ Http3Server }: CoreModule, options: ListenOptions, handler: ListenHandler) {
  const { host, port } = options;
  const cert = await readFile(options.certificatePath, "utf8");
  const privKey = await readFile(options.keyPath, "utf8");
  return serve(new Http3Server({ host, port, cert, privKey, secret: crypto.randomUUID() }), handler);
}

function listenAddon({ HttpServer }: CoreModule, addon: Addon, options: ListenOptions, handler: ListenHandler) {
  const server = new HttpServer({ ...options, secret: "", reliability: "unreliableOnly" });
  // The seam: the core asks for a transport only when it has none.
  server.transportInt = new NativeTransport(addon, server, options, handler.onBug);
  return serve(server, handler);
}

async function serve(server: Core, handler: ListenHandler): Promise<Http3Listener> {
  server.setRequestCallback(async ({ header }) => {
    const path = (header[":path"] ?? "").split("?")[0];
    return { status: path === LINK_ROUTE ? 200 : 404, path: LINK_ROUTE };
  });
  const incoming = server.sessionStream(LINK_ROUTE);
  let sessions = 0;
  server.startServer();
  await server.ready;
  const accept = async () => {
    for await (const session of incoming) {
      sessions++;
      const gone = () => sessions--;
      session.closed.then(gone, gone);
      const address = network(
        session.peerAddress.slice(0, session.peerAddress.lastIndexOf(":")).replace(/^\[|\]$/g, ""),
      );
      session.ready.then(
        () => handler.onCarrier(new WebTransportCarrier(session, address)),
        () => undefined,
      );
    }
  };
  accept().catch(handler.onBug);
  return {
    port: server.port ?? 0,
    get sessions() {
      return sessions;
    },
    async close() {
      server.stopServer();
      await server.closed;
    },
  };
}
