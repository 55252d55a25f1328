/**
 * The page of the unlock bench: gives `unlock()`, which derives the key of a password and says how many milliseconds that took.
 *
 * @module
 */
import { PASSWORD_PARAMETERS } from "../../core/portal/password.ts";
import { passwordKey } from "../../platform/password.ts";

async function unlock(): Promise<number> {
  const started = performance.now();
  await passwordKey("correct horse battery staple", new Uint8Array(16), PASSWORD_PARAMETERS);
  return performance.now() - started;
}

Object.assign(globalThis, { unlock });
