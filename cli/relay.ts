/**
 * Connects to one relay by plain HTTP requests, again and again while it is away, up to a limit: at a terminal nobody
 * may be there to give up.
 *
 * @module
 */
import { deferred } from "../core/edge/deferred.ts";
import { readRelayInfo } from "../core/edge/http-answer.ts";
import { callApi, openHttpLink } from "../core/edge/http-link.ts";
import { SteadyLink } from "../core/edge/steady-link.ts";
import { Failure } from "../core/failure.ts";
import type { RelayInfo } from "../core/portal/portal.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Dial, LinkRole } from "../core/ports/link.ts";
import { systemClock } from "./clock.ts";
import { fetchFrom } from "./http.ts";

/** How long a relay may stay away in the middle of a transfer. */
const PATIENCE_MS = 10 * 60_000;

/** @throws Failure `relay/unreachable` when nothing answers there, `relay/foreign` when it is not a relay */
export async function relayInfo(origin: string): Promise<RelayInfo> {
  return readRelayInfo(await callApi(fetchFrom(origin), { method: "GET", path: "/api/v1/relay" }));
}

/** HTTP only: the other carriers are a browser's. */
export function httpDial(origin: string, role: LinkRole): Dial {
  return async (carrier, signal, lease) => {
    if (carrier !== "http") throw new Failure("relay/unreachable", { carrier });
    return openHttpLink(fetchFrom(origin), role, lease, systemClock, signal);
  };
}

export interface RelayLink {
  readonly steady: SteadyLink;
  /** Rejects with `relay/unreachable` when the relay stayed away for too long, or with `cancelled`; never resolves. */
  readonly lost: Promise<never>;
  /** Ends everything; pending operations reject. */
  close(): void;
}

/** Starts connecting. `onChange` is called when the connection or the portal's state changed. */
export function openRelayLink(
  dial: Dial,
  signal: AbortSignal,
  onChange: (steady: SteadyLink) => void,
  clock: Clock = systemClock,
  patienceMs: number = PATIENCE_MS,
): RelayLink {
  const lost = deferred<never>();
  let away: AbortController | undefined;
  const watch = (): void => {
    const { carrier, failure } = steady.status;
    if (carrier !== null && (failure === null || failure === "portal/claimed")) {
      away?.abort();
      away = undefined;
    } else if (away === undefined) {
      away = new AbortController();
      clock.sleep(patienceMs, away.signal).then(
        () => lost.reject(new Failure("relay/unreachable", { what: "patience" })),
        () => {},
      );
    }
  };
  const steady: SteadyLink = new SteadyLink({
    dial,
    clock,
    forced: "tcp",
    webtransportAbsent: "webtransport-absent",
    random: Math.random,
    onChange: () => {
      watch();
      onChange(steady);
    },
  });
  watch();
  const close = (): void => {
    signal.removeEventListener("abort", onAbort);
    away?.abort();
    steady.close();
  };
  const onAbort = (): void => {
    lost.reject(new Failure("cancelled"));
    close();
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { steady, lost: lost.promise, close };
}
