/**
 * The relay's half of the link protocol, written once for all carriers: hello, welcome, objects up with acknowledgements,
 * objects down by request, state, commitment, heartbeat.
 *
 * @module
 */
import { Failure, type FailureCode, toFailure } from "../../../core/failure.ts";
import { LINK_SILENCE_MS, UPLOAD_WINDOW_BYTES } from "../../../core/units.ts";
import {
  BYE_OK,
  type ClientFrame,
  decodeClientFrame,
  encodeFrame,
  PROTOCOL_VERSION,
  type RelayFrame,
  wireCode,
} from "../../../core/wire/frame.ts";
import type { ObjectKind } from "../../../core/wire/object.ts";
import type { LinkKey } from "../bytes.ts";
import type { Guard } from "../guard/guard.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { authorise, READERS } from "../portal/authorise.ts";
import type { LivePortal } from "../portal/live-portal.ts";
import type { Portals } from "../portal/portals.ts";
import type { Reader } from "../portal/reader.ts";
import { Arrivals } from "./arrivals.ts";
import type { Carrier, ObjectOutput } from "./carrier.ts";
import { Delivery } from "./delivery.ts";
import { type SignalOutput, Signals } from "./signals.ts";
import type { SlabPool } from "./slab-pool.ts";

/** How long a peer may take to say who it is. */
export const HELLO_MS = 5_000;
/** Objects that a link may have asked for and not been sent. */
export const MAX_WANTS = 64;
/** Control bytes that may wait for a peer; beyond a quarter of it states are put together and signals are dropped. */
const MAX_BACKLOG_BYTES = 1024 * 1024;
/** Answers to a claim after which the link goes on. */
const CLAIM_REFUSALS: ReadonlySet<FailureCode> = new Set(["portal/claimed", "portal/unknown"]);

export interface LinkServices {
  readonly portals: Portals;
  readonly guard: Guard;
  readonly slabs: SlabPool;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What becomes of the link once its peer is known. */
interface Welcomed {
  readonly portal: LivePortal;
  /** Under which it stores; 0 for a receiver, which may not. */
  readonly lease: number;
  readonly reader: Reader;
  readonly delivery: Delivery;
  readonly signals: Signals;
  readonly leave: () => void;
}

export class Link {
  readonly #carrier: Carrier;
  readonly #services: LinkServices;
  readonly #onClosed: () => void;
  readonly #arrivals: Arrivals;
  readonly #outputs: ObjectOutput[] = [];
  readonly #helloTimer: NodeJS.Timeout;
  #helloSeen = false;
  #welcomed: Welcomed | undefined;
  /** Object bytes wait for it. */
  readonly #known = Promise.withResolvers<Welcomed>();
  #heardMs = performance.now();
  /** When object bytes last came. */
  #objectMs = performance.now();
  #busy = 0;
  #stateIsOld = false;
  #isOver = false;

  /** Starts serving at once; `onClosed` is called once when the connection is gone. */
  constructor(carrier: Carrier, services: LinkServices, onClosed: () => void) {
    this.#carrier = carrier;
    this.#services = services;
    this.#onClosed = onClosed;
    this.#known.promise.catch(() => undefined);
    const { portals, guard, metrics } = services;
    this.#arrivals = new Arrivals({
      destination: this.#known.promise,
      portals,
      metrics,
      meter: () => guard.meter(carrier.address),
      send: (frame) => this.#send(frame),
    });
    this.#helloTimer = setTimeout(() => this.end(new Failure("wire/malformed", { what: "no hello" })), HELLO_MS);
    carrier.start({
      frame: (bytes) => this.#guard(() => this.#onFrame(decodeClientFrame(bytes))),
      objectBytes: (stream, bytes) => this.#guard(() => this.#onObjectBytes(stream, bytes)),
      output: (output) => {
        if (this.#welcomed === undefined) this.#outputs.push(output);
        else this.#welcomed.delivery.addOutput(output);
      },
      broken: (failure) => this.end(failure),
      closed: () => this.#onGone(),
    });
  }

  /** Looks after the link every second or so. */
  tick(nowMs: number): void {
    if (this.#stateIsOld) this.#sendState();
    this.#welcomed?.reader.tick();
    // Silence counts only while the relay reads.
    if (this.#busy > 0) this.#heardMs = this.#objectMs = nowMs;
    const silenceMs = nowMs - (this.#arrivals.isInside ? Math.min(this.#heardMs, this.#objectMs) : this.#heardMs);
    if (silenceMs > LINK_SILENCE_MS) this.end(new Failure("relay/unreachable", { what: "silence" }));
    if (this.#welcomed?.delivery.isStalled(nowMs)) this.end(new Failure("relay/unreachable", { what: "stalled" }));
  }

  /** Says good-bye with the failure's code, or without one, and ends the connection. */
  end(reason: Failure | null): void {
    if (this.#isOver) return;
    this.#services.log.debug("link-end", { carrier: this.#carrier.kind, code: reason?.code ?? "ok" });
    this.#send({ t: "bye", code: reason === null ? BYE_OK : wireCode(reason.code) });
    this.#stop();
    this.#carrier.close();
  }

  #onFrame(frame: ClientFrame): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    if (frame.t === "hello") return this.#onHello(frame);
    if (this.#welcomed === undefined) throw new Failure("wire/malformed", { what: "no hello" });
    const { portal, lease, reader, delivery } = this.#welcomed;
    switch (frame.t) {
      case "want":
        delivery.want(frame.kind, frame.index);
        if (delivery.size <= MAX_WANTS) return undefined;
        this.#send({ t: "refuse", kind: frame.kind, index: frame.index, code: wireCode("wire/window") });
        throw new Failure("wire/window", { wants: delivery.size });
      case "unwant":
        delivery.unwant(frame.kind, frame.index);
        return undefined;
      case "commit":
        if (lease === 0) throw new Failure("wire/malformed", { what: "role" });
        return this.#services.portals
          .commit(portal, { packs: frame.packs, pages: frame.pages, root: Uint8Array.from(frame.root) }, lease)
          .then(() => this.#send({ t: "committed" }));
      case "claim":
        return reader.claim(Uint8Array.from(frame.claim)).then(
          () => this.#send({ t: "claimed", code: BYE_OK }),
          (error: unknown) => this.#refuseClaim(error),
        );
      case "complete":
        // Told before the portal ends with its last download.
        return reader.complete(Uint8Array.from(frame.claim), () => this.#send({ t: "completed" }));
      case "signal":
        this.#welcomed.signals.send(frame.to, frame.body);
        return undefined;
      case "ping":
        this.#send({ t: "pong", n: frame.n });
        return undefined;
      case "bye":
        this.end(null);
        return undefined;
      default:
        return frame satisfies never;
    }
  }

  /** Who has to wait for a turn stays connected. */
  #refuseClaim(error: unknown): void {
    if (!(error instanceof Failure) || !CLAIM_REFUSALS.has(error.code)) throw error;
    this.#send({ t: "claimed", code: wireCode(error.code) });
  }

  async #onHello(frame: Extract<ClientFrame, { t: "hello" }>): Promise<void> {
    if (this.#helloSeen) throw new Failure("wire/malformed", { what: "second hello" });
    this.#helloSeen = true;
    if (frame.v !== PROTOCOL_VERSION) throw new Failure("relay/version");
    const { portals, slabs, metrics } = this.#services;
    const allowed = frame.role === "send" ? (["owner"] as const) : READERS;
    const { address } = this.#carrier;
    const { live: portal, link, readLink } = await authorise(this.#services, { ...frame, address }, allowed);
    if (this.#isOver) return;
    clearTimeout(this.#helloTimer);
    const carrier = this.#carrier.kind;
    const reader = portals.reader(portal, readLink);
    const delivery = new Delivery(reader, slabs, {
      refused: (kind, index, failure) => this.#send({ t: "refuse", kind, index, code: wireCode(failure.code) }),
      broken: (failure) => this.end(failure),
      sent: (bytes) => metrics.bytesOut(carrier, bytes),
    });
    const { lease, leave } = await this.#join(portal, frame, link?.link);
    if (this.#isOver) return leave();
    const signals = new Signals(portal, this.#signalOutput, metrics);
    this.#welcomed = { portal, lease, reader, delivery, signals, leave };
    const limits = { windowBytes: UPLOAD_WINDOW_BYTES, maxWants: MAX_WANTS };
    this.#send({ t: "welcome", v: PROTOCOL_VERSION, limits, lease, member: signals.member, state: portal.state() });
    this.#services.log.debug("link", { carrier, portal: portal.key, address: this.#carrier.address });
    for (const output of this.#outputs.splice(0)) delivery.addOutput(output);
    this.#known.resolve(this.#welcomed);
  }

  async #join(
    portal: LivePortal,
    { role, lease, takeOver }: Extract<ClientFrame, { t: "hello" }>,
    link: LinkKey | undefined,
  ): Promise<{ readonly lease: number; readonly leave: () => void }> {
    const member = { onState: () => this.#sendState(), onEnd: (reason: Failure) => this.end(reason) };
    if (role === "receive") {
      if (lease !== 0 || takeOver) throw new Failure("wire/malformed", { what: "lease" });
      return { lease, leave: portal.join({ ...member, role, lease, ...(link && { link }) }) };
    }
    const onLost = (kind: ObjectKind, index: number) => {
      // What was lost before the welcome is not in its state.
      if (this.#welcomed !== undefined) this.#send({ t: "lost", kind, index });
    };
    return this.#services.portals.admitSender(portal, { lease, takeOver }, { ...member, onLost });
  }

  #onObjectBytes(stream: number, bytes: Uint8Array): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    this.#objectMs = performance.now();
    this.#services.metrics.bytesIn(this.#carrier.kind, bytes.length);
    return this.#arrivals.push(stream, bytes);
  }

  readonly #signalOutput: SignalOutput = {
    hasRoom: () => this.#carrier.controlBacklog <= MAX_BACKLOG_BYTES / 4,
    send: (from, body) => this.#send({ t: "signal", from, body }),
  };

  #sendState(): void {
    const portal = this.#welcomed?.portal;
    if (portal === undefined || this.#isOver) return;
    this.#stateIsOld = this.#carrier.controlBacklog > MAX_BACKLOG_BYTES / 4;
    if (!this.#stateIsOld) this.#send({ t: "state", state: portal.state() });
  }

  #send(frame: RelayFrame): void {
    if (this.#isOver) return;
    this.#carrier.sendFrame(encodeFrame(frame));
    if (this.#carrier.controlBacklog <= MAX_BACKLOG_BYTES) return;
    // A peer that does not read its frames would not read a good-bye either.
    this.#stop();
    this.#carrier.close();
  }

  /** Whatever goes wrong while serving a peer ends its link and nothing else. */
  #guard(action: () => Promise<void> | undefined): Promise<void> | undefined {
    this.#heardMs = performance.now();
    try {
      const pending = action();
      if (pending === undefined) return undefined;
      this.#busy++;
      return pending
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#busy--;
          this.#heardMs = performance.now();
        });
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof Failure)) this.#services.log.bug("link", error);
    this.end(toFailure(error, "relay/storage"));
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#helloTimer);
    this.#known.reject(new Failure("cancelled"));
    this.#arrivals.abort();
    this.#welcomed?.delivery.stop();
    this.#welcomed?.reader.renew();
    this.#welcomed?.signals.leave();
    this.#welcomed?.leave();
  }

  #onGone(): void {
    if (!this.#isOver) this.#stop();
    this.#onClosed();
  }
}
