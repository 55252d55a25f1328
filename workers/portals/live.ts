/**
 * What a relay tells of a portal that is managed from here, by this machine's clock, with the links and deliveries as only this
 * person can read them.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { type Manager, portalDeliveries } from "../../core/portal/manage.ts";
import { offerKeys, openOffer } from "../../core/portal/offer.ts";
import type { Delivery, LinkDetails, PortalDetails } from "../../core/portal/portal.ts";
import type { PortalRecord, RecordLink } from "../../core/portal/record.ts";
import { linkId } from "../../core/seal/keys.ts";
import { formatLink, parseLink } from "../../core/seal/link.ts";
import type { KnownDelivery, KnownLink, LivePortal } from "./api.ts";

/** How far the relay's clock is ahead of this machine's, milliseconds. */
export function clockLead({ nowMs }: Pick<PortalDetails, "nowMs">): number {
  return nowMs - Date.now();
}

/** @throws Failure when the deliveries of a request cannot be asked for */
export async function toLive(manager: Manager, record: PortalRecord, details: PortalDetails): Promise<LivePortal> {
  const leadMs = clockLead(details);
  const hasEnded = details.phase === "expired" || details.phase === "archived";
  const deliveries = details.kind === "request" && !hasEnded ? await portalDeliveries(manager) : null;
  const { phase, isComplete, bytes, downloads, maxDownloads, claims, receivers, idleSeconds } = details;
  return {
    ...{ phase, isComplete, bytes, downloads, maxDownloads, claims, receivers, idleSeconds },
    expiresAtMs: details.expiresAtMs - leadMs,
    usedAtMs: details.usedAtMs - leadMs,
    links: await knownLinks(record.links, details.links, leadMs),
    deliveries: deliveries && (await knownDeliveries(record, deliveries, leadMs)),
  };
}

/** Links that the relay has no more were revoked, maybe elsewhere. Gives undefined when that is no news. */
export async function withoutRevoked(
  links: readonly RecordLink[],
  told: readonly LinkDetails[],
): Promise<readonly RecordLink[] | undefined> {
  const names = new Set(told.map(({ link }) => link));
  const marked = await Promise.all(
    links.map(async (link) => (names.has(await nameOf(link)) ? link : { ...link, isRevoked: true })),
  );
  return marked.some(({ isRevoked }, i) => isRevoked === true && links[i]?.isRevoked !== true) ? marked : undefined;
}

/** The public name of a link, base64url. */
export async function nameOf({ path, link }: RecordLink): Promise<string> {
  return path === null ? (link ?? "") : base64urlnopad.encode(await linkId(parseLink(path)));
}

async function knownLinks(
  links: readonly RecordLink[],
  told: readonly LinkDetails[],
  leadMs: number,
): Promise<KnownLink[]> {
  const known = new Map(await Promise.all(links.map(async (link) => [await nameOf(link), link] as const)));
  return told.map((details) => {
    const { label = "", path = null } = known.get(details.link) ?? {};
    const here = (timeMs: number | null) => (timeMs === null ? null : timeMs - leadMs);
    return {
      ...details,
      label,
      path,
      notBeforeMs: here(details.notBeforeMs),
      expiresAtMs: here(details.expiresAtMs),
      createdAtMs: details.createdAtMs - leadMs,
    };
  });
}

async function knownDeliveries(
  { portal, secret }: PortalRecord,
  deliveries: readonly Delivery[],
  leadMs: number,
): Promise<KnownDelivery[]> {
  const request = base64urlnopad.decode(portal);
  const privateKey = secret === null ? null : (await offerKeys(secret, request)).privateKey;
  return Promise.all(
    deliveries.map(async (delivery) => ({
      portal: delivery.portal,
      createdAtMs: delivery.createdAtMs - leadMs,
      expiresAtMs: delivery.expiresAtMs - leadMs,
      bytes: delivery.bytes,
      isComplete: delivery.isComplete,
      path: privateKey && (await pathOf(privateKey, request, delivery)),
    })),
  );
}

/** Null for an offer that was not sealed for this request and this delivery. */
async function pathOf(privateKey: CryptoKey, request: Uint8Array, { portal, offer }: Delivery): Promise<string | null> {
  try {
    const delivery = new Uint8Array(base64urlnopad.decode(portal));
    const sealed = new Uint8Array(base64urlnopad.decode(offer));
    return formatLink({ portal: delivery, secret: await openOffer(privateKey, { request, delivery }, sealed) });
  } catch (error) {
    if (error instanceof Failure || error instanceof Error) return null;
    throw error;
  }
}
