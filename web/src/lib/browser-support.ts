/**
 * Whether this browser, on this address, can run the product at all. Checked before anything else is started.
 *
 * @module
 */
import type { FailureCode } from "../../../core/failure.ts";

/** The smallest module with a SIMD instruction: `i32.const 0; i8x16.splat; i8x16.popcnt; drop`. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 11, 1, 9, 0, 65, 0, 253, 15, 253, 98, 26, 11,
]);

/**
 * Module workers cannot be asked for without starting one, which the page's policy would report. The youngest function
 * that the product uses stands for them: every browser that has it (Chrome 119, Firefox 121, Safari 17.4) has had module
 * workers for long.
 */
function hasModuleWorkers(): boolean {
  return typeof Worker !== "undefined" && "withResolvers" in Promise;
}

/** The failure that keeps the product from running here, or null. */
export function missingHere(): Extract<FailureCode, "browser/insecure" | "browser/unsupported"> | null {
  if (!globalThis.isSecureContext) return "browser/insecure";
  const hasCrypto = typeof globalThis.crypto?.subtle !== "undefined";
  const hasSimd = typeof WebAssembly !== "undefined" && WebAssembly.validate(SIMD_MODULE);
  return hasCrypto && hasSimd && hasModuleWorkers() ? null : "browser/unsupported";
}
