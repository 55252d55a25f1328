/**
 * One relay as core's portals and links see it from a browser thread.
 *
 * @module
 */
import type { RelayHost } from "../core/portal/client.ts";
import { fetchFrom } from "./link/fetch.ts";
import { passwordKey } from "./password.ts";

/** @param origin of the relay, for example `http://localhost:8080` */
export function relayHost(origin: string): RelayHost {
  return { origin, send: fetchFrom(origin), passwordKey };
}
