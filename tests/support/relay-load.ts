/**
 * Many connections to one relay at once: idle links that only ping, and pairs of links that move packs at a given rate.
 * The pairs run in a thread of their own, so that their work does not count as the relay's latency.
 *
 * @module
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createPortal, TestLink } from "../integration/relay-client.ts";

/** Links of one portal: each that comes is told to all others. */
const LINKS_PER_PORTAL = 20;
/** Links that are opened at a time. */
const OPENING = 50;
const PING_MS = 4000;
const LOOK_MS = 250;

export interface LoadWish {
  readonly idle: number;
  /** Links that move packs; two make a pair. */
  readonly active: number;
  readonly seconds: number;
  /** Of each pair, up and down. */
  readonly bytesPerSecond: number;
}

export interface LoadReport {
  /** The most resident memory that the relay had. */
  readonly peakBytes: number;
  /** From a ping to its pong, over all idle links: the value below which 99 of 100 lie. */
  readonly controlP99Ms: number;
  readonly pings: number;
  /** Bytes that receivers got. */
  readonly movedBytes: number;
  /** Links that were closed while they should have been open. */
  readonly lost: number;
}

/** Resident memory of a relay, as it says itself. */
export async function residentBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^warp_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Opens receiving links, some for each portal. */
export async function openIdleLinks(url: string, count: number): Promise<TestLink[]> {
  const links: TestLink[] = [];
  while (links.length < count) {
    const portal = await createPortal(url);
    const more = Math.min(LINKS_PER_PORTAL, count - links.length);
    for (let opened = 0; opened < more; opened += OPENING) {
      const some = Math.min(OPENING, more - opened);
      links.push(...(await Promise.all(Array.from({ length: some }, () => TestLink.open(url, portal, "receive")))));
    }
  }
  return links;
}

/** Milliseconds from a ping to its pong. @throws Error when the link closes first */
export async function pingOnce(link: TestLink, n: number): Promise<number> {
  const started = performance.now();
  link.send({ t: "ping", n });
  await link.next("pong", (frame) => frame.n === n);
  return performance.now() - started;
}

/** Loads a relay and looks at it. */
export async function loadRelay(url: string, wish: LoadWish): Promise<LoadReport> {
  const links = await openIdleLinks(url, wish.idle);
  await using traffic = await startTraffic(url, wish.active >> 1, wish.bytesPerSecond);
  const latencies: number[] = [];
  const end = performance.now() + wish.seconds * 1000;
  const beat = async (link: TestLink, at: number): Promise<void> => {
    await pause((PING_MS * at) / links.length);
    let n = 0;
    do {
      latencies.push(await pingOnce(link, ++n));
      await pause(Math.min(PING_MS, Math.max(0, end - performance.now())));
    } while (performance.now() < end);
  };
  let peakBytes = 0;
  const look = async (): Promise<void> => {
    while (performance.now() < end) {
      peakBytes = Math.max(peakBytes, await residentBytes(url));
      await pause(LOOK_MS);
    }
  };
  const [results] = await Promise.all([Promise.allSettled(links.map(beat)), look()]);
  const lost = results.filter(({ status }) => status === "rejected").length;
  const movedBytes = await traffic.stop();
  await Promise.all(links.map((link) => link.cut()));
  return { peakBytes, controlP99Ms: quantile(latencies, 0.99), pings: latencies.length, movedBytes, lost };
}

/** Pairs that move packs until they are stopped. */
export interface Traffic extends AsyncDisposable {
  /** Bytes that receivers got since the last call, and since when. */
  rate(): Promise<number>;
  /** Ends the pairs; gives all bytes that receivers got. */
  stop(): Promise<number>;
}

/** Starts pairs of a sender and a receiver in a thread. @param bytesPerSecond of each pair */
export async function startTraffic(url: string, pairs: number, bytesPerSecond: number): Promise<Traffic> {
  const workerData = { url, pairs, bytesPerSecond };
  const worker = new Worker(new URL("relay-traffic.ts", import.meta.url), { workerData });
  // An error of the worker ends the wait for its answer too.
  const ask = async (what: "bytes" | "stop"): Promise<number> => {
    worker.postMessage(what);
    const [bytes] = (await once(worker, "message")) as [number];
    return bytes;
  };
  await once(worker, "message");
  let seen = 0;
  let seenMs = performance.now();
  return {
    async rate() {
      const bytes = await ask("bytes");
      const now = performance.now();
      const rate = ((bytes - seen) * 1000) / (now - seenMs);
      [seen, seenMs] = [bytes, now];
      return rate;
    },
    stop: () => ask("stop"),
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
