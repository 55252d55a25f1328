/**
 * One pack that is being stored, at one relay or at several.
 *
 * @module
 */
import { type Deferred, deferred } from "../edge/deferred.ts";
import type { SealedObject } from "../wire/object.ts";
import type { Attempt } from "./fetch-job.ts";

/** Until a relay has the pack, and nobody reads its bytes any more. */
export class PutJob {
  readonly object: SealedObject;
  /** By edge. */
  readonly attempts = new Map<number, Attempt>();
  readonly done: Deferred<void> = deferred<void>();
  /** Links that may still be reading the object's bytes. */
  readers = 0;
  isStored = false;

  constructor(object: SealedObject) {
    this.object = object;
  }
}
