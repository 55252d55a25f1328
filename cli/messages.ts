/**
 * Sentences for people at a terminal: one for every failure code. A new code does not compile until it has its sentence.
 *
 * @module
 */
import type { Failure, FailureCode } from "../core/failure.ts";
import { formatBytes } from "./format.ts";
import { NamedFailure } from "./named-failure.ts";

const SENTENCES = {
  "link/cut": "The link is incomplete or mistyped. Copy it whole, in quotes, with everything behind the # sign.",
  "link/version": "The link was made by a newer version of Warp Portal. Update this one.",
  "link/wrong-secret": "The secret in the link does not belong to this portal. Ask the sender for the link again.",
  "password/needed": "This portal has a password. Give it on the first line of stdin, with --password-stdin.",
  "password/wrong": "The password is not right. Check capital letters and spaces.",
  "portal/unknown":
    "The relay opens nothing under this link: it ended, was used up or taken back, or never was. Ask for a new link.",
  "portal/expired": "This portal has ended: its time or its downloads are used up. Ask the sender for a new link.",
  "portal/taken": "The relay holds another portal under the same random name. Send again; it gets a new name.",
  "portal/closed": "This portal was already finished. Send again, into a new one.",
  "portal/full": "The relay does not take this much in one portal. Send less at once, or have its limit raised.",
  "portal/incomplete": "The relay does not hold all of this portal, so it cannot be finished. Send again.",
  "relay/unreachable": "The relay does not answer. Check its address and your network connection.",
  "relay/full": "The relay has no room left. Try again later, or ask whoever runs it to make room.",
  "relay/busy": "The relay has more work than it can take. Wait a minute and try again.",
  "relay/stopping": "The relay is being shut down or replaced. Wait a minute and try again.",
  "relay/storage": "The relay cannot write to its disk. Try again later, and tell whoever runs it.",
  "relay/version": "This program and the relay speak different versions of the protocol. Update the older one.",
  "wire/malformed": "An answer is not part of the protocol. A proxy on the way may change the traffic.",
  "wire/too-large": "A message was larger than the protocol allows. Update this program and the relay.",
  "wire/window": "More was on the way than the relay had asked for. Start again.",
  "object/hash": "Bytes changed on the way, again and again. Try another network.",
  "object/size": "The relay refused a pack for its size. Update this program and the relay.",
  "object/absent": "The relay no longer holds all of this portal. Ask the sender to send it again.",
  "object/corrupt":
    "Stored bytes changed on the relay's disk. Ask the sender to send it again, and tell whoever runs the relay.",
  "object/conflict": "Another sender already sent other bytes into this portal. Send again, into a new one.",
  "pack/forged":
    "Bytes came that were not sealed with this link's key; nothing of them was kept. Do not trust this relay.",
  "manifest/malformed":
    "The sender's list of files breaks the rules, so nothing was taken from it. Ask the sender to send again.",
  "manifest/limit":
    "The list of files is longer than a portal may be. Send fewer files, or pack small ones into an archive.",
  "chunk/mismatch":
    "Bytes do not have the hash that the sender gave for them; the file was not written. Receive again.",
  "transfer/truncated":
    "The transfer ended before everything had come; unfinished files were removed. Ask the sender to send again.",
  "file/unreadable": "A file cannot be read. Check that it is there and that you may read it.",
  "file/changed":
    "A file changed while it was sent, so what was sent would be a mixture. Wait until nothing writes to it.",
  "path/rejected": "A name is not allowed, or leads out of its folder. It must be renamed before it is sent.",
  "sink/full": "There is not enough room for what should be received. Make room, or choose another folder with --out.",
  "sink/denied": "Writing is not allowed there. Choose another folder with --out.",
  "sink/unsupported": "That folder cannot be written to in this way. Choose another one with --out.",
  "sink/failed": "Writing failed. Check that the folder is still there, or choose another one with --out.",
  "browser/insecure": "This needs a secure address: open it over https.",
  "browser/unsupported": "This machine lacks something that is needed.",
  "engine/failed": "Cutting, hashing or compressing failed on this machine. Start again.",
  "worker/crashed": "A thread ended; the machine may be short of memory. Start again.",
  cancelled: "Cancelled. Unfinished files were removed.",
  "portal/leased": "Another sender is filling this portal right now. Let it finish.",
  "portal/lease-lost": "Another sender took this transfer over.",
  "relay/foreign":
    "Something other than the relay answers, as a network that wants a sign-in does. Sign in, then try again.",
  "journal/damaged": "The record of this transfer is damaged. Send again.",
  "journal/absent": "There is no record of that transfer here. Start again.",
  "file/absent": "Not all files that are still to be sent are there.",
  "pack/unrepeatable": "A part that the relay lost cannot be made again byte for byte. Send again.",
  "transfer/elsewhere": "This transfer is running elsewhere.",
  "portal/claimed": "All downloads that this link still allows are running right now. Try again in a few minutes.",
  "link/purpose":
    "This link is for something else: get and info take a link to download, send --to one to hand in files.",
  "relay/invite": "This relay is by invitation. Give one with --invite, or in the environment as WARP_INVITE.",
  "relay/work": "The relay did not accept the computation that it asks for with a new portal. Send again.",
  "vault/unknown": "This relay keeps no list under that recovery phrase.",
  "vault/full": "The relay keeps no more entries or devices for one recovery phrase.",
  "device/revoked": "This device was taken off the list by another one.",
  "phrase/wrong": "The recovery phrase does not fit: a word is wrong, missing or in another place.",
} as const satisfies Record<FailureCode, string>;

/** The sentence of a failure: its own where it names a path, else the table's. Safe to print. */
export function sentenceOf(failure: Failure): string {
  if (failure instanceof NamedFailure) return failure.sentence;
  const { neededBytes, freeBytes } = failure.details;
  if (typeof neededBytes === "number" && typeof freeBytes === "number")
    return `${SENTENCES[failure.code]} ${formatBytes(neededBytes)} are needed, ${formatBytes(freeBytes)} are free.`;
  return SENTENCES[failure.code];
}
