/**
 * The relays beside home that a receive's portal lives at too: found by what home tells of them, and asked again while the portal
 * may still be made there.
 *
 * @module
 */
import { RelayEdge } from "../../core/edge/relay-edge.ts";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { reopenLink } from "../../core/portal/client.ts";
import type { PortalLink } from "../../core/seal/link.ts";
import { systemClock } from "../../platform/clock.ts";
import { createDial, relayInfo, webtransportAbsent } from "../../platform/link/dial.ts";
import { onNetworkChange } from "../../platform/link/wake.ts";
import { relayHost } from "../../platform/relay-host.ts";
import type { Overrides } from "./api.ts";

/** Rests between the tries at a relay that did not have the portal, or was not there; the last one is repeated. */
const RESTS_MS = [1_000, 2_000, 5_000, 15_000, 60_000];

/** What opening a portal at another relay takes. */
export interface FurtherParts {
  readonly origins: readonly string[];
  readonly link: PortalLink;
  /** HMAC-SHA-256 key behind the link's token. */
  readonly auth: CryptoKey;
  readonly overrides: Overrides;
  readonly signal: AbortSignal;
  /** Something about one of them changed. */
  readonly onChange: () => void;
  /** One of them has the portal. */
  readonly onEdge: (edge: RelayEdge) => void;
}

/** Looks for the portal at all of them, until the signal aborts, which also closes their links. */
export function joinFurther(parts: FurtherParts): void {
  for (const origin of parts.origins) void lookFor(origin, parts);
}

async function lookFor(origin: string, parts: FurtherParts): Promise<void> {
  for (let tries = 0; !parts.signal.aborted; tries++) {
    try {
      await joinOne(origin, parts);
      return;
    } catch {
      // Not there, or not yet.
    }
    await systemClock.sleep(RESTS_MS[tries] ?? RESTS_MS.at(-1) ?? 0, parts.signal).catch(() => {});
  }
}

async function joinOne(origin: string, parts: FurtherParts): Promise<void> {
  const { link, auth, overrides, signal, onChange, onEdge } = parts;
  const [{ token }, info] = await Promise.all([reopenLink(relayHost(origin), link, auth), relayInfo(origin)]);
  if (signal.aborted) return;
  const steady = new SteadyLink({
    dial: createDial(origin, { portal: link.portal, role: "receive", token }, info),
    clock: systemClock,
    forced: overrides.path,
    webtransportAbsent: webtransportAbsent(info),
    random: Math.random,
    wake: onNetworkChange,
    onChange,
  });
  signal.addEventListener("abort", () => steady.close(), { once: true });
  onEdge(new RelayEdge(new URL(origin).host, steady));
}
