/**
 * Where a receive's objects come from.
 *
 * @module
 */
import type { ObjectKind, SealedObject } from "../wire/object.ts";

/** What gives objects: one link, or a fleet of edges. */
export interface ObjectSource {
  /**
   * Fetches one object, waiting until it exists, and gives what `accept` makes of it; the object's bytes are good only until
   * then. @throws Failure
   */
  get<T>(
    kind: ObjectKind,
    index: number,
    accept: (object: SealedObject) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;
}
