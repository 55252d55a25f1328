/**
 * The ways from one browser to the other that are compared: ours, the limit of its paths, and what people would use
 * instead. Each one gives the time from the sender's start until the receiver has the whole file, and checks the bytes.
 *
 * @module
 */
import type { PathKind } from "../../core/transfer/snapshot.ts";
import { type BenchServer, limitFor } from "./bench-server.ts";
import type { BareBrowser } from "./browser.ts";
import type { LimitCarrier, PortalTicket, Target } from "./commands.ts";
import type { DataName } from "./data.ts";
import type { LoadedData, Service } from "./stage.ts";

export interface Field {
  readonly server: BenchServer;
  readonly sender: BareBrowser;
  readonly receiver: BareBrowser;
  readonly relay: Service;
  readonly tus: Service;
}

export interface Outcome {
  /** Sender's start to receiver's end, milliseconds. */
  readonly ms: number;
  /** Plaintext bytes. */
  readonly bytes: number;
  /** Parts of `ms`, by name. */
  readonly parts: Readonly<Record<string, number>>;
}

export interface Run {
  readonly outcome: Outcome;
  /** Checks the received bytes; apart, so that its cost counts for nobody. @throws Error when they are others */
  verify(): Promise<void>;
}

export interface Competitor {
  readonly name: string;
  readonly data: DataName;
  readonly through: "relay" | "tus" | "nothing";
  run(field: Field, data: LoadedData): Promise<Run>;
}

const RECEIVED = "received.bin";
const CARRIERS = { webtransport: "webtransport", tcp: "websocket" } as const satisfies Record<PathKind, LimitCarrier>;

function check(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${what}: received ${actual}, sent ${expected}`);
}

async function checkFile(server: BenchServer, name: string, sha256: string): Promise<void> {
  const digest = await server.order("receiver", "digest", { name }).answer;
  check("SHA-256", digest.sha256, sha256);
}

/** The product over one path. */
export function ours(path: PathKind, data: DataName): Competitor {
  return {
    name: `ours ${path}`,
    data,
    through: "relay",
    async run({ server, relay }, { name, sha256, bytes }) {
      const sending = server.order("sender", "send", { name, relay: relay.url, path }, limitFor(bytes));
      const { link, startedMs } = (await sending.event("link")) as { link: string; startedMs: number };
      const receiving = server.order("receiver", "receive", { link, relay: relay.url, path }, limitFor(bytes));
      const [received, sent] = await Promise.all([receiving.answer, sending.answer]);
      check("carrier", received.carrier, CARRIERS[path]);
      const parts = { sendMs: sent.endedMs - startedMs, afterSendMs: received.endedMs - sent.endedMs };
      const verify = async () => {
        const digest = await server.order("receiver", "digestReceived", null, limitFor(bytes)).answer;
        check("SHA-256", digest.sha256, sha256);
      };
      return { outcome: { ms: received.endedMs - startedMs, bytes, parts }, verify };
    },
  };
}

/** The same path without engine and seal. Counted bytes are checked by number, written ones by their hash. */
export function limit(path: PathKind, target: Target): Competitor {
  return {
    name: `limit ${path}${target === "file" ? " to file" : ""}`,
    data: "incompressible",
    through: "relay",
    async run({ server, relay }, { name, bytes, sha256, objectHashes }) {
      const shared = { relay: relay.url, carrier: CARRIERS[path] };
      const putting = server.order("sender", "putObjects", { name, hashes: objectHashes, ...shared });
      const portal = (await putting.event("portal")) as PortalTicket;
      const objects = objectHashes.length;
      const taking = server.order("receiver", "takeObjects", { portal, objects, target, name: RECEIVED, ...shared });
      const [taken, put] = await Promise.all([taking.answer, putting.answer]);
      check("bytes", String(taken.bytes), String(bytes));
      const parts = { sendMs: put.endedMs - put.startedMs };
      const verify = async () => {
        if (target === "file") await checkFile(server, RECEIVED, sha256);
      };
      return { outcome: { ms: taken.endedMs - put.startedMs, bytes, parts }, verify };
    },
  };
}

/** Upload by tus, then a plain download. */
export const tus: Competitor = {
  name: "tus",
  data: "incompressible",
  through: "tus",
  async run({ server, tus: { url } }, { name, bytes, sha256 }) {
    const sent = await server.order("sender", "tusUpload", { name, endpoint: url }).answer;
    const received = await server.order("receiver", "download", { url: sent.location, name: RECEIVED }).answer;
    const parts = { sendMs: sent.endedMs - sent.startedMs, afterSendMs: received.endedMs - sent.endedMs };
    const outcome = { ms: received.endedMs - sent.startedMs, bytes, parts };
    return { outcome, verify: () => checkFile(server, RECEIVED, sha256) };
  },
};

/** From browser to browser; connecting is not counted. */
export const channel: Competitor = {
  name: "data channel",
  data: "incompressible",
  through: "nothing",
  async run({ server }, { name, bytes, sha256 }) {
    const sending = server.order("sender", "channelSend", { name, bytes });
    const offer = (await sending.event("offer")) as string;
    const receiving = server.order("receiver", "channelReceive", { sdp: offer, bytes, name: RECEIVED });
    const answer = (await receiving.event("answer")) as string;
    await server.order("sender", "channelAnswer", { sdp: answer }).answer;
    const [received, sent] = await Promise.all([receiving.answer, sending.answer]);
    const outcome = { ms: received.endedMs - sent.startedMs, bytes, parts: {} };
    return { outcome, verify: () => checkFile(server, RECEIVED, sha256) };
  },
};

const PATHS = ["webtransport", "tcp"] as const;

export const COMPETITORS: readonly Competitor[] = [
  ...PATHS.flatMap((path) => [
    ours(path, "incompressible"),
    ours(path, "mixed"),
    limit(path, "discard"),
    limit(path, "file"),
  ]),
  tus,
  channel,
];

/** Milliseconds until the first verified byte of a file of `bytes` bytes is at a receiver that opens the link at once. */
export interface FirstByte {
  /** From the sender's start. */
  readonly ms: number;
  /** From the receiver's start; of these, until its worker answers, and until the portal is open. */
  readonly receiverMs: number;
  readonly workerMs: number;
  readonly openMs: number;
  /** From the receiver's click, on a page that shows the list. */
  readonly clickMs: number;
}

export async function firstByte(
  { server, relay }: Field,
  name: string,
  bytes: number,
  path: PathKind,
): Promise<FirstByte> {
  const sending = server.order("sender", "send", { name, bytes, relay: relay.url, path });
  const { link, startedMs } = (await sending.event("link")) as { link: string; startedMs: number };
  const received = await server.order("receiver", "receiveStream", { link, relay: relay.url, path }).answer;
  await sending.answer;
  const since = (ms: number) => ms - received.startedMs;
  return {
    ms: received.firstMs - startedMs,
    receiverMs: since(received.firstMs),
    workerMs: since(received.workerMs),
    openMs: since(received.openMs),
    clickMs: received.firstMs - received.openMs,
  };
}
