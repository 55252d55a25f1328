/**
 * Connects to one relay over any carrier, with what this browser has. The relay's address for WebTransport is asked
 * for again before each connection, because its certificate changes.
 *
 * @module
 */
import { openFramedLink } from "../../core/edge/framed-link.ts";
import { readRelayInfo } from "../../core/edge/http-answer.ts";
import { callApi, openHttpLink } from "../../core/edge/http-link.ts";
import { Failure } from "../../core/failure.ts";
import type { RelayInfo } from "../../core/portal/portal.ts";
import type { Dial, LinkRole } from "../../core/ports/link.ts";
import { systemClock } from "../clock.ts";
import { fetchFrom } from "./fetch.ts";
import { openWebSocketPipe } from "./websocket.ts";
import { openWebTransportPipe } from "./webtransport.ts";

/** @throws Failure `relay/unreachable` when nothing answers there, `relay/foreign` when it is not a relay */
export async function relayInfo(relayOrigin: string, signal?: AbortSignal): Promise<RelayInfo> {
  const request = { method: "GET", path: "/api/v1/relay", ...(signal && { signal }) } as const;
  return readRelayInfo(await callApi(fetchFrom(relayOrigin), request));
}

/** Why WebTransport cannot be tried, or null when it can. */
export function webtransportAbsent(info: RelayInfo): "webtransport-absent" | "webtransport-not-offered" | null {
  if (typeof WebTransport === "undefined") return "webtransport-absent";
  return info.webtransport === null ? "webtransport-not-offered" : null;
}

/**
 * @param role is borrowed for the life of the links
 * @param fresh what the relay told a moment ago; the first connection does not ask again
 */
export function createDial(relayOrigin: string, role: LinkRole, fresh: RelayInfo): Dial {
  const send = fetchFrom(relayOrigin);
  let known: RelayInfo | undefined = fresh;
  return async (carrier, abort, lease) => {
    const signal = abort as AbortSignal;
    switch (carrier) {
      case "http":
        return openHttpLink(send, role, lease, systemClock, signal);
      case "websocket":
        return openFramedLink(await openWebSocketPipe(relayOrigin, signal), role, lease, systemClock);
      case "webtransport": {
        const { webtransport } = known ?? (await relayInfo(relayOrigin, signal));
        known = undefined;
        if (webtransport === null) throw new Failure("relay/unreachable", { carrier });
        return openFramedLink(await openWebTransportPipe(webtransport, signal), role, lease, systemClock);
      }
      default:
        return carrier satisfies never;
    }
  };
}
