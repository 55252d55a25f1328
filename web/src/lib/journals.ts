/**
 * The transfers of this browser that did not end, asked of a worker that lives as long as the question.
 *
 * @module
 */
import type { InterruptedTransfer, TransferApi } from "../../../workers/transfer/api.ts";
import { createTransfer } from "../../../workers/transfer/client.ts";

/** The journals' database, as the worker calls it. */
const DATABASE = "warp-journal";

/** Newest first. Starts no worker where nothing was ever written down. @throws Failure */
export async function interruptedTransfers(): Promise<readonly InterruptedTransfer[]> {
  return (await hasJournals()) ? ask((api) => api.interrupted()) : [];
}

/** Forgets one: a send's portal is deleted, a receive's unfinished files are removed. @throws Failure */
export function discardTransfer({ kind, portal }: Pick<InterruptedTransfer, "kind" | "portal">): Promise<void> {
  return ask((api) => api.discard(kind, portal));
}

async function hasJournals(): Promise<boolean> {
  // Firefox before 126 cannot say; there the worker looks.
  if (!("databases" in indexedDB)) return true;
  try {
    return (await indexedDB.databases()).some(({ name }) => name === DATABASE);
  } catch {
    // storage is forbidden
    return false;
  }
}

async function ask<T>(question: (api: TransferApi) => Promise<T>): Promise<T> {
  const worker = createTransfer();
  try {
    return await question(worker);
  } finally {
    worker.terminate();
  }
}
