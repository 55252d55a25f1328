/**
 * One relay: store, portals, links, HTTP and WebTransport put together, started and stopped in order.
 *
 * @module
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { LINK_ROUTE } from "../../core/portal/portal.ts";
import { MIB } from "../../core/units.ts";
import { ByteBudget } from "./byte-budget.ts";
import { WebSocketDoor } from "./carrier/websocket.ts";
import { type RawClocks, SlewedDate } from "./clock.ts";
import type { Config } from "./config.ts";
import { limitConnections } from "./connection-limit.ts";
import { collectAfter } from "./early-collector.ts";
import { FIXED_LIMITS, Guard, type GuardLimits } from "./guard/guard.ts";
import { createApp } from "./http/app.ts";
import { Presence } from "./http/presence.ts";
import { StaticFiles } from "./http/static-files.ts";
import { Links } from "./link/links.ts";
import { SlabPool } from "./link/slab-pool.ts";
import { Logger } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { peerAddress } from "./peer-address.ts";
import { Portals } from "./portal/portals.ts";
import { Scrubber, type ScrubPass } from "./portal/scrubber.ts";
import type { FileCalls } from "./store/file-calls.ts";
import type { StoreTrouble } from "./store/health.ts";
import { openSqliteStore } from "./store/sqlite-store.ts";
import {
  DEFAULT_RENEWAL,
  type DoorOptions,
  openWebTransportDoor,
  type WebTransportDoor,
} from "./tls/webtransport-door.ts";
import { Vaults } from "./vault/vaults.ts";

/** Upload bytes between network and disk, over all links. */
export const UPLOAD_BUDGET_BYTES = 64 * MIB;
/** Download bytes between disk and network that are held in full slabs. */
export const DOWNLOAD_SLABS_BYTES = 16 * MIB;
/** Traffic after which spent network buffers are collected. */
const GARBAGE_BYTES = 16 * MIB;
const SWEEP_MS = 30_000;
const HEADERS_MS = 8_000;
const REQUEST_MS = 120_000;
const CONNECTIONS_CHECK_MS = 2_000;
/** A connection on which nothing moves in either direction is closed; links look after themselves. */
const STALL_MS = 5 * 60_000;
/** TCP connections from one address for each link that it may have. */
const CONNECTIONS_PER_LINK = 4;
/** How long links have to go when the relay stops. */
const GOODBYE_MS = 2_000;
const WEB_FOLDER = fileURLToPath(new URL("../../dist/web", import.meta.url));

/** What tests replace. */
export interface RelayParts {
  readonly log?: Logger;
  readonly webFolder?: string;
  readonly files?: FileCalls;
  readonly clocks?: RawClocks;
  readonly limits?: Partial<GuardLimits>;
  readonly door?: Partial<Pick<DoorOptions, "renewal" | "findEngine">>;
}

export interface Relay {
  /** `http://localhost:PORT`, or the public address. */
  readonly url: string;
  readonly port: number;
  /** Tells everybody, finishes what is being stored, frees ports and store. */
  stop(): Promise<void>;
  /** Checks every stored object once, now. */
  scrub(): Promise<ScrubPass>;
}

/** Starts a relay; resolves when it serves. @throws Failure `relay/…` from the store, Error from listening */
export async function startRelay(config: Config, parts: RelayParts = {}): Promise<Relay> {
  const log = parts.log ?? new Logger(config.logLevel);
  const metrics = new Metrics(collectAfter(GARBAGE_BYTES));
  const store = await openSqliteStore({
    ...config,
    ...(parts.files && { files: parts.files }),
    onStoreFailure: (trouble) => metrics.storeFailed(trouble),
    onStoreHealth: (trouble) => logHealth(log, trouble),
    onDamaged: (portal, kind) => {
      metrics.damaged();
      log.error("object-damaged", { portal, code: "object/corrupt", reason: `a stored ${kind}` });
    },
  });
  const budget = new ByteBudget(UPLOAD_BUDGET_BYTES);
  const date = new SlewedDate(parts.clocks);
  const { maxCreatesPerHour: createsPerHour, maxBytesPerDay: bytesPerDay } = config;
  const guard = new Guard({ createsPerHour, bytesPerDay, ...FIXED_LIMITS, ...parts.limits }, (what, address) => {
    metrics.limited(what);
    log.debug("limited", { address, code: "relay/busy", reason: what });
  });
  const portals = new Portals({ store, budget }, date);
  const vaults = new Vaults(store.vaults, guard, date);
  const scrubber = new Scrubber({
    store,
    portals,
    periodMs: config.scrubPeriodSeconds * 1000,
    onChecked: (result) => metrics.scrubbed(result),
    onPass: ({ damaged }) => {
      metrics.scrubPassed();
      log.info("scrubbed", { code: damaged === 0 ? "ok" : "object/corrupt" });
    },
    onBug: (error) => log.bug("scrub", error),
  });
  const services = { portals, guard, slabs: new SlabPool(DOWNLOAD_SLABS_BYTES), metrics, log };
  const links = new Links(services, { max: config.maxLinks, maxPerAddress: config.maxLinksPerAddress });
  const presence = new Presence();
  // A disk that fails now is no reason not to serve what is there.
  await portals.start().catch((error: unknown) => log.bug("sweep", error));
  const stopping = new AbortController();
  let door: WebTransportDoor | undefined;
  const app = createApp({
    config,
    portals,
    vaults,
    guard,
    store,
    metrics,
    log,
    presence,
    files: await StaticFiles.list(parts.webFolder ?? WEB_FOLDER),
    webtransport: () => ({
      state: door?.state ?? null,
      reason: door === undefined ? "WebTransport is starting." : door.reason,
    }),
    uploadBufferBytes: () => budget.used,
    stopping: stopping.signal,
  });
  const server = await makeServer(config, getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  const maxPerAddress = config.maxLinksPerAddress * CONNECTIONS_PER_LINK;
  limitConnections(server, { maxPerAddress, exempt: config.trustedProxies });
  upgradeLinks(server, config, links);
  const port = await listen(server, config).catch(async (error: unknown) => {
    await links.stop(0);
    await store.close();
    throw error;
  });

  door = await openWebTransportDoor({
    host: config.host,
    port,
    dataDir: config.dataDir,
    own: config.tls,
    renewal: DEFAULT_RENEWAL,
    log,
    handler: {
      onCarrier: (carrier) => links.accept(carrier),
      onBug: (error) => log.bug("webtransport", error),
    },
    ...parts.door,
  });
  const sweep = () => {
    for (const swept of [portals.sweep(), vaults.sweep(), store.invites.forget(date.now())])
      swept.catch((error: unknown) => log.bug("sweep", error));
  };
  const sweeper = setInterval(sweep, SWEEP_MS);
  scrubber.start();

  return {
    url: config.publicUrl?.origin ?? `${config.tls ? "https" : "http"}://localhost:${port}`,
    port,
    async stop() {
      stopping.abort();
      clearInterval(sweeper);
      const scrubbed = scrubber.stop();
      server.close();
      await links.stop(GOODBYE_MS);
      presence.close();
      await door.close();
      server.closeAllConnections();
      await scrubbed;
      await store.close();
    },
    scrub: () => scrubber.pass(),
  };
}

function logHealth(log: Logger, trouble: StoreTrouble | undefined): void {
  if (trouble === undefined) log.info("store-works");
  else if (trouble === "relay/full") log.warn("store-full", { code: trouble });
  else log.error("store-fails", { code: trouble });
}

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

async function makeServer(config: Config, listener: Listener): Promise<Server> {
  const options = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
  };
  const withTimeout = <T extends Server>(server: T): T => server.setTimeout(STALL_MS);
  // Whatever the listener throws has been answered; the promise itself must not end the process.
  const serve = (...args: Parameters<Listener>) => void listener(...args).catch(() => args[1].destroy());
  if (config.tls === null) return withTimeout(createServer(options, serve));
  const cert = await readFile(config.tls.certificatePath);
  const key = await readFile(config.tls.keyPath);
  return withTimeout(createTlsServer({ ...options, cert, key }, serve));
}

async function listen(server: Server, config: Config): Promise<number> {
  server.listen(config.port, config.host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function upgradeLinks(server: Server, config: Config, links: Links): void {
  const webSockets = new WebSocketDoor();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (request.url?.split("?")[0] !== LINK_ROUTE) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    const address = peerAddress(request, config.trustedProxies);
    webSockets.accept(request, socket, head, address, (carrier) => links.accept(carrier));
  });
}
