/**
 * One holder per journal, over all tabs of this browser: a Web Lock that lives as long as its thread, so that a crashed tab
 * holds nothing.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";

/** A journal that is held. */
export interface Hold {
  /** Resolves when another tab took it over. */
  readonly lost: Promise<void>;
  /** Resolves when another may have it. */
  release(): Promise<void>;
}

/** What to do when another tab has it: give up, take it away, or wait until it is let go. */
export type HoldMode = "if-free" | "steal" | "wait";

const OPTIONS: Readonly<Record<HoldMode, LockOptions>> = {
  "if-free": { ifAvailable: true },
  steal: { steal: true },
  wait: {},
};

/** @throws Failure `transfer/elsewhere` when another tab holds it and the mode is to give up */
export function hold(name: string, mode: HoldMode): Promise<Hold> {
  return new Promise((resolve, reject) => {
    const { promise: lost, resolve: lose } = Promise.withResolvers<void>();
    const held = navigator.locks.request(name, OPTIONS[mode], (lock) => {
      if (lock === null) throw new Failure("transfer/elsewhere");
      return new Promise<void>((letGo) => {
        const release = () => {
          letGo();
          return held.catch(() => {});
        };
        resolve({ lost, release });
      });
    });
    // Rejects with the failure above, or because the lock was stolen later.
    held.catch((error: unknown) => {
      lose();
      reject(error instanceof Failure ? error : new Failure("transfer/elsewhere", {}, { cause: error }));
    });
  });
}

/** Names that are held by any tab right now. */
export async function heldNames(): Promise<ReadonlySet<string>> {
  const { held = [] } = await navigator.locks.query();
  return new Set(held.flatMap(({ name }) => name ?? []));
}
