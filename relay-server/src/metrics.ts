/**
 * Counters of one relay and their Prometheus text. No label holds anything a client chose.
 *
 * @module
 */

import { LIMITED, type Limited } from "./guard/guard.ts";
import type { ScrubResult } from "./portal/scrubber.ts";
import type { StoreTrouble } from "./store/health.ts";

export type PathKind = "webtransport" | "websocket" | "http";

/** Upper bounds of the latency histogram, seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;
const PATHS = ["webtransport", "websocket", "http"] as const;
/** What became of a signal: `counted` is one at a portal that counts downloads. */
const SIGNALS = ["passed", "limited", "unread", "counted"] as const;

type PerPath = Record<PathKind, number>;

const zero = (): PerPath => ({ webtransport: 0, websocket: 0, http: 0 });

/** What is read when the metrics are asked for. */
export interface Gauges {
  readonly portals: number;
  readonly vaults: number;
  readonly storeBytes: number;
  readonly uploadBufferBytes: number;
  readonly webtransportUp: boolean;
  readonly certificateExpiresAtMs: number;
}

export class Metrics {
  readonly #in = zero();
  readonly #out = zero();
  readonly #links = zero();
  readonly #linksTotal = zero();
  readonly #requests = new Map<string, number>();
  readonly #storeFailures: Record<StoreTrouble, number> = { "relay/full": 0, "relay/storage": 0 };
  readonly #scrubbed: Record<ScrubResult, number> = { intact: 0, damaged: 0, unreadable: 0 };
  readonly #signals: Record<(typeof SIGNALS)[number], number> = { passed: 0, limited: 0, unread: 0, counted: 0 };
  readonly #limited = new Map<Limited, number>();
  #scrubPasses = 0;
  #damaged = 0;
  readonly #latency = new Array<number>(BOUNDS.length + 1).fill(0);
  #latencySum = 0;
  readonly #onTraffic: (bytes: number) => void;

  /** @param onTraffic is told of all object bytes, in and out */
  constructor(onTraffic: (bytes: number) => void = () => {}) {
    this.#onTraffic = onTraffic;
  }

  bytesIn(path: PathKind, bytes: number): void {
    this.#in[path] += bytes;
    this.#onTraffic(bytes);
  }
  bytesOut(path: PathKind, bytes: number): void {
    this.#out[path] += bytes;
    this.#onTraffic(bytes);
  }
  linkOpened(path: PathKind): void {
    this.#links[path]++;
    this.#linksTotal[path]++;
  }
  linkClosed(path: PathKind): void {
    this.#links[path]--;
  }
  /** @param route the route's template, never the path that was asked for */
  request(method: string, route: string, status: number): void {
    const labels = `method="${method}",route="${route}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
  }
  /** Somebody did too much of something. */
  limited(what: Limited): void {
    this.#limited.set(what, (this.#limited.get(what) ?? 0) + 1);
  }
  /** A signal was passed on to one connection, or dropped. */
  signal(result: (typeof SIGNALS)[number]): void {
    this.#signals[result]++;
  }
  /** Something could not be stored. */
  storeFailed(trouble: StoreTrouble): void {
    this.#storeFailures[trouble]++;
  }
  /** The scrubber read an object. */
  scrubbed(result: ScrubResult): void {
    this.#scrubbed[result]++;
  }
  scrubPassed(): void {
    this.#scrubPasses++;
  }
  /** A stored object was found damaged, by whomever. */
  damaged(): void {
    this.#damaged++;
  }
  /** An object became durable, so long after its last byte came. */
  stored(ms: number): void {
    const seconds = ms / 1000;
    this.#latencySum += seconds;
    const at = BOUNDS.findIndex((bound) => seconds <= bound);
    const bucket = at < 0 ? BOUNDS.length : at;
    this.#latency[bucket] = (this.#latency[bucket] ?? 0) + 1;
  }

  /** Prometheus text format 0.0.4. */
  text(gauges: Gauges): string {
    const lines: string[] = [];
    const family = (name: string, type: string, help: string, samples: readonly string[]) => {
      lines.push(
        `# HELP warp_${name} ${help}`,
        `# TYPE warp_${name} ${type}`,
        ...samples.map((sample) => `warp_${sample}`),
      );
    };
    const perPath = (name: string, values: PerPath) => PATHS.map((path) => `${name}{path="${path}"} ${values[path]}`);
    family("requests_total", "counter", "HTTP requests by route.", [
      ...[...this.#requests].map(([labels, count]) => `requests_total{${labels}} ${count}`),
    ]);
    family("received_bytes_total", "counter", "Object bytes received.", perPath("received_bytes_total", this.#in));
    family("sent_bytes_total", "counter", "Object bytes sent.", perPath("sent_bytes_total", this.#out));
    family("links", "gauge", "Open links.", perPath("links", this.#links));
    family("links_total", "counter", "Links opened.", perPath("links_total", this.#linksTotal));
    family("portals", "gauge", "Portals that have not ended.", [`portals ${gauges.portals}`]);
    family("vaults", "gauge", "Vaults.", [`vaults ${gauges.vaults}`]);
    family("limited_total", "counter", "What was refused because one address did too much of it.", [
      ...LIMITED.map((what) => `limited_total{what="${what}"} ${this.#limited.get(what) ?? 0}`),
    ]);
    family("signals_total", "counter", "Signals between connections of a portal, by what became of them.", [
      ...SIGNALS.map((result) => `signals_total{result="${result}"} ${this.#signals[result]}`),
    ]);
    family("store_bytes", "gauge", "Bytes of stored objects.", [`store_bytes ${gauges.storeBytes}`]);
    family("store_failures_total", "counter", "What could not be stored, by cause.", [
      `store_failures_total{code="full"} ${this.#storeFailures["relay/full"]}`,
      `store_failures_total{code="storage"} ${this.#storeFailures["relay/storage"]}`,
    ]);
    const scrubbed = Object.entries(this.#scrubbed);
    family("scrubbed_objects_total", "counter", "Stored objects that the scrubber read.", [
      ...scrubbed.map(([result, count]) => `scrubbed_objects_total{result="${result}"} ${count}`),
    ]);
    family("scrub_passes_total", "counter", "Times that the scrubber read everything.", [
      `scrub_passes_total ${this.#scrubPasses}`,
    ]);
    family("damaged_objects_total", "counter", "Stored objects found damaged, by reading or scrubbing.", [
      `damaged_objects_total ${this.#damaged}`,
    ]);
    family("upload_buffer_bytes", "gauge", "Bytes between network and disk.", [
      `upload_buffer_bytes ${gauges.uploadBufferBytes}`,
    ]);
    family("webtransport_up", "gauge", "1 when WebTransport is served.", [
      `webtransport_up ${gauges.webtransportUp ? 1 : 0}`,
    ]);
    family("certificate_expires_seconds", "gauge", "When the WebTransport certificate expires, since 1970.", [
      `certificate_expires_seconds ${Math.floor(gauges.certificateExpiresAtMs / 1000)}`,
    ]);
    family("resident_memory_bytes", "gauge", "Resident memory of the process.", [
      `resident_memory_bytes ${process.memoryUsage.rss()}`,
    ]);
    family("store_seconds", "histogram", "From an object's last byte to its acknowledgement.", this.#histogram());
    return `${lines.join("\n")}\n`;
  }

  #histogram(): string[] {
    let total = 0;
    const buckets = BOUNDS.map((bound, i) => {
      total += this.#latency[i] ?? 0;
      return `store_seconds_bucket{le="${bound}"} ${total}`;
    });
    total += this.#latency[BOUNDS.length] ?? 0;
    return [
      ...buckets,
      `store_seconds_bucket{le="+Inf"} ${total}`,
      `store_seconds_sum ${this.#latencySum}`,
      `store_seconds_count ${total}`,
    ];
  }
}
