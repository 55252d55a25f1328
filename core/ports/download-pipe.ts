/**
 * What the transfer worker and the service worker say to each other over a download's message port. Types only: the
 * service worker is a dumb pipe and the worker decides what flows. The service worker grants bytes; the worker never
 * has more than the granted bytes on the way.
 *
 * @module
 */

/** From the worker to the service worker. `head` first, then `bytes`, then `end` or `fail`. */
export type ToPipe =
  /**
   * What the browser's download is called, and its exact length in bytes where that is known and safe to announce.
   * `alive` names a lock that the worker holds: whoever gets it knows that the worker has died.
   */
  | { readonly type: "head"; readonly filename: string; readonly length: number | null; readonly alive: string }
  /** Transferred; never empty. */
  | { readonly type: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Everything was sent and verified: only now may the download complete. */
  | { readonly type: "end" }
  /** The download must be marked as failed. */
  | { readonly type: "fail" };

/** From the service worker to the worker. */
export type FromPipe =
  /** The browser asked for the download; nothing flows before. `alive` names a lock that the service worker holds. */
  | { readonly type: "started"; readonly alive: string }
  /** The worker may send this many bytes more. */
  | { readonly type: "credit"; readonly bytes: number }
  /** The browser has taken every byte and the stream is closed. */
  | { readonly type: "done" }
  /** The user, or the browser, ended the download. */
  | { readonly type: "cancelled" };

/** From the page to the service worker, on the service worker's own message event. */
export type ToServiceWorker =
  /** Ports: `[pipe, control]`. Answers `registered` on `control`, and `over` when the stream has ended. */
  | { readonly type: "download"; readonly path: string }
  /** Counts as an event, so that a browser does not stop the service worker as idle. */
  | { readonly type: "keep-alive" }
  /** A page that is not controlled asks to be. */
  | { readonly type: "claim" }
  /** The user agreed to the update: a waiting service worker takes over when no download runs. */
  | { readonly type: "update" };

/** From the service worker to the page, on the control port of one download. */
export type DownloadControl = { readonly type: "registered" } | { readonly type: "over" };
