/**
 * What every command is given, and the showing of progress that transfers share.
 *
 * @module
 */
import type { SteadyLink } from "../core/edge/steady-link.ts";
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

/** What the steady link tells, as progress. */
export function follow(progress: Progress, link: SteadyLink): void {
  progress.link = link.status;
  progress.waitingFor = link.status.nextTryAtMs === null ? null : "relay";
  progress.expiresAtMs = link.state?.expiresAtMs ?? progress.expiresAtMs;
}
