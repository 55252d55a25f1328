/**
 * All links of this relay: how many there may be, in all and from one address, and their end when the relay stops.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import { encodeFrame, wireCode } from "../../../core/wire/frame.ts";
import type { Carrier } from "./carrier.ts";
import { Link, type LinkServices } from "./link.ts";

const TICK_MS = 1000;

export interface LinkCounts {
  readonly max: number;
  readonly maxPerAddress: number;
}

export class Links {
  readonly #services: LinkServices;
  readonly #limits: LinkCounts;
  readonly #links = new Set<Link>();
  readonly #byAddress = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #isStopping = false;
  #onEmpty: (() => void) | undefined;

  constructor(services: LinkServices, limits: LinkCounts) {
    this.#services = services;
    this.#limits = limits;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get size(): number {
    return this.#links.size;
  }

  /** Serves a fresh connection, or tells it why not. */
  accept(carrier: Carrier): void {
    const { address, kind } = carrier;
    const ofAddress = this.#byAddress.get(address) ?? 0;
    const isFull = this.#links.size >= this.#limits.max || ofAddress >= this.#limits.maxPerAddress;
    if (isFull || this.#isStopping) {
      refuse(carrier, this.#isStopping ? "relay/stopping" : "relay/busy");
      return;
    }
    this.#byAddress.set(address, ofAddress + 1);
    this.#services.metrics.linkOpened(kind);
    const link = new Link(carrier, this.#services, () => {
      if (!this.#links.delete(link)) return;
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(address, left);
      else this.#byAddress.delete(address);
      this.#services.metrics.linkClosed(kind);
      if (this.#links.size === 0) this.#onEmpty?.();
    });
    this.#links.add(link);
  }

  /** Says good-bye to everybody; resolves when all are gone or after `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    if (this.#links.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const link of [...this.#links]) link.end(new Failure("relay/stopping"));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, limitMs);
    await Promise.race([empty, late.promise]);
    clearTimeout(timer);
  }

  #tick(): void {
    const now = performance.now();
    for (const link of this.#links) link.tick(now);
  }
}

function refuse(carrier: Carrier, code: "relay/stopping" | "relay/busy"): void {
  const nothing = () => undefined;
  carrier.start({ frame: nothing, objectBytes: nothing, output: nothing, broken: nothing, closed: nothing });
  carrier.sendFrame(encodeFrame({ t: "bye", code: wireCode(code) }));
  carrier.close();
}
