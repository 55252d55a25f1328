/**
 * Whether two engines gave the same bytes.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";

/** Compares an engine's answer with the right one. @throws Failure `engine/failed`, `wrong-bytes` */
export function assertEqualBytes(given: Uint8Array | undefined, right: Uint8Array, where: string): void {
  if (given?.length !== right.length || !right.every((byte, i) => byte === given[i])) throw wrongBytes(where);
}

/** An engine's answer is wrong. */
export function wrongBytes(where: string): Failure {
  return new Failure("engine/failed", { what: "wrong-bytes", where });
}
