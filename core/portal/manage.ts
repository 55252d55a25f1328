/**
 * Changing a portal and looking after it, by its owner or an admin link, over the relay's API. Whatever has another form than
 * a relay's answer is refused.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi, type HttpRequest } from "../edge/http-link.ts";
import { Failure } from "../failure.ts";
import { asArray, asBoolean, asFields, asInteger, asOneOf, asString } from "../wire/check.ts";
import { PORTAL_PHASES } from "../wire/frame.ts";
import { portalPath, type RelayHost } from "./client.ts";
import {
  CAPABILITIES,
  type Delivery,
  END_REASONS,
  type LinkDetails,
  MAX_LINKS,
  MAX_OFFER_BYTES,
  type NewLink,
  PORTAL_KINDS,
  type PortalChange,
  type PortalDetails,
} from "./portal.ts";

/** A portal, and who asks. */
export interface Manager {
  readonly host: RelayHost;
  /** u8[16] */
  readonly portal: Uint8Array<ArrayBuffer>;
  /** The owner's, or an admin link's; u8[32] */
  readonly token: Uint8Array<ArrayBuffer>;
}

/** Characters of 16 bytes in base64url. */
const NAME_CHARACTERS = 22;
/** Deliveries in one answer. */
const MAX_DELIVERIES = 100_000;

/** @throws Failure `portal/unknown` | `relay/…` */
export async function portalDetails(manager: Manager): Promise<PortalDetails> {
  return readDetails(await call(manager, { method: "GET", path: "/details" }));
}

/** @throws Failure `portal/unknown` | `portal/expired` | `wire/malformed` | `relay/…` */
export async function changePortal(manager: Manager, change: PortalChange): Promise<PortalDetails> {
  return readDetails(await call(manager, { method: "PATCH", path: "", body: JSON.stringify(change) }));
}

/** What was handed in to a request. @throws Failure `portal/unknown` | `portal/expired` | `relay/…` */
export async function portalDeliveries(manager: Manager): Promise<readonly Delivery[]> {
  const answer = await call(manager, { method: "GET", path: "/deliveries" });
  return read("deliveries", () =>
    asArray(asFields(answer, "deliveries")["deliveries"], "deliveries", MAX_DELIVERIES).map(readDelivery),
  );
}

/** @throws Failure `portal/unknown` | `portal/expired` | `portal/full` | `relay/…` */
export async function addPortalLink(manager: Manager, link: NewLink): Promise<void> {
  await call(manager, { method: "POST", path: "/links", body: JSON.stringify(link) });
}

/** The link is worth nothing from now on. @param link its public name, base64url. @throws Failure `portal/…` | `relay/…` */
export async function revokePortalLink(manager: Manager, link: string): Promise<void> {
  await call(manager, { method: "DELETE", path: `/links/${link}` });
}

/** The answer says that the relay knows the portal no more, or that it has ended. */
export function isGone(error: unknown): boolean {
  return error instanceof Failure && (error.code === "portal/unknown" || error.code === "portal/expired");
}

function call({ host, portal, token }: Manager, { method, path, body }: HttpRequest): Promise<unknown> {
  return callApi(host.send, {
    method,
    path: portalPath(portal) + path,
    headers: {
      Authorization: `Bearer ${base64urlnopad.encode(token)}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    ...(body !== undefined && { body }),
    ...(host.signal && { signal: host.signal }),
  });
}

function readDetails(value: unknown): PortalDetails {
  return read("details", () => {
    const fields = asFields(value, "details");
    const integer = (name: string) => asInteger(fields[name], name);
    return {
      portal: asString(fields["portal"], "portal", NAME_CHARACTERS),
      kind: asOneOf(fields["kind"], PORTAL_KINDS, "kind"),
      phase: asOneOf(fields["phase"], PORTAL_PHASES, "phase"),
      endReason: fields["endReason"] === null ? null : asOneOf(fields["endReason"], END_REASONS, "endReason"),
      nowMs: integer("nowMs"),
      createdAtMs: integer("createdAtMs"),
      expiresAtMs: integer("expiresAtMs"),
      usedAtMs: integer("usedAtMs"),
      idleSeconds: integerOrNull(fields["idleSeconds"], "idleSeconds"),
      maxDownloads: integerOrNull(fields["maxDownloads"], "maxDownloads"),
      downloads: integer("downloads"),
      claims: integer("claims"),
      bytes: integer("bytes"),
      isComplete: asBoolean(fields["isComplete"], "isComplete"),
      senders: integer("senders"),
      receivers: integer("receivers"),
      links: asArray(fields["links"], "links", MAX_LINKS).map(readLink),
    };
  });
}

function readLink(value: unknown): LinkDetails {
  const fields = asFields(value, "link");
  return {
    link: asString(fields["link"], "link", NAME_CHARACTERS),
    capability: asOneOf(fields["capability"], CAPABILITIES, "capability"),
    hasPassword: asBoolean(fields["hasPassword"], "hasPassword"),
    uses: asInteger(fields["uses"], "uses"),
    maxUses: integerOrNull(fields["maxUses"], "maxUses"),
    notBeforeMs: integerOrNull(fields["notBeforeMs"], "notBeforeMs"),
    expiresAtMs: integerOrNull(fields["expiresAtMs"], "expiresAtMs"),
    createdAtMs: asInteger(fields["createdAtMs"], "createdAtMs"),
  };
}

function readDelivery(value: unknown): Delivery {
  const fields = asFields(value, "delivery");
  return {
    portal: asString(fields["portal"], "portal", NAME_CHARACTERS),
    offer: asString(fields["offer"], "offer", 2 * MAX_OFFER_BYTES),
    createdAtMs: asInteger(fields["createdAtMs"], "createdAtMs"),
    expiresAtMs: asInteger(fields["expiresAtMs"], "expiresAtMs"),
    bytes: asInteger(fields["bytes"], "bytes"),
    isComplete: asBoolean(fields["isComplete"], "isComplete"),
  };
}

function integerOrNull(value: unknown, what: string): number | null {
  return value === null ? null : asInteger(value, what);
}

function read<T>(what: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    throw new Failure("relay/foreign", { what }, { cause });
  }
}
