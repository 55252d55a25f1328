/**
 * Where a send's portal lives: what is needed to connect there, for a portal that was just made and for one that is taken up
 * again.
 *
 * @module
 */
import type { MadePortal } from "../../core/portal/client.ts";
import { createFurther } from "../../core/portal/further.ts";
import type { RelayInfo } from "../../core/portal/portal.ts";
import type { LeaseWish } from "../../core/ports/link.ts";
import { relayToken } from "../../core/seal/keys.ts";
import { relayInfo } from "../../platform/link/dial.ts";
import { relayHost } from "../../platform/relay-host.ts";
import { admission, type OwnedPortal } from "./portal.ts";

/** A further relay that does not answer for so long is left out; one that answers may take as long to connect. */
export const JOIN_MS = 3_000;
/** Making a portal may take some work first. */
const MAKE_MS = 15_000;

/** A portal at one relay. */
export interface Place {
  readonly origin: string;
  readonly info: RelayInfo;
  /** u8[32] */
  readonly ownerToken: Uint8Array<ArrayBuffer>;
  readonly lease: LeaseWish;
}

/** Makes a portal that was made at home at a further relay too. @throws Failure `relay/…` | `portal/…` when that does not take it */
export async function makePlace(origin: string, made: MadePortal, stop: AbortSignal): Promise<Place> {
  const info = await relayInfo(origin, AbortSignal.any([stop, AbortSignal.timeout(JOIN_MS)]));
  const host = { ...relayHost(origin), signal: AbortSignal.any([stop, AbortSignal.timeout(MAKE_MS)]) };
  const { ownerToken, lease } = await createFurther(host, made, info, await admission(info));
  return { origin, info, ownerToken, lease: { lease, takeOver: false } };
}

/** Where an interrupted send's portal was made too. @throws Failure `relay/…` */
export async function findPlace(origin: string, { link, ownerKey }: OwnedPortal, stop: AbortSignal): Promise<Place> {
  const info = await relayInfo(origin, AbortSignal.any([stop, AbortSignal.timeout(JOIN_MS)]));
  const ownerToken = await relayToken(ownerKey, "own", origin, link.portal);
  return { origin, info, ownerToken, lease: { lease: 0, takeOver: true } };
}
