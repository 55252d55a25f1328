/**
 * A promise with its ends in hand. A rejection that nobody waits for is not an unhandled one: whoever holds the
 * deferred decides.
 *
 * @module
 */

/** A promise that is settled from outside; settling twice changes nothing. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Gives a fresh, unsettled deferred. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
