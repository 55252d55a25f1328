/**
 * The product's own send and receive, started as its pages start them.
 *
 * @module
 */
import type { FromPipe, ToPipe } from "../../../core/ports/download-pipe.ts";
import type { TransferSnapshot } from "../../../core/transfer/snapshot.ts";
import { createTransfer, type Transfer } from "../../../workers/transfer/client.ts";
import type { AnswerOf, ArgumentsOf } from "../commands.ts";
import { openFile } from "./files.ts";
import type { Emit } from "./page.ts";
import { digestFile } from "./store.ts";

const EXPIRY_SECONDS = 3600;
/** What the service worker grants a download at once. */
const CREDIT_BYTES = 4 * 1024 * 1024;

/** The lock that tells a worker that its download is alive; this page holds it for as long as it lives. */
const ALIVE = "bench";

function holdLock(): Promise<void> {
  return new Promise((resolve) => {
    void navigator.locks.request(ALIVE, { mode: "shared" }, () => {
      resolve();
      return new Promise(() => {});
    });
  });
}

/** Resolves with the last snapshot when the transfer has ended well. @throws Error with the failure's code */
async function ended(transfer: Transfer): Promise<TransferSnapshot> {
  return await new Promise((resolve, reject) => {
    void transfer.subscribe((snapshot) => {
      if (snapshot.state === "done") resolve(snapshot);
      else if (snapshot.state === "failed" || snapshot.state === "cancelled")
        reject(new Error(`${snapshot.state} ${JSON.stringify(snapshot.failure)}`));
    });
  });
}

export async function send({ name, bytes, relay, path }: ArgumentsOf<"send">, emit: Emit): Promise<AnswerOf<"send">> {
  const whole = await openFile(name);
  const file = bytes === undefined ? whole : new File([whole.slice(0, bytes)], name);
  const transfer = createTransfer();
  try {
    // The page starts its worker as soon as there are files, long before the link is asked for.
    await transfer.subscribe(() => {});
    const startedMs = Date.now();
    const done = ended(transfer);
    const options = {
      expirySeconds: EXPIRY_SECONDS,
      idleSeconds: null,
      request: null,
      maxDownloads: null,
      password: "",
      relayOrigin: relay,
      figures: null,
      handles: [],
    };
    const link = await transfer.send({ ...options, overrides: { path } });
    emit("link", { link, startedMs });
    await transfer.add([{ path: name, file }], true);
    await done;
    return { startedMs, endedMs: Date.now() };
  } finally {
    transfer.terminate();
  }
}

/** What the last receive brought; on disk. */
let received: File | undefined;

export async function receive({ link, relay, path }: ArgumentsOf<"receive">): Promise<AnswerOf<"receive">> {
  const startedMs = Date.now();
  const transfer = createTransfer();
  try {
    const done = ended(transfer);
    await transfer.open(link, relay, { path }, null);
    await transfer.receive({ kind: "private" }, false);
    const endedMs = Date.now();
    const { carrier } = await done;
    const [entry] = await transfer.entries(0, 1);
    received = await transfer.exportFile(entry?.path ?? "");
    return { startedMs, endedMs, carrier: carrier ?? "none" };
  } finally {
    transfer.terminate();
  }
}

export async function digestReceived(): Promise<AnswerOf<"digestReceived">> {
  if (received === undefined) throw new Error("nothing was received");
  return await digestFile(received);
}

export async function receiveStream(
  { link, relay, path }: ArgumentsOf<"receiveStream">,
  emit: Emit,
): Promise<AnswerOf<"receiveStream">> {
  const startedMs = Date.now();
  const transfer = createTransfer();
  try {
    const { port1, port2 } = new MessageChannel();
    await holdLock();
    let firstMs = 0;
    port1.onmessage = ({ data }: MessageEvent<ToPipe>) => {
      if (data.type === "bytes") {
        if (firstMs === 0) {
          firstMs = Date.now();
          emit("first", firstMs);
        }
        port1.postMessage({ type: "credit", bytes: data.bytes.length } satisfies FromPipe);
      } else if (data.type === "end") port1.postMessage({ type: "done" } satisfies FromPipe);
    };
    port1.postMessage({ type: "started", alive: ALIVE } satisfies FromPipe);
    port1.postMessage({ type: "credit", bytes: CREDIT_BYTES } satisfies FromPipe);
    await transfer.subscribe(() => {});
    const workerMs = Date.now();
    await transfer.open(link, relay, { path }, null);
    const openMs = Date.now();
    await transfer.receive({ kind: "download", port: port2 }, false);
    return { startedMs, workerMs, openMs, firstMs, endedMs: Date.now() };
  } finally {
    transfer.terminate();
  }
}
