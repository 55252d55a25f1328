/**
 * Sentences for people: what happened and what to do next, for every failure code. A new code does not compile until it
 * has its sentences here. Those for the words of a snapshot are in sentences.ts.
 *
 * @module
 */
import type { FailureCode, FailureDetails } from "../../core/failure.ts";
import { formatBytes, formatDuration, formatLimit } from "./lib/format.ts";

export interface FailureMessage {
  readonly title: string;
  /** What happened. */
  readonly what: string;
  /** What to do next. */
  readonly next: string;
}

export const FAILURE_MESSAGES = {
  "link/cut": {
    title: "This link is cut short",
    what: "A part of the link is missing or changed, most often the end after the # sign.",
    next: "Copy the whole link again, or ask the sender for it, and open it here.",
  },
  "link/version": {
    title: "This link is from a newer version",
    what: "The link was made by a version of Warp Portal that this page does not know.",
    next: "Reload the page to get the newest version, then open the link again.",
  },
  "link/wrong-secret": {
    title: "This link does not fit",
    what: "The secret in the link does not belong to this portal, so nothing can be opened.",
    next: "Ask the sender for the link again and copy it whole.",
  },
  "password/needed": {
    title: "A password is needed",
    what: "The sender protected this portal with a password.",
    next: "Type the password that the sender gave you.",
  },
  "password/wrong": {
    title: "The password is not right",
    what: "The portal did not open with this password.",
    next: "Check capital letters and spaces, and type it again.",
  },
  "portal/unknown": {
    title: "Nothing is here",
    what: "The relay opens nothing under this link. It may have ended, been used as often as it may, been taken back, not have begun yet, or never existed: the relay does not tell strangers which.",
    next: "Check that the link is whole, and ask whoever sent it for a new one.",
  },
  "portal/expired": {
    title: "This portal has ended",
    what: "Its time is over, or it was downloaded as often as the sender allowed.",
    next: "Ask the sender for a new link.",
  },
  "portal/taken": {
    title: "The portal's name is taken",
    what: "The relay already holds another portal under the same random name.",
    next: "Create the link again; it gets a new name.",
  },
  "portal/closed": {
    title: "The portal is closed",
    what: "This portal was already finished, and nothing can be added to it.",
    next: "Create a new link for these files.",
  },
  "portal/full": {
    title: "Too much for one portal",
    what: "The relay does not take this much in one portal.",
    next: "Send less at once, in two or more portals, or ask whoever runs the relay to raise the limit.",
  },
  "portal/incomplete": {
    title: "Not everything has arrived yet",
    what: "The relay does not hold all of this portal, so it cannot be finished.",
    next: "Keep the sending page open until it says that everything is sent, then try again.",
  },
  "relay/unreachable": {
    title: "The relay does not answer",
    what: "No connection to the relay could be made, neither over UDP nor over TCP.",
    next: "Check your network connection, then start again.",
  },
  "relay/full": {
    title: "The relay is full",
    what: "The relay has no room left for more bytes.",
    next: "Try again later, or ask whoever runs the relay to make room.",
  },
  "relay/busy": {
    title: "The relay is busy",
    what: "The relay has more work than it can take at the moment.",
    next: "Wait a minute, then start again.",
  },
  "relay/stopping": {
    title: "The relay is restarting",
    what: "The relay is being shut down or replaced.",
    next: "Wait a minute, then start again.",
  },
  "relay/storage": {
    title: "The relay cannot store",
    what: "Writing to the relay's disk failed.",
    next: "Try again later, and tell whoever runs the relay.",
  },
  "relay/version": {
    title: "Page and relay do not match",
    what: "This page and the relay speak different versions of the protocol.",
    next: "Reload the page to get the version that fits the relay.",
  },
  "wire/malformed": {
    title: "An answer made no sense",
    what: "Something that is not part of the protocol came over the connection.",
    next: "Start again. If it happens again, a proxy on the way may change the traffic: try another network.",
  },
  "wire/too-large": {
    title: "A message was too large",
    what: "One message on the connection was larger than the protocol allows.",
    next: "Start again. If it happens again, reload the page to get the newest version.",
  },
  "wire/window": {
    title: "Too much at once",
    what: "More bytes were on the way than the relay had asked for.",
    next: "Start again. If it happens again, reload the page to get the newest version.",
  },
  "object/hash": {
    title: "Bytes changed on the way",
    what: "What reached the relay was not what was sent, again and again.",
    next: "Start again. If it happens again, try another network.",
  },
  "object/size": {
    title: "A pack has the wrong size",
    what: "The relay refused a pack because its size is not allowed.",
    next: "Reload the page to get the newest version, then start again.",
  },
  "object/absent": {
    title: "Bytes are missing on the relay",
    what: "The relay no longer holds a part of this portal.",
    next: "Ask the sender to send it again.",
  },
  "object/corrupt": {
    title: "Bytes are damaged on the relay",
    what: "The relay found that stored bytes have changed on its disk. It does not hand them out.",
    next: "Ask the sender to send it again, and tell whoever runs the relay.",
  },
  "object/conflict": {
    title: "Two senders at once",
    what: "Another page already sent different bytes for the same place in this portal.",
    next: "Create a new link for these files.",
  },
  "pack/forged": {
    title: "These bytes are not the sender's",
    what: "Bytes arrived that were not sealed with this link's key. Nothing of them was kept.",
    next: "Do not trust this relay with this portal. Ask the sender to send it again, best over another relay.",
  },
  "manifest/malformed": {
    title: "The list of files is damaged",
    what: "The list of files opened with the right key but does not follow the rules.",
    next: "Ask the sender to send it again with the newest version.",
  },
  "manifest/limit": {
    title: "Too many files",
    what: "The list of files is longer than a portal may be.",
    next: "Send fewer files at once, or pack small files into an archive first.",
  },
  "chunk/mismatch": {
    title: "A file does not check out",
    what: "Bytes of a file do not have the hash that the sender gave for them. That file was not written.",
    next: "Start again. If it happens again, ask the sender to send it again.",
  },
  "transfer/truncated": {
    title: "The end is missing",
    what: "The transfer ended before every byte had come. Unfinished files were removed.",
    next: "Ask the sender whether sending was finished, then start again.",
  },
  "file/unreadable": {
    title: "A file cannot be read",
    what: "The browser could not read one of the files. It may have been moved or deleted, or you may not be allowed to read it.",
    next: "Check that the file opens on your machine, then choose the files again.",
  },
  "file/changed": {
    title: "A file has changed",
    what: "One of the files was written to after you first chose it, so what was sent would be a mixture.",
    next: "Bring the old file back and choose the files again, or send them as they are now with a new link.",
  },
  "path/rejected": {
    title: "A name cannot be used",
    what: "A file has a name or a path that is not allowed, or that leads out of its folder.",
    next: "Rename it and send again. As a receiver, ask the sender to do so.",
  },
  "sink/full": {
    title: "Your disk is full",
    what: "There is not enough room on this device for what should be received.",
    next: "Make room or choose another place, then receive again.",
  },
  "sink/denied": {
    title: "Writing was not allowed",
    what: "The browser was not allowed to write to the place you chose.",
    next: "Choose another folder or another way to save, and allow writing when the browser asks.",
  },
  "sink/unsupported": {
    title: "This browser cannot save that way",
    what: "The chosen way of saving does not work in this browser or in this window, for example in private windows.",
    next: "Choose another way to save, or open the link in another browser.",
  },
  "sink/failed": {
    title: "Writing failed",
    what: "The browser stopped writing. The download may have been cancelled, or the disk taken away.",
    next: "Check that the place is still there, then receive again.",
  },
  "browser/insecure": {
    title: "This address is not secure",
    what: "Browsers allow encryption and saving only on https:// pages and on localhost. This page was opened over plain http://.",
    next: "Open it over https://. Whoever runs the relay can set a certificate or put a proxy with one in front; the README shows how.",
  },
  "browser/unsupported": {
    title: "This browser is missing something",
    what: "Warp Portal needs module workers, WebAssembly with SIMD and WebCrypto.",
    next: "Update the browser, or open this address in a current Chrome, Edge, Firefox or Safari.",
  },
  "engine/failed": {
    title: "The engine stopped",
    what: "Cutting, hashing or compressing failed on this device.",
    next: "Close other heavy tabs and start again.",
  },
  "worker/crashed": {
    title: "The transfer stopped unexpectedly",
    what: "A background thread of this page ended. The device may be short of memory.",
    next: "Reload the page and start again.",
  },
  cancelled: {
    title: "Cancelled",
    what: "The transfer was cancelled. Unfinished files were removed.",
    next: "Start again whenever you like.",
  },
  "portal/leased": {
    title: "Another sender is at work",
    what: "These files are being sent from another tab or device right now.",
    next: "Let that one finish, or continue here, which stops it there.",
  },
  "portal/lease-lost": {
    title: "Continued elsewhere",
    what: "Another tab or device took this transfer over. Nothing that was sent is lost.",
    next: "Let it finish there, or continue here, which stops it there.",
  },
  "relay/foreign": {
    title: "Something else answers",
    what: "This network answers with a page of its own in place of the relay. Networks do so until you have signed in.",
    next: "Open any other page, sign in to the network, and leave this tab open: it goes on by itself.",
  },
  "journal/damaged": {
    title: "The record of this transfer is damaged",
    what: "What this browser wrote down about the transfer cannot be read any more, so it cannot be resumed.",
    next: "Discard it and start again; files that were received whole stay where they are.",
  },
  "journal/absent": {
    title: "Nothing to resume",
    what: "This browser has no record of that transfer. It was finished, discarded, or made in another browser.",
    next: "Discard what is left of it here and start again.",
  },
  "file/absent": {
    title: "A file is missing",
    what: "What was chosen does not hold every file that is still to be sent. What was sent before is kept.",
    next: "Choose the same files or the same folder as before, with the same names.",
  },
  "pack/unrepeatable": {
    title: "This cannot be sent again",
    what: "A part that the relay lost cannot be made again byte for byte, because the app or the engine has changed since.",
    next: "Discard this transfer and send the files with a new link.",
  },
  "transfer/elsewhere": {
    title: "It runs in another tab",
    what: "This transfer is running in another tab of this browser.",
    next: "Let it go on there, or close that tab and continue here.",
  },
  "portal/claimed": {
    title: "Others are downloading it right now",
    what: "This link allows only so many downloads, and all that are left are running at this moment.",
    next: "Wait a few minutes: if one of them stops before its end, its turn becomes free.",
  },
  "link/purpose": {
    title: "This link is for something else",
    what: "It was made to hand in files, or to manage a portal, and does not open what was asked of it.",
    next: "Open it in the browser, which shows what it is for, or ask for a link to download.",
  },
  "relay/invite": {
    title: "This relay is by invitation",
    what: "Whoever runs this relay lets only people with an invitation create links. Receiving needs none.",
    next: "Ask whoever runs the relay for an invitation, or check that yours is whole and has not been used up.",
  },
  "relay/work": {
    title: "The relay did not accept the link",
    what: "This relay asks each new link for a little computation, and what came with this one does not fit.",
    next: "Reload the page and create the link again.",
  },
  "vault/unknown": {
    title: "No list is kept here",
    what: "This relay keeps no list under that recovery phrase. It may have been removed, or be kept at another relay.",
    next: "Check the words, and open the address of the relay at which the list was made.",
  },
  "vault/full": {
    title: "The list is full",
    what: "The relay keeps no more entries or devices for one recovery phrase.",
    next: "Remove ended transfers from the list, or devices that are not used any more.",
  },
  "device/revoked": {
    title: "This device was removed",
    what: "Another device took this one off the list, so it gets nothing new and can change nothing.",
    next: "Type the recovery phrase on this device to add it again.",
  },
  "phrase/wrong": {
    title: "These are not the right words",
    what: "The recovery phrase does not fit: a word is wrong, missing, or in another place.",
    next: "Compare all 24 words and their order with what was written down.",
  },
} as const satisfies Record<FailureCode, FailureMessage>;

/** Facts that make a sentence more exact, where the failure carries them. Never a name. */
export function detailSentence(code: FailureCode, details: FailureDetails): string | null {
  if (code === "portal/full" && typeof details.limitBytes === "number") {
    return `The limit is ${formatLimit(details.limitBytes)}.`;
  }
  if (code === "sink/full" && typeof details.neededBytes === "number" && typeof details.freeBytes === "number") {
    return `${formatBytes(details.neededBytes)} are needed, ${formatBytes(details.freeBytes)} are free.`;
  }
  if (code === "phrase/wrong") {
    if (typeof details.word === "number") return `Word ${details.word} is in no recovery phrase.`;
    if (typeof details.words === "number") return `There are ${details.words} words, and should be 24.`;
  }
  if (code === "relay/busy" && typeof details.retrySeconds === "number") {
    return `It takes more from this address in ${formatDuration(details.retrySeconds)}.`;
  }
  if (code === "file/unreadable" || code === "file/changed") {
    if (typeof details.entry === "number") return `It is number ${details.entry + 1} in the list.`;
  }
  return null;
}
