/**
 * Which carrier to connect over: WebTransport first, a WebSocket when UDP does not get through, plain HTTP when
 * WebSockets are broken too. One attempt; repeating is steady-link.ts.
 *
 * @module
 */
import { Failure, type FailureCode, toFailure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dial, LeaseWish, Link } from "../ports/link.ts";
import type { Carrier, PathKind, PathReason } from "../transfer/snapshot.ts";
import { WEBTRANSPORT_CONNECT_MS } from "../units.ts";
import { deferred } from "./deferred.ts";
import { Reserve } from "./reserve.ts";

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
  /** A sender's; absent for a receiver. */
  readonly lease?: LeaseWish;
  /** Give slow lines more time: for when many attempts have failed. */
  readonly isPatient?: boolean;
}

/** An attempt, and when it should be over. */
interface Attempt extends ConnectOptions {
  readonly endMs: number;
}

/** A receiver stores nothing. */
const NO_LEASE: LeaseWish = { lease: 0, takeOver: false };

/**
 * WebTransport's own limit, so that the fallback stands within WEBTRANSPORT_CONNECT_MS of a sender's click: what is left
 * is for making the portal, for the TCP connection, and for telling the page on a busy machine.
 */
const WEBTRANSPORT_LIMIT_MS = WEBTRANSPORT_CONNECT_MS - 1_000;
/** A WebSocket is opened beside a WebTransport that is not there yet after this time, so that it is ready in time. */
const HEAD_START_MS = 700;
/** Plain requests are made beside a WebSocket that is not there yet after this time. */
const HTTP_HEAD_START_MS = 1_000;
/** Short: what was begun while the line was cut must not hold up what can be begun when it is back. */
const LIMIT_MS = 4_000;
const PATIENT_LIMIT_MS = 10_000;
/** What is left of the limit for a carrier at the least, where one had to wait for the other. */
const MIN_LIMIT_MS = 1_500;
/** Failures that may be the carrier's fault. */
const CARRIER_FAILURES: readonly FailureCode[] = ["relay/unreachable", "relay/foreign"];

/** @throws Failure: the last one met; a final refusal of the relay (unknown, expired, …) ends the search at once */
export async function connect(options: ConnectOptions, signal: AbortSignal): Promise<Connected> {
  const { forced, webtransportAbsent } = options;
  const begun = begin(options);
  if (forced === "webtransport") {
    if (webtransportAbsent !== null) throw new Failure("browser/unsupported", { what: "webtransport" });
    return { link: await dial(begun, "webtransport", leftMs(begun), signal), reason: "forced" };
  }
  if (forced === "tcp") return tcp(begun, "forced", signal);
  if (webtransportAbsent !== null) return tcp(begun, webtransportAbsent, signal);
  return race(begun, signal);
}

/**
 * Looks for a better carrier than the one in use: WebTransport, or a WebSocket where plain requests are in use.
 * Gives undefined when there is none.
 */
export async function connectBetter(
  options: ConnectOptions,
  than: Carrier,
  signal: AbortSignal,
): Promise<Connected | undefined> {
  const { webtransportAbsent } = options;
  try {
    if (webtransportAbsent === null) {
      const begun = begin(options);
      const link = await dial(begun, "webtransport", leftMs(begun), signal);
      return { link, reason: "webtransport-back" };
    }
  } catch {
    // the next one
  }
  try {
    if (than !== "http") return undefined;
    const begun = begin(options);
    const link = await dial(begun, "websocket", leftMs(begun), signal);
    return { link, reason: webtransportAbsent ?? "webtransport-blocked" };
  } catch {
    return undefined;
  }
}

/** Why `next` is in use after a connection over `last`, used for `reason`, fell silent. */
export function reasonAfter(
  { forced, webtransportAbsent }: ConnectOptions,
  last: Carrier,
  reason: PathReason,
  next: Carrier,
): PathReason {
  if (forced !== undefined || last === next) return reason;
  if (last === "webtransport") return "webtransport-lost";
  return next === "http" ? "websocket-blocked" : (webtransportAbsent ?? "webtransport-blocked");
}

async function race(options: Attempt, signal: AbortSignal): Promise<Connected> {
  const open = (stop: AbortSignal) => tcp(options, "webtransport-blocked", stop);
  const reserve = new Reserve(open, headStart(options, HEAD_START_MS), options.clock, signal);
  try {
    const link = await dial(options, "webtransport", WEBTRANSPORT_LIMIT_MS, signal);
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

async function tcp(options: Attempt, reason: PathReason, signal: AbortSignal): Promise<Connected> {
  const open = async (stop: AbortSignal): Promise<Connected> => {
    const link = await dial(options, "http", leftMs(options), stop);
    return { link, reason: reason === "forced" ? reason : "websocket-blocked" };
  };
  const reserve = new Reserve(open, headStart(options, HTTP_HEAD_START_MS), options.clock, signal);
  try {
    const link = await dial(options, "websocket", leftMs(options), signal);
    reserve.drop();
    return { link, reason };
  } catch (error) {
    const failure = toFailure(error, "relay/unreachable");
    if (CARRIER_FAILURES.includes(failure.code)) return await reserve.open();
    reserve.drop();
    throw failure;
  } finally {
    reserve.release();
  }
}

function begin(options: ConnectOptions): Attempt {
  return { ...options, endMs: options.clock.now() + (options.isPatient ? PATIENT_LIMIT_MS : LIMIT_MS) };
}

function leftMs({ clock, endMs }: Attempt): number {
  return Math.max(MIN_LIMIT_MS, endMs - clock.now());
}

/** A sender that still has to be given a lease asks once at a time: two requests would be two senders. */
function headStart({ lease }: ConnectOptions, ms: number): number | undefined {
  return lease?.lease === 0 ? undefined : ms;
}

/** Connects within a limit; a link that comes too late is closed. */
async function dial(options: ConnectOptions, carrier: Carrier, limitMs: number, signal: AbortSignal): Promise<Link> {
  if (signal.aborted) throw new Failure("cancelled");
  const controller = new AbortController();
  const aborted = deferred<never>();
  const onAbort = () => aborted.reject(new Failure("cancelled"));
  signal.addEventListener("abort", onAbort, { once: true });
  const dialled = options.dial(carrier, controller.signal, options.lease ?? NO_LEASE);
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
