/**
 * Starting a streamed download: the service worker gets one end of a channel, the browser a one-time address, and the
 * transfer worker the other end.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { DownloadControl, ToServiceWorker } from "../../../core/ports/download-pipe.ts";
import { controllingServiceWorker, holdDuringDownload } from "./service-worker-client.ts";

const KEEP_ALIVE_MS = 10_000;
const REGISTER_MS = 5_000;
/** How long after a click the browser may ask whether the page may be left. */
const QUESTION_MS = 1_000;

/**
 * Starts a download in the browser's own list and gives the port for `createDownloadSink`, which names it and decides
 * its length. Call it from a click, when the receive is about to begin: the browser waits for the sink's `begin`.
 * @throws Failure `sink/unsupported` where there is no service worker; use the sink in memory or another one then
 */
export async function startDownload(): Promise<MessagePort> {
  const serviceWorker = await controllingServiceWorker();
  const pipe = new MessageChannel();
  const control = new MessageChannel();
  const path = `/download/${crypto.randomUUID()}`;
  const { over } = await register(serviceWorker, path, pipe.port2, control);
  keepAlive(serviceWorker, over);
  holdDuringDownload(over);
  follow(path);
  return pipe.port1;
}

/** Resolves when the service worker has the stream; `over` resolves when the stream has ended. */
async function register(
  serviceWorker: ServiceWorker,
  path: string,
  pipe: MessagePort,
  control: MessageChannel,
): Promise<{ readonly over: Promise<void> }> {
  const registered = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  control.port1.onmessage = (event: MessageEvent<DownloadControl>) => {
    if (event.data.type === "registered") return registered.resolve();
    control.port1.close();
    over.resolve();
  };
  // Where ports tell, a service worker that died ends the wait too.
  control.port1.addEventListener("close", () => over.resolve());
  const late = setTimeout(
    () => registered.reject(new Failure("sink/unsupported", { reason: "service-worker-silent" })),
    REGISTER_MS,
  );
  serviceWorker.postMessage({ type: "download", path } satisfies ToServiceWorker, [pipe, control.port2]);
  try {
    await registered.promise;
  } finally {
    clearTimeout(late);
  }
  return { over: over.promise };
}

/** Events keep a service worker from being stopped as idle in mid-download; the worker's own pings are no events. */
function keepAlive(serviceWorker: ServiceWorker, over: Promise<void>): void {
  const timer = setInterval(
    () => serviceWorker.postMessage({ type: "keep-alive" } satisfies ToServiceWorker),
    KEEP_ALIVE_MS,
  );
  void over.finally(() => clearInterval(timer));
}

/** True while a click of ours makes the browser ask whether the page may be left. */
let starting = false;

// Registered as this module loads, and so before any guard of a running transfer: listeners are called in that order.
addEventListener("beforeunload", (event) => {
  if (starting) event.stopImmediatePropagation();
});

/**
 * Clicks a plain link. Not one with `download`: Chromium fetches those without the service worker. Not a hidden frame:
 * Firefox cuts such downloads off. The answer is an attachment, so this page stays, though its listeners are asked
 * whether it may be left; that question is kept from them, since they would put it to the user.
 */
function follow(path: string): void {
  const link = document.createElement("a");
  link.href = path;
  starting = true;
  document.body.append(link);
  link.click();
  link.remove();
  // The question is asked in a later task.
  setTimeout(() => {
    starting = false;
  }, QUESTION_MS);
}
