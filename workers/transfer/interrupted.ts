/**
 * Transfers that this browser wrote down and that did not end.
 *
 * @module
 */
import { type ListedJournal, listJournals, openJournal, removeJournal } from "../../platform/journal/journals.ts";
import type { InterruptedTransfer } from "./api.ts";
import { discardReceive } from "./kept-receive.ts";
import { deletePortal, keptPortal } from "./portal.ts";
import { Remembered } from "./remembered.ts";

/** All of them, newest first; those whose portal's time is over, or that never came so far as to know their files, are forgotten. */
export async function listInterrupted(): Promise<InterruptedTransfer[]> {
  const listed: InterruptedTransfer[] = [];
  for (const journal of await listJournals()) {
    const { head, note, isRunning } = journal;
    const isOver = note.entriesTotal === 0 || (note.expiresAtMs !== null && note.expiresAtMs < Date.now());
    if (isRunning || !isOver) listed.push(toInterrupted(journal));
    else await forget(head.kind, head.portal).catch(() => {}); // another tab was quicker
  }
  return listed;
}

function forget(kind: InterruptedTransfer["kind"], portal: string): Promise<void> {
  return kind === "send" ? removeJournal(kind, portal) : discardReceive(portal);
}

/** As the page sees it. */
export function toInterrupted({ head, note, isRunning }: ListedJournal): InterruptedTransfer {
  const { kind, portal, startedAtMs, handles } = head;
  return { ...note, kind, portal, startedAtMs, handles, isRunning };
}

/** Forgets an interrupted send and ends its portal. @throws Failure `journal/absent` | `transfer/elsewhere` */
export async function discardSend(portal: string): Promise<void> {
  const journal = await openJournal("send", portal, false);
  const owned = await keptPortal(journal).catch(() => undefined);
  await journal.remove();
  if (owned === undefined) return;
  const remembered = new Remembered(portal);
  remembered.change({ ended: "owner" });
  const { relayOrigin, relays } = journal.head;
  remembered.change({ relays: await deletePortal(relayOrigin, relays, owned) });
  await remembered.settle();
}
