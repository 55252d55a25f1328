/**
 * Where a portal lives beside its home, the relay that its link names.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { asArray, asString, malformed } from "../wire/check.ts";
import { MAX_FURTHER_RELAYS, type PortalDetails, type RelayInfo } from "./portal.ts";

/** Characters of an origin. */
export const MAX_ORIGIN_LENGTH = 255;
/** As browsers write it, `https://relay.example:8443`. */
const ORIGIN = /^https?:\/\/(?:(?![/?#@\\])[!-~])+$/;

/** What decides where a new portal may live. */
export interface NewPortalRules {
  readonly maxDownloads: number | null;
  /** It is handed in to a request. */
  readonly isDelivery: boolean;
}

/**
 * The origins at which a portal that is being sent may live beside `home`. Downloads that are counted are counted at one relay,
 * and a delivery belongs to the relay of its request.
 */
export function furtherOrigins(
  { relays }: Pick<RelayInfo, "relays">,
  home: string,
  { maxDownloads, isDelivery }: NewPortalRules,
): readonly string[] {
  if (maxDownloads !== null || isDelivery) return [];
  const others = new Set(relays.origins.filter((origin) => isOrigin(origin) && origin !== home));
  return [...others].slice(0, MAX_FURTHER_RELAYS);
}

/** Whether downloads of a portal are counted, over all its links or by one of them. */
export function isCounted({ maxDownloads, links }: Pick<PortalDetails, "maxDownloads" | "links">): boolean {
  return maxDownloads !== null || links.some(({ capability, maxUses }) => capability === "read" && maxUses !== null);
}

/** True for an http or https origin as browsers write it. */
export function isOrigin(text: string): boolean {
  return text.length <= MAX_ORIGIN_LENGTH && ORIGIN.test(text);
}

/** Origins that were written down. @throws Failure `wire/malformed` for too many, too few, one twice, or what is no origin */
export function asOrigins(value: unknown, what: string, min = 0): readonly string[] {
  const origins = asArray(value, what, MAX_FURTHER_RELAYS).map((each) => asString(each, what, MAX_ORIGIN_LENGTH));
  if (new Set(origins).size < origins.length || !origins.every(isOrigin) || origins.length < min) malformed(what);
  return origins;
}

/** The same, where what was kept long ago may lack them: none then, and none for what cannot be read. */
export function keptOrigins(value: unknown): readonly string[] {
  if (value === undefined) return [];
  try {
    return asOrigins(value, "relays");
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
