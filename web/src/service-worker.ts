/**
 * The service worker: the app's shell without a network, and a dumb pipe for downloads. It stores the app's own files
 * at installation and nothing else: no request of a page is ever stored or passed on, so that no link's fragment is.
 *
 * @module
 */
/// <reference lib="webworker" />
import { PrecacheController } from "workbox-precaching/PrecacheController.js";
import type { ToServiceWorker } from "../../core/ports/download-pipe.ts";
import { DownloadPipe } from "./lib/download-pipe.ts";

declare const self: ServiceWorkerGlobalScope;

const SHELL = "/index.html";
/** Addresses that the shell answers; everything else is the relay's. */
const SHELL_PATHS = /^\/(?:p\/[^/]*|transfers|dashboard)?$/;
const DOWNLOAD_PREFIX = "/download/";
const KEEP_ALIVE = "/download/keep-alive";
const PROBE = "/download/probe";
/** Held, shared, by every page with a running download. */
const DOWNLOADS_LOCK = "downloads";
/** How long a registered download waits for its click. */
const UNASKED_MS = 60_000;

interface Registered {
  readonly pipe: DownloadPipe;
  readonly clientId: string;
}

const precache = new PrecacheController();
precache.addToCacheList(self.__WB_MANIFEST);
const downloads = new Map<string, Registered>();

self.addEventListener("install", (event) => void precache.install(event));
self.addEventListener("activate", (event) => {
  void precache.activate(event);
  event.waitUntil(self.clients.claim());
});

self.addEventListener("message", (event) => {
  const message = event.data as ToServiceWorker;
  if (message.type === "update") event.waitUntil(takeOver());
  else if (message.type === "claim") event.waitUntil(self.clients.claim());
  else if (message.type === "download") register(message.path, event);
});

/** Ends the old version's life, and so every stream in it: waits until no page holds the lock of a running download. */
async function takeOver(): Promise<void> {
  await navigator.locks.request(DOWNLOADS_LOCK, () => self.skipWaiting());
}

function register(path: string, event: ExtendableMessageEvent): void {
  const [port, control] = event.ports;
  if (port === undefined || control === undefined || !(event.source instanceof Client)) return;
  downloads.set(path, { pipe: new DownloadPipe(port, control), clientId: event.source.id });
  setTimeout(() => downloads.delete(path), UNASKED_MS);
}

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (origin !== self.location.origin || method !== "GET") return;
  if (pathname.startsWith(DOWNLOAD_PREFIX)) event.respondWith(download(pathname, event.clientId));
  else if (mode === "navigate") {
    if (SHELL_PATHS.test(pathname)) event.respondWith(precached(SHELL, event.request));
  } else if (precache.getCacheKeyForURL(url) !== undefined) event.respondWith(precached(url, event.request));
});

/** The app's own file, from the cache that installation filled; from the network where the browser dropped it. */
async function precached(url: string, request: Request): Promise<Response> {
  return (await precache.matchPrecache(url)) ?? (await fetch(request));
}

/** A registered stream, for the page that registered it and once; anything else leaves the asking page where it is. */
async function download(path: string, clientId: string): Promise<Response> {
  const found = downloads.get(path);
  if (found !== undefined && (clientId === "" || clientId === found.clientId)) {
    downloads.delete(path);
    return await found.pipe.respond();
  }
  if (path === PROBE) return new Response(probeStream());
  return new Response(null, { status: path === KEEP_ALIVE ? 200 : 204 });
}

/** Two buffers, the second after the first was taken: a page that reads both knows that streams pass. */
function probeStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const words = ["warp ", "portal"];
  return new ReadableStream({
    pull(controller) {
      const word = words.shift();
      if (word === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(word));
    },
  });
}
