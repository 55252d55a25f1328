/**
 * Asking a worker of the bench page, one message there, one back.
 *
 * @module
 */
import { appScriptUrl } from "../../../workers/script-url.ts";

export interface Answered {
  readonly value?: unknown;
  readonly error?: string;
  readonly event?: string;
}

/** Starts a worker of the built page. */
export function startWorker(url: string): Worker {
  return new Worker(appScriptUrl(url), { type: "module" });
}

/** Sends one request and waits for its answer; `onEvent` gets what comes before it. */
export function ask(
  worker: Worker,
  request: unknown,
  onEvent: (name: string, value: unknown) => void = () => {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(`worker: ${event.message}`));
    worker.onmessage = ({ data }: MessageEvent<Answered>) => {
      if (data.event !== undefined) onEvent(data.event, data.value);
      else if (data.error !== undefined) reject(new Error(data.error));
      else resolve(data.value);
    };
    worker.postMessage(request);
  });
}

/** Serves requests in a worker. */
export function answerWith<T>(
  handle: (request: T, emit: (name: string, value: unknown) => void) => Promise<unknown>,
): void {
  const emit = (event: string, value: unknown) => self.postMessage({ event, value } satisfies Answered);
  self.onmessage = ({ data }: MessageEvent<T>) => {
    handle(data, emit).then(
      (value) => self.postMessage({ value } satisfies Answered),
      (error: unknown) => {
        self.postMessage({ error: error instanceof Error ? `${error.message} ${error.stack ?? ""}` : String(error) });
      },
    );
  };
}
