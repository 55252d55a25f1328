/**
 * Comlink with failures that survive the crossing: a Failure thrown in one thread is a Failure with the same code and
 * details in the other.
 *
 * @module
 */
import * as Comlink from "comlink";
import { FAILURES, Failure, type FailureCode, type FailureDetails } from "../core/failure.ts";

interface ThrownFailure {
  readonly failure: {
    readonly code: FailureCode;
    readonly details: FailureDetails;
    readonly stack: string | undefined;
  };
}

let installed = false;

/** Called by both ends before anything crosses. */
function install(): void {
  if (installed) return;
  installed = true;
  const base = Comlink.transferHandlers.get("throw");
  if (base === undefined) throw new Error("comlink has no throw handler");
  Comlink.transferHandlers.set("throw", {
    canHandle: base.canHandle,
    serialize: (thrown) => {
      const { value } = thrown as { value: unknown };
      if (!(value instanceof Failure)) return base.serialize(thrown);
      const { code, details, stack } = value;
      return [{ failure: { code, details, stack } } satisfies ThrownFailure, []];
    },
    deserialize: (serialized) => {
      if (!isThrownFailure(serialized)) return base.deserialize(serialized);
      const { code, details, stack } = serialized.failure;
      const failure = new Failure(code, details);
      if (stack !== undefined) failure.stack = stack;
      throw failure;
    },
  });
}

function isThrownFailure(value: unknown): value is ThrownFailure {
  if (typeof value !== "object" || value === null || !("failure" in value)) return false;
  const { failure } = value;
  return (
    typeof failure === "object" &&
    failure !== null &&
    "code" in failure &&
    Object.hasOwn(FAILURES, String(failure.code))
  );
}

/** Offers an API to whoever started this worker. */
export function exposeApi<T extends object>(api: T): void {
  install();
  Comlink.expose(api);
}

/** The other end. A worker that dies without an answer rejects what is pending with `worker/crashed`. */
export interface RemoteWorker<T extends object> {
  readonly api: Comlink.Remote<T>;
  /** Runs one call so that it fails when the worker crashes. */
  call<R>(work: (api: Comlink.Remote<T>) => Promise<R>): Promise<R>;
  terminate(): void;
}

/** Takes the worker. */
export function wrapWorker<T extends object>(worker: Worker): RemoteWorker<T> {
  install();
  const api = Comlink.wrap<T>(worker);
  const crashed = new Promise<never>((_, reject) => {
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      reject(new Failure("worker/crashed", { message: event.message ?? "" }));
    });
  });
  crashed.catch(() => {});
  return {
    api,
    call: (work) => Promise.race([work(api), crashed]),
    terminate: () => worker.terminate(),
  };
}

/** Marks buffers of a value as moved, not copied. */
export function transferring<T>(value: T, buffers: readonly Transferable[]): T {
  return Comlink.transfer(value as object, [...new Set(buffers)]) as T;
}

/** A callback that the other thread may call. */
export function callback<T extends object>(listener: T): T & Comlink.ProxyMarked {
  return Comlink.proxy(listener);
}
