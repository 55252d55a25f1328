/**
 * Waiting until the service worker controls this page (first visit included), and keeping its update away from running
 * downloads.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { ToServiceWorker } from "../../../core/ports/download-pipe.ts";
import { appScriptUrl } from "../../../workers/script-url.ts";

const SCRIPT = "/service-worker.js";
/** How long a first installation may take before the page goes on without it. */
const CONTROL_MS = 15_000;
/** Held, shared, while a download runs; the service worker's update takes it alone. */
const DOWNLOADS_LOCK = "downloads";

let registering: Promise<ServiceWorkerRegistration> | undefined;

/** Registers the service worker, once here; elsewhere gives the same one. */
function registerServiceWorker(): Promise<ServiceWorkerRegistration> {
  registering ??= register();
  return registering;
}

async function register(): Promise<ServiceWorkerRegistration> {
  if (!("serviceWorker" in navigator)) throw new Failure("sink/unsupported", { reason: "no-service-worker" });
  try {
    return await navigator.serviceWorker.register(appScriptUrl(SCRIPT), { scope: "/", updateViaCache: "none" });
  } catch (error) {
    registering = undefined;
    throw new Failure("sink/unsupported", { reason: "service-worker-refused" }, { cause: error });
  }
}

/** The service worker that controls this page. @throws Failure `sink/unsupported` */
export async function controllingServiceWorker(): Promise<ServiceWorker> {
  const registration = await registerServiceWorker();
  const { serviceWorker } = navigator;
  if (serviceWorker.controller === null) {
    // A page loaded with shift-reload is not controlled, though the service worker is active: it claims on request too.
    registration.active?.postMessage({ type: "claim" } satisfies ToServiceWorker);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(
      () => reject(new Failure("sink/unsupported", { reason: "service-worker-slow" })),
      CONTROL_MS,
    );
    const controlled = (): void => resolve();
    serviceWorker.addEventListener("controllerchange", controlled);
    try {
      await promise;
    } finally {
      clearTimeout(late);
      serviceWorker.removeEventListener("controllerchange", controlled);
    }
  }
  if (serviceWorker.controller === null) throw new Failure("sink/unsupported", { reason: "service-worker-slow" });
  return serviceWorker.controller;
}

/** Keeps updates from taking over until `over` settles. */
export function holdDuringDownload(over: Promise<void>): void {
  void navigator.locks.request(DOWNLOADS_LOCK, { mode: "shared" }, () => over);
}
