/**
 * Sentences for people about a transfer: one for every word of a snapshot. A new word does not compile until it has its
 * sentence here. Those for failures are in messages.ts.
 *
 * @module
 */
import type { Hindrance } from "../../core/edge/constraints.ts";
import type { FailureCode } from "../../core/failure.ts";
import type {
  Bottleneck,
  Carrier,
  PathReason,
  ShownPath,
  TransferSnapshot,
  TransferState,
  WaitingFor,
} from "../../core/transfer/snapshot.ts";
import { WEBTRANSPORT_CONNECT_MS } from "../../core/units.ts";
import { formatDuration } from "./lib/format.ts";
import { FAILURE_MESSAGES } from "./messages.ts";
import { edgesSentence } from "./sentences-edges.ts";

export const PATH_NAMES = {
  webtransport: "WebTransport",
  tcp: "TCP",
  peer: "direct connections between devices",
  mixed: "several ways at once",
} as const satisfies Record<ShownPath, string>;

export const CARRIER_NAMES = {
  webtransport: "HTTP/3 over UDP",
  websocket: "WebSocket",
  http: "plain HTTP requests",
} as const satisfies Record<Carrier, string>;

/** Follows "Using <path>: " in one sentence. */
export const PATH_REASONS = {
  "first-choice": "UDP is open, so this is the first choice",
  forced: "this page's address asks for it",
  "webtransport-absent": "this browser has no WebTransport",
  "webtransport-blocked": `UDP did not answer within ${WEBTRANSPORT_CONNECT_MS / 1000} seconds`,
  "webtransport-not-offered": "this relay offers no WebTransport",
  "webtransport-lost": "the UDP connection broke off",
  "tcp-measured-faster": "it was measured to be faster here than UDP",
  "webtransport-back": "UDP gets through again",
  "websocket-blocked": "something on the way does not let WebSockets through",
} as const satisfies Record<PathReason, string>;

export const BOTTLENECKS = {
  reading: "The disk sets the pace: everything waits for reading.",
  engine: "The processor sets the pace: everything waits for cutting, hashing and compressing.",
  network: "The network sets the pace.",
  writing: "The disk sets the pace: everything waits for writing.",
} as const satisfies Record<Bottleneck, string>;

export const WAITING = {
  relay: "Waiting for the relay",
  sender: "Waiting for the sender to come back",
  owner: "Paused by its owner",
  turn: "Waiting for a turn: others are downloading it right now",
  rules: "Held back on this device",
} as const satisfies Record<WaitingFor, string>;

/** Why it waits, for what a relay that is waited for fails with; any other failure has its own sentence. */
const WAITING_REASONS: Partial<Record<FailureCode, string>> = {
  "relay/unreachable": "It does not answer: it may be restarting, or your network may be away.",
  "relay/full": "It has no room left, and takes more as soon as there is some.",
  "relay/busy": "It has too much to do right now.",
  "relay/stopping": "It is being restarted.",
  "relay/storage": "It has trouble with its disk.",
  "relay/foreign": "This network answers in its place: open any other page and sign in to the network.",
};

/** What becomes of the waiting, where there is something to say. */
const WAITING_MORE: Partial<Record<WaitingFor, string>> = {
  owner: "Nothing is given out until its owner lets it go on; then this goes on by itself.",
  turn: "The link allows only so many downloads. This one begins by itself when a running one stops before its end.",
};

/** Why nothing may be started here, by what its user prefers or the device allows. */
export const HINDRANCES = {
  battery:
    "The battery is low: this goes on by itself when the device is charging. Fastest, chosen on the dashboard, does not wait.",
  quiet: "These are quiet hours, as the settings on the dashboard say: this goes on by itself after them.",
  hours: "The settings allow other hours only: this goes on by itself then.",
  metered: "This connection costs by the byte: this goes on by itself on another one.",
  budget: "As many bytes as the settings allow have travelled: this goes on by itself when more may.",
  active: "As much as the settings allow at once is under way.",
  rate: "It travels as fast as the settings allow.",
} as const satisfies Record<Hindrance, string>;

/** Why a transfer waits, in a sentence; null when it does not, or when nobody knows. */
function waitingReason({ waitingFor, waitingCode, edges }: TransferSnapshot): string | null {
  if (waitingFor === "rules") return edges === null || edges.hindrance === null ? null : HINDRANCES[edges.hindrance];
  if (waitingFor !== null && waitingFor !== "relay") return WAITING_MORE[waitingFor] ?? null;
  if (waitingFor === null || waitingCode === null) return null;
  return WAITING_REASONS[waitingCode] ?? FAILURE_MESSAGES[waitingCode].what;
}

export type Direction = "send" | "receive";

export const STATE_NAMES = {
  send: {
    preparing: "Preparing",
    running: "Sending",
    paused: "Paused",
    waiting: "Waiting",
    done: "Everything is sent",
    failed: "Sending failed",
    cancelled: "Cancelled",
  },
  receive: {
    preparing: "Ready",
    running: "Receiving",
    paused: "Paused",
    waiting: "Waiting",
    done: "Everything is received and verified",
    failed: "Receiving failed",
    cancelled: "Cancelled",
  },
} as const satisfies Record<Direction, Record<TransferState, string>>;

/** The state as a heading; says what is waited for. */
export function stateName(direction: Direction, snapshot: Pick<TransferSnapshot, "state" | "waitingFor">): string {
  if (snapshot.state === "waiting" && snapshot.waitingFor !== null) return WAITING[snapshot.waitingFor];
  return STATE_NAMES[direction][snapshot.state];
}

/** "Using TCP (WebSocket): UDP did not answer within 3 seconds." or null before there is a path. */
export function pathSentence({ path, carrier, pathReason }: TransferSnapshot): string | null {
  if (path === null) return null;
  // While nothing comes over the link that it names, the carrier says nothing about what does.
  const isOther = carrier !== null && (carrier === "webtransport") !== (path === "webtransport");
  if (isOther && (path === "webtransport" || path === "tcp")) return `Using ${PATH_NAMES[path]}.`;
  const name = carrier === null ? "" : CARRIER_NAMES[carrier];
  const reason = pathReason === null ? "" : `: ${PATH_REASONS[pathReason]}`;
  if (path === "webtransport" || path === "tcp") return `Using ${PATH_NAMES[path]}${name && ` (${name})`}${reason}.`;
  // The carrier and its reason are the relay's, which is only one of the ways.
  return `Using ${PATH_NAMES[path]}${name && `; the relay by ${name}`}${name && reason}.`;
}

/**
 * What carries the transfer and what slows it down, or what it waits for and until when; null when there is nothing to say.
 */
export function paceSentence(snapshot: TransferSnapshot): string | null {
  const { state, nextTryMs, bottleneck } = snapshot;
  if (state === "waiting") {
    const next = nextTryMs === null ? null : nextTrySentence(nextTryMs);
    return [waitingReason(snapshot), next].filter((part) => part !== null).join(" ") || null;
  }
  if (state !== "running") return null;
  return edgesSentence(snapshot.edges, bottleneck) ?? (bottleneck === null ? null : BOTTLENECKS[bottleneck]);
}

function nextTrySentence(nextTryMs: number): string {
  return nextTryMs <= 0 ? "Trying now." : `Next try in ${formatDuration(Math.ceil(nextTryMs / 1000))}.`;
}

/** What is said aloud of a state: with why it waits, without numbers, so that it changes only when that does. */
export function stateAnnouncement(direction: Direction, snapshot: TransferSnapshot): string {
  const reason = snapshot.state === "waiting" ? waitingReason(snapshot) : null;
  return stateName(direction, snapshot) + (reason === null ? "" : `. ${reason}`);
}
