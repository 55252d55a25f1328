/**
 * What tabs of this browser tell each other of transfers that run: state, progress and edges, never a name or a link. A tab
 * with a transfer announces it, the dashboard listens, and may ask for a new plan.
 *
 * What comes in may be from a tab with another version of this page, so its shape is checked.
 *
 * @module
 */
import * as z from "zod/mini";
import type { TransferSnapshot } from "../../../core/transfer/snapshot.ts";
import { BOTTLENECKS, type Direction, HINDRANCES, STATE_NAMES, WAITING } from "../sentences.ts";
import { EDGE_KINDS, LIMITS, STANDINGS } from "../sentences-edges.ts";
import { CAUSES, STRATEGIES } from "../sentences-plan.ts";
import { hasEnded } from "./has-ended.ts";

const CHANNEL = "warp-live";
/** A transfer is announced this often, and when its state changes. */
const ANNOUNCE_MS = 500;
/** Edges and entries of a plan that are taken from a message. */
const MAX_EDGES = 1024;
const MAX_REPLANS = 200;

/** One running transfer, as announced. */
export interface LiveTransfer
  extends Pick<
    TransferSnapshot,
    "state" | "waitingFor" | "bytesDone" | "bytesTotal" | "bytesPerSecond" | "etaSeconds" | "bottleneck" | "edges"
  > {
  /** Of this run, random. */
  readonly id: string;
  readonly direction: Direction;
}

/** `ask` is for everybody that has a transfer, `replan` for the one that has this; `over` says that its tab is leaving it. */
export type LiveMessage =
  | { readonly t: "transfer"; readonly transfer: LiveTransfer }
  | { readonly t: "over" | "replan"; readonly id: string }
  | { readonly t: "ask" };

const keysOf = <K extends string>(words: Readonly<Record<K, unknown>>) => z.enum(Object.keys(words) as [K, ...K[]]);
const amount = z.number().check(z.gte(0));
const count = z.int().check(z.gte(0));
const id = z.string().check(z.maxLength(64));
const edgeNumbers = z.array(count).check(z.maxLength(MAX_EDGES));

const EDGE = z.object({
  edge: count,
  kind: z.nullable(keysOf(EDGE_KINDS)),
  name: z.string().check(z.maxLength(255)),
  standing: keysOf(STANDINGS),
  health: amount.check(z.lte(1)),
  bytesPerSec: amount,
  plannedBytesPerSec: z.nullable(amount),
  rttMs: z.nullable(amount),
  packs: count,
  active: count,
  drift: z.nullable(amount),
});

const REPLAN = z.object({
  atMs: z.number(),
  causes: z
    .array(z.object({ cause: keysOf(CAUSES), edges: edgeNumbers, value: z.number() }))
    .check(z.maxLength(MAX_EDGES)),
  kind: z.enum(["nothing", "partial", "full"]),
  strategy: z.nullable(keysOf(STRATEGIES)),
  gain: z.nullable(z.number()),
  movedPacks: z.nullable(amount),
});

const EDGES = z.object({
  edges: z.array(EDGE).check(z.maxLength(MAX_EDGES)),
  replans: z.array(REPLAN).check(z.maxLength(MAX_REPLANS)),
  replansTotal: count,
  limit: z.object({ kind: keysOf(LIMITS), edges: edgeNumbers }),
  hindrance: z.nullable(keysOf(HINDRANCES)),
  bytesPerSec: amount,
  packs: z.object({ wanted: count, active: count, waiting: count, duplicates: count }),
});

const TRANSFER = z.object({
  id,
  direction: z.enum(["send", "receive"]),
  state: keysOf(STATE_NAMES.send),
  waitingFor: z.nullable(keysOf(WAITING)),
  bytesDone: amount,
  bytesTotal: amount,
  bytesPerSecond: z.number(),
  etaSeconds: z.nullable(z.number()),
  bottleneck: z.nullable(keysOf(BOTTLENECKS)),
  edges: z.nullable(EDGES),
});

const MESSAGE = z.discriminatedUnion("t", [
  z.object({ t: z.literal("transfer"), transfer: TRANSFER }),
  z.object({ t: z.enum(["over", "replan"]), id }),
  z.object({ t: z.literal("ask") }),
]);

/** The message, or null where it is none that this version knows. */
export function readMessage(data: unknown): LiveMessage | null {
  return MESSAGE.safeParse(data).data ?? null;
}

/** Opens the channel; messages that are none are dropped. Close it. */
export function openLive(onMessage: (message: LiveMessage) => void): {
  post(message: LiveMessage): void;
  close(): void;
} {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    const message = readMessage(data);
    if (message !== null) onMessage(message);
  };
  return { post: (message) => channel.postMessage(message), close: () => channel.close() };
}

/** Announces one transfer. */
export class Announcer {
  readonly #id = crypto.randomUUID();
  readonly #direction: Direction;
  readonly #onReplan: () => void;
  #live: ReturnType<typeof openLive> | undefined;
  #last: LiveTransfer | undefined;
  #toldMs = 0;

  constructor(direction: Direction, onReplan: () => void) {
    this.#direction = direction;
    this.#onReplan = onReplan;
  }

  /** Announces it if it has begun and it is time. */
  tell(snapshot: TransferSnapshot, nowMs: number): void {
    const { state, waitingFor, bytesDone, bytesTotal, bytesPerSecond, etaSeconds, bottleneck, edges } = snapshot;
    if (state === "preparing" || (this.#last === undefined && hasEnded(state))) return;
    const isDue = state !== this.#last?.state || nowMs - this.#toldMs >= ANNOUNCE_MS;
    const progress = { state, waitingFor, bytesDone, bytesTotal, bytesPerSecond, etaSeconds, bottleneck, edges };
    // Kept though it is not announced: who asks is told how it is now.
    this.#last = { id: this.#id, direction: this.#direction, ...progress };
    if (!isDue) return;
    this.#toldMs = nowMs;
    if (this.#live === undefined) {
      this.#live = openLive((message) => this.#hear(message));
      addEventListener("pagehide", this.close);
    }
    this.#post();
  }

  /** Its tab leaves it; it may come back to it. */
  readonly close = (): void => {
    removeEventListener("pagehide", this.close);
    this.#live?.post({ t: "over", id: this.#id });
    this.#live?.close();
    this.#live = undefined;
  };

  #hear(message: LiveMessage): void {
    if (message.t === "ask") this.#post();
    else if (message.t === "replan" && message.id === this.#id) this.#onReplan();
  }

  #post(): void {
    if (this.#last !== undefined) this.#live?.post({ t: "transfer", transfer: this.#last });
  }
}
