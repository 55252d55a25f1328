/**
 * Which states nothing follows on.
 *
 * @module
 */
import type { TransferState } from "../../../core/transfer/snapshot.ts";

const ENDED: readonly TransferState[] = ["done", "failed", "cancelled"];

export const hasEnded = (state: TransferState): boolean => ENDED.includes(state);
