/**
 * What a relay counted, from its metrics, and how long nothing moved.
 *
 * @module
 */
import type { Network } from "./network.ts";

/** Bytes of objects, over all paths, since the relay started. */
export interface Traffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Of what is stored; an object that came twice is stored once. */
  readonly storedBytes: number;
}

export const NO_TRAFFIC: Traffic = { receivedBytes: 0, sentBytes: 0, storedBytes: 0 };

/** Reads the metrics of the relay at `url`. @throws Error when they have another form */
export async function readTraffic(url: string): Promise<Traffic> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sum = (name: string): number => {
    const samples = [...text.matchAll(new RegExp(`^warp_${name}(?:\\{[^}]*\\})? (\\d+)$`, "gm"))];
    if (samples.length === 0) throw new Error(`the metrics have no ${name}`);
    return samples.reduce((total, [, value]) => total + Number(value), 0);
  };
  return {
    receivedBytes: sum("received_bytes_total"),
    sentBytes: sum("sent_bytes_total"),
    storedBytes: sum("store_bytes"),
  };
}

/** Bytes of objects that a relay gave out by plain requests, which say what they are for one by one. */
export async function readPlainBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sample = /^warp_sent_bytes_total\{path="http"\} (\d+)$/m.exec(text);
  if (sample === null) throw new Error("the metrics do not count plain requests");
  return Number(sample[1]);
}

const LOOK_MS = 250;

/** Less than this is what connections say to stay alive, and what is asked for again and again. */
const MOVED_BYTES = 16 * 1024;

/**
 * Watches for how long nothing crossed the network. What a relay counts would not do: megabytes of what it has sent may still
 * wait for a slow line.
 */
export class StallWatch implements Disposable {
  readonly #network: Pick<Network, "crossedBytes">;
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  #moved = 0;
  /** Undefined until the first byte of an object: what opens pages and connects is no standing still. */
  #movedAtMs: number | undefined;
  #longestMs = 0;

  /** @param url of the relay, on a way that has no faults */
  constructor(network: Pick<Network, "crossedBytes">, url: string) {
    this.#network = network;
    this.#url = url;
    this.#timer = setInterval(() => void this.#look().catch(() => {}), LOOK_MS);
  }

  /** The longest time so far in which next to nothing arrived. */
  get longestMs(): number {
    return this.#longestMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const moved = await this.#network.crossedBytes();
    const nowMs = performance.now();
    if (this.#movedAtMs === undefined) {
      const { receivedBytes, sentBytes } = await readTraffic(this.#url);
      if (receivedBytes + sentBytes === 0) return;
      this.#movedAtMs = nowMs;
    }
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#movedAtMs);
    if (moved - this.#moved < MOVED_BYTES) return;
    this.#moved = moved;
    this.#movedAtMs = nowMs;
  }
}
