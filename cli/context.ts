/**
 * What every command is given, and the showing of progress that transfers share.
 *
 * @module
 */
import type { Progress } from "../core/transfer/progress.ts";
import { systemClock } from "./clock.ts";
import type { Output } from "./output.ts";

export interface Context {
  readonly output: Output;
  /** Aborted by Ctrl-C and its like. */
  readonly signal: AbortSignal;
  /** From standard input; null where the portal has none or none was given. */
  readonly password: string | null;
}

/** Shows a transfer's progress until the returned function is called. */
export function showProgress(output: Output, progress: Progress): () => void {
  const timer = setInterval(() => output.progress(progress.snapshot(systemClock.now())), output.progressEveryMs);
  return () => {
    clearInterval(timer);
    output.endLine();
  };
}
