/**
 * The thread that moves packs for relay-load.ts: it says that it is ready, then how many bytes receivers got whenever it
 * is asked, and ends its links when it is told to.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { SEALED_PACK_BYTES } from "../../core/units.ts";
import { createPortal, sealed, TestLink } from "../integration/relay-client.ts";

/** Packs that are not acknowledged, or asked for and not there. */
const AHEAD = 2;

interface Job {
  readonly url: string;
  readonly pairs: number;
  readonly bytesPerSecond: number;
}

const { url, pairs, bytesPerSecond } = workerData as Job;
/** The same bytes for every index: making them and their hash would cost more than moving them. */
const { header, bytes } = sealed("pack", 0, SEALED_PACK_BYTES);
let received = 0;
let isOver = false;

async function send(link: TestLink): Promise<void> {
  const started = performance.now();
  let acknowledged = 0;
  for (let index = 0; !isOver; index++) {
    while (index - acknowledged >= AHEAD) {
      await link.next("ack");
      acknowledged++;
    }
    const dueMs = started + (index * SEALED_PACK_BYTES * 1000) / bytesPerSecond;
    const early = dueMs - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    if (!isOver) link.put({ header: { ...header, index }, bytes });
  }
}

async function receive(link: TestLink): Promise<void> {
  let wanted = 0;
  for (; wanted < AHEAD; wanted++) link.want("pack", wanted);
  while (!isOver) {
    const object = await link.object();
    received += object.bytes.length;
    link.want("pack", wanted++);
  }
}

const links: TestLink[] = [];
const work: Promise<void>[] = [];
for (let pair = 0; pair < pairs; pair++) {
  const portal = await createPortal(url);
  const [sender, receiver] = [await TestLink.open(url, portal, "send"), await TestLink.open(url, portal, "receive")];
  links.push(sender, receiver);
  work.push(send(sender), receive(receiver));
}
for (const job of work) {
  job.catch((error: unknown) => {
    // A link that closes because this thread ends it is none.
    if (!isOver) throw error;
  });
}

parentPort?.on("message", (what: "bytes" | "stop") => {
  if (what === "stop") {
    isOver = true;
    for (const link of links) link.socket.terminate();
    parentPort?.unref();
  }
  parentPort?.postMessage(received);
});
parentPort?.postMessage("ready");
