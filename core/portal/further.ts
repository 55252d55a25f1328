/**
 * A portal at a further relay: made there with the same name, secrets, links and grants as at home, only its tokens are others;
 * and made there what it is at home, whoever changed it and whenever that relay could not be reached. Home alone says what it is.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { base64urlnopad } from "@scure/base";
import { ascii } from "../bytes.ts";
import { readRelayInfo } from "../edge/http-answer.ts";
import { callApi } from "../edge/http-link.ts";
import { ownerKey, relayToken, tokenHash } from "../seal/keys.ts";
import { type Admission, endPortal, type MadePortal, postPortal, type RelayHost } from "./client.ts";
import { addPortalLink, changePortal, isGone, type Manager, portalDetails, revokePortalLink } from "./manage.ts";
import { linkFor } from "./new-link.ts";
import { MIN_EXPIRY_SECONDS, type NewLink, type PortalChange, type PortalDetails, type RelayInfo } from "./portal.ts";
import { isCounted } from "./relays.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Ends that differ by less are one: clocks are never quite alike, and a request takes its time. */
const SAME_END_MS = 60_000;

/** A portal that was made at a further relay. */
export interface MadeFurther {
  /** u8[32] */
  readonly ownerToken: Bytes;
  /** 0 when it was there already. */
  readonly lease: number;
}

/** A portal at a further relay, by its owner. */
export interface FurtherPortal {
  readonly host: RelayHost;
  readonly portal: Bytes;
  /** u8[32] */
  readonly ownerSecret: Bytes;
  /** The owner's secret that this relay may still know instead; null for none. */
  readonly olderSecret: Bytes | null;
  /** Links that were made at home since, as this relay is told of them. */
  readonly links: readonly NewLink[];
}

/** What came of it: it is as at home, it was ended, or the relay does not know it by any of its owner's secrets. */
export interface Alike {
  readonly standing: "alike" | "ended" | "unknown";
  /** Until it ends there; 0 when it is over. */
  readonly leftMs: number;
}

/**
 * Makes a portal that was made at home at a further relay too, for no longer than that keeps portals.
 * @throws Failure `portal/…` | `relay/…`
 */
export async function createFurther(
  host: RelayHost,
  { link, ownerSecret, told }: Pick<MadePortal, "link" | "ownerSecret" | "told">,
  { limits }: Pick<RelayInfo, "limits">,
  admission: Admission,
): Promise<MadeFurther> {
  const [ownerToken, first] = await Promise.all([
    tokenOf(host, link.portal, ownerSecret),
    linkFor(host.origin, told.link, link.portal),
  ]);
  const { expirySeconds, idleSeconds } = told.body;
  const body = {
    ...told.body,
    ownerTokenHash: base64urlnopad.encode(tokenHash(ownerToken)),
    expirySeconds: Math.min(expirySeconds, limits.maxExpirySeconds),
    idleSeconds: idleSeconds === null ? null : Math.min(idleSeconds, limits.maxExpirySeconds),
    links: [first],
    partial: true,
  };
  const { lease } = await postPortal(host, body, admission);
  return { ownerToken, lease };
}

/** What of a portal at home a further relay is told of, in few letters: another text when there is something to tell. */
export function stepOf(home: PortalDetails): string {
  const { phase, expiresAtMs, idleSeconds, links } = home;
  const what = [isOver(home), phase === "paused", expiresAtMs, idleSeconds, isCounted(home)];
  const text = JSON.stringify([...what, ...links.map(({ link }) => link).sort()]);
  return base64urlnopad.encode(sha256(ascii(text)).subarray(0, 16));
}

/**
 * Makes it at a further relay what it is at home. It ends there when it has ended at home, and when its downloads are counted:
 * that is done at one relay.
 * @throws Failure `relay/…` | `wire/malformed`; then the same again does the rest
 */
export async function makeAlike(further: FurtherPortal, home: PortalDetails): Promise<Alike> {
  if (isOver(home) || isCounted(home)) return endFurther(further);
  const { ownerSecret, olderSecret, host, portal } = further;
  const manager = await managerOf(further, ownerSecret);
  let there = await detailsOf(manager);
  if (there === undefined && olderSecret !== null) {
    const older = await managerOf(further, olderSecret);
    there = await detailsOf(older);
    const ownerTokenHash = base64urlnopad.encode(tokenHash(await tokenOf(host, portal, ownerSecret)));
    if (there !== undefined && !isOver(there)) there = await changePortal(older, { ownerTokenHash });
  }
  if (there === undefined) return { standing: "unknown", leftMs: 0 };
  if (isOver(there)) return { standing: "ended", leftMs: 0 };
  const changed = await changeRules(manager, there, home);
  await changeLinks(manager, there, home, further.links);
  return { standing: "alike", leftMs: leftOf(changed) };
}

/** Ends it there, by whichever secret it knows. @throws Failure `relay/…` */
export async function endFurther(further: FurtherPortal): Promise<Alike> {
  const { ownerSecret, olderSecret } = further;
  for (const secret of [ownerSecret, olderSecret]) {
    if (secret === null) continue;
    const { host, portal, token } = await managerOf(further, secret);
    try {
      await endPortal(host, portal, token);
      return { standing: "ended", leftMs: 0 };
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return { standing: "unknown", leftMs: 0 };
}

/** Gives what it is there then. */
async function changeRules(manager: Manager, there: PortalDetails, home: PortalDetails): Promise<PortalDetails> {
  const isPaused = home.phase === "paused";
  const isOtherEnd = Math.abs(leftOf(home) - leftOf(there)) > SAME_END_MS;
  const isOtherIdle = home.idleSeconds !== there.idleSeconds;
  const limits = isOtherEnd || isOtherIdle ? (await infoOf(manager.host)).limits : undefined;
  const most = limits?.maxExpirySeconds ?? 0;
  const seconds = Math.max(MIN_EXPIRY_SECONDS, Math.round(leftOf(home) / 1000));
  const change: PortalChange = {
    ...(isPaused !== (there.phase === "paused") && { paused: isPaused }),
    ...(isOtherEnd && { expirySeconds: Math.min(seconds, most) }),
    ...(isOtherIdle && { idleSeconds: home.idleSeconds === null ? null : Math.min(home.idleSeconds, most) }),
  };
  return Object.keys(change).length === 0 ? there : changePortal(manager, change);
}

async function changeLinks(
  manager: Manager,
  there: PortalDetails,
  home: PortalDetails,
  fresh: readonly NewLink[],
): Promise<void> {
  const namesOf = ({ links }: PortalDetails) => new Set(links.map(({ link }) => link));
  const [wanted, known] = [namesOf(home), namesOf(there)];
  const revoked = there.links.filter(({ link }) => !wanted.has(link));
  const added = fresh.filter(({ link }) => wanted.has(link) && !known.has(link));
  for (const { link } of revoked) await revokePortalLink(manager, link);
  for (const link of added) await addPortalLink(manager, link);
}

async function managerOf({ host, portal }: FurtherPortal, secret: Bytes): Promise<Manager> {
  return { host, portal, token: await tokenOf(host, portal, secret) };
}

/** Undefined for a portal that the relay does not know by this token. */
async function detailsOf(manager: Manager): Promise<PortalDetails | undefined> {
  try {
    return await portalDetails(manager);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function infoOf({ send, signal }: RelayHost): Promise<RelayInfo> {
  return readRelayInfo(await callApi(send, { method: "GET", path: "/api/v1/relay", ...(signal && { signal }) }));
}

async function tokenOf({ origin }: RelayHost, portal: Uint8Array, secret: Bytes): Promise<Bytes> {
  return relayToken(await ownerKey(secret), "own", origin, portal);
}

function isOver({ phase }: PortalDetails): boolean {
  return phase === "expired" || phase === "archived";
}

/** Until it ends, by that relay's own date, milliseconds. */
function leftOf({ expiresAtMs, nowMs }: PortalDetails): number {
  return expiresAtMs - nowMs;
}
