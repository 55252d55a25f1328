/**
 * Further relays that the operator names: portals of this one may live there too, and their pages may use this one. So their
 * origins are all that is allowed here beside the relay's own.
 *
 * @module
 */
import { BlockList, isIP } from "node:net";
import { MAX_FURTHER_RELAYS, RELAYS_MODES, type RelaysMode } from "../../core/portal/portal.ts";

/** What a relay is told of others. */
export interface FurtherRelays {
  /** As browsers write them, `https://relay.example:8443`. */
  readonly origins: readonly string[];
  readonly mode: RelaysMode;
}

/** What `RELAYS` takes, for the operator. */
export const RELAYS_EXPECTED = `at most ${MAX_FURTHER_RELAYS} different addresses such as https://b.example,https://c.example:8443, without a path; http:// only for this machine and private networks`;

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
] as const)
  PRIVATE.addSubnet(network, bits, "ipv4");
PRIVATE.addAddress("::1", "ipv6");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fe80::", 10, "ipv6");
/** Names that no public resolver knows. */
const PRIVATE_NAME = /^(?:[^.]+|.+\.(?:localhost|local|internal|lan|home\.arpa))$/;

/** Undefined for what cannot be used. */
export function parseRelays(text: string): readonly string[] | undefined {
  const entries = text.split(",").filter((part) => part.trim() !== "");
  const origins = entries.map((entry) => parseOrigin(entry.trim()));
  if (origins.length > MAX_FURTHER_RELAYS || new Set(origins).size < origins.length) return undefined;
  return origins.every((origin) => origin !== undefined) ? origins : undefined;
}

/** Undefined for what is no mode. */
export function parseRelaysMode(text: string): RelaysMode | undefined {
  return RELAYS_MODES.find((mode) => mode === text);
}

function parseOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.href === `${url.origin}/` && /^https?:\/\/[^/?#@]+\/?$/i.test(text);
  if (!isPlain || !(url.protocol === "https:" || (url.protocol === "http:" && isPrivate(url.hostname))))
    return undefined;
  return url.origin;
}

/** True for a host that only this machine or its own network reaches. */
function isPrivate(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, "");
  const version = isIP(address);
  if (version === 0) return PRIVATE_NAME.test(hostname);
  return PRIVATE.check(address, version === 4 ? "ipv4" : "ipv6");
}
