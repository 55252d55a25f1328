/**
 * A sink into the browser's own download list, through the service worker.
 *
 * @module
 */
import type { Sink } from "../../core/ports/sink.ts";
import { type PipeOptions, PipeTarget } from "./pipe-target.ts";
import { createStreamSink } from "./stream-sink.ts";

/** Answered by the service worker, below its scope. */
const KEEP_ALIVE_PATH = "/download/keep-alive";

/**
 * A sink over the port that the page's `startDownload` gave: one file as itself, several as a zip archive. The browser
 * shows the download as running until `finish`, and as failed after `abort`; when the user ends it in the browser, the
 * sink's calls fail with `cancelled`. Takes the port.
 */
export function createDownloadSink(port: MessagePort, options: PipeOptions = { keepAlivePath: KEEP_ALIVE_PATH }): Sink {
  return createStreamSink(new PipeTarget(port, options));
}
