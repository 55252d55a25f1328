/**
 * Which carrier to connect over: WebTransport first, a WebSocket when UDP does not get through, plain HTTP when
 * WebSockets are broken too. One attempt; repeating is steady-link.ts.
 *
 * @module
 */
import { Failure, toFailure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dial, Link } from "../ports/link.ts";
import type { Carrier, PathKind, PathReason } from "../transfer/snapshot.ts";
import { WEBTRANSPORT_CONNECT_MS } from "../units.ts";
import { deferred } from "./deferred.ts";

/** A connection and why it is this one. */
export interface Connected {
  readonly link: Link;
  readonly reason: PathReason;
}

/** What one attempt to connect needs. */
export interface ConnectOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  /** `?path=`; undefined chooses. */
  readonly forced: PathKind | undefined;
  /** Why WebTransport cannot be tried at all, or null. */
  readonly webtransportAbsent: "webtransport-absent" | "webtransport-not-offered" | null;
}

/**
 * WebTransport's own limit, so that the fallback stands within WEBTRANSPORT_CONNECT_MS of a sender's click: what is left
 * is for making the portal, for the TCP connection, and for telling the page on a busy machine.
 */
const WEBTRANSPORT_LIMIT_MS = WEBTRANSPORT_CONNECT_MS - 1_000;
/** A WebSocket is opened beside a WebTransport that is not there yet after this time, so that it is ready in time. */
const HEAD_START_MS = 700;
const TCP_LIMIT_MS = 5_000;

/** @throws Failure: the last one met; a final refusal of the relay (unknown, expired, …) ends the search at once */
export async function connect(options: ConnectOptions, signal: AbortSignal): Promise<Connected> {
  const { forced, webtransportAbsent } = options;
  if (forced === "webtransport") {
    if (webtransportAbsent !== null) throw new Failure("browser/unsupported", { what: "webtransport" });
    return { link: await attempt(options, "webtransport", TCP_LIMIT_MS, signal), reason: "forced" };
  }
  if (forced === "tcp") return tcp(options, "forced", signal);
  if (webtransportAbsent !== null) return tcp(options, webtransportAbsent, signal);
  return race(options, signal);
}

async function race(options: ConnectOptions, signal: AbortSignal): Promise<Connected> {
  const reserve = new Reserve(options, signal);
  try {
    const link = await attempt(options, "webtransport", WEBTRANSPORT_LIMIT_MS, signal);
    reserve.drop();
    return { link, reason: "first-choice" };
  } catch (error) {
    const failure = toFailure(error, "relay/unreachable");
    if (failure.retry) return await reserve.open();
    reserve.drop();
    throw failure;
  } finally {
    reserve.release();
  }
}

/** TCP beside a WebTransport that is slow to connect: opened after the head start, or when it is asked for. */
class Reserve {
  readonly #options: ConnectOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#stop.abort();
  #opening: Promise<Connected> | undefined;

  constructor(options: ConnectOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    options.clock.sleep(HEAD_START_MS, this.#stop.signal).then(
      () => void this.open(),
      () => {},
    );
  }

  open(): Promise<Connected> {
    if (this.#opening === undefined) {
      this.#opening = tcp(this.#options, "webtransport-blocked", this.#stop.signal);
      this.#opening.catch(() => {}); // met by whoever opens it in earnest
    }
    return this.#opening;
  }

  /** It is not needed. */
  drop(): void {
    this.#stop.abort();
    this.#opening?.then(
      ({ link }) => link.close(),
      () => {},
    );
  }

  release(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

async function tcp(options: ConnectOptions, reason: PathReason, signal: AbortSignal): Promise<Connected> {
  try {
    return { link: await attempt(options, "websocket", TCP_LIMIT_MS, signal), reason };
  } catch (error) {
    const failure = toFailure(error, "relay/unreachable");
    if (failure.code !== "relay/unreachable") throw failure;
    const link = await attempt(options, "http", TCP_LIMIT_MS, signal);
    return { link, reason: reason === "forced" ? reason : "websocket-blocked" };
  }
}

/** Connects within a limit; a link that comes too late is closed. */
async function attempt(options: ConnectOptions, carrier: Carrier, limitMs: number, signal: AbortSignal): Promise<Link> {
  if (signal.aborted) throw new Failure("cancelled");
  const controller = new AbortController();
  const aborted = deferred<never>();
  const onAbort = () => aborted.reject(new Failure("cancelled"));
  signal.addEventListener("abort", onAbort, { once: true });
  const dialled = options.dial(carrier, controller.signal);
  const done = new AbortController();
  const tooLate = options.clock.sleep(limitMs, done.signal).then(() => {
    throw new Failure("relay/unreachable", { carrier, what: "time" });
  });
  tooLate.catch(() => {});
  try {
    return await Promise.race([dialled, tooLate, aborted.promise]);
  } catch (error) {
    controller.abort();
    dialled.then(
      (link) => link.close(),
      () => {},
    );
    throw error;
  } finally {
    done.abort();
    signal.removeEventListener("abort", onAbort);
  }
}
