/**
 * Reading answers over plain HTTP: a network on the way may answer in the relay's place (a login page, a proxy's error, a
 * redirect), and its words are not the relay's.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure, type FailureCode, isRelayCode } from "../failure.ts";
import {
  HASH_HEADER,
  HASH_PATTERN,
  type PortalStateJson,
  RELAY_HEADER,
  RELAYS_MODES,
  type RelayInfo,
} from "../portal/portal.ts";
import { asOrigins } from "../portal/relays.ts";
import { MAX_WORK_BITS } from "../portal/work.ts";
import type { OnBytes } from "../ports/link.ts";
import { asArray, asBoolean, asFields, asInteger, asOneOf, asString } from "../wire/check.ts";
import { checkState, type PortalState } from "../wire/frame.ts";
import { checkHeader, type ObjectKind, type SealedObject } from "../wire/object.ts";
import type { HttpResponse } from "./http-link.ts";

const MAX_JSON_BYTES = 4 * 1024 * 1024;
const DAY_SECONDS = 86_400;

/**
 * Makes sure that the relay itself answered.
 * @throws Failure `relay/foreign` | `relay/unreachable` from a gateway whose relay is away | `relay/busy` | `wire/too-large`
 */
export function checkRelay({ status, header, bytes }: HttpResponse): void {
  if (header(RELAY_HEADER) !== null) return;
  bytes(MAX_JSON_BYTES).catch(() => {}); // read, so that the connection is free again
  throw new Failure(foreignCode(status), { status });
}

function foreignCode(status: number): FailureCode {
  if (status === 413) return "wire/too-large"; // a proxy with a limit below one pack: waiting does not help
  if (status === 429) return "relay/busy";
  // 511: the network wants a login
  return status === 408 || (status >= 500 && status < 511) ? "relay/unreachable" : "relay/foreign";
}

/** The JSON of an answer, undefined for one without a body. @throws Failure with the relay's code */
export async function readJson(response: HttpResponse): Promise<unknown> {
  checkRelay(response);
  const value = parseJson(await response.bytes(MAX_JSON_BYTES));
  if (response.status >= 400) throw relayFailure(response.status, value);
  if (response.status !== 204 && (typeof value !== "object" || value === null)) throw foreign("body");
  return value;
}

/** The object of an answer. @throws Failure with the relay's code, or because of its form */
export async function readObject(
  kind: ObjectKind,
  index: number,
  response: HttpResponse,
  maxBytes: number,
  onBytes?: OnBytes,
) {
  checkRelay(response);
  const bytes = await response.bytes(maxBytes, response.status === 200 ? onBytes : undefined);
  if (response.status !== 200) throw relayFailure(response.status, parseJson(bytes));
  const hash = response.header(HASH_HEADER) ?? "";
  if (!HASH_PATTERN.test(hash)) throw foreign("hash");
  const final = response.header("Warp-Final") === "1";
  const header = { kind, index, final, length: bytes.length, hash: new Uint8Array(base64urlnopad.decode(hash)) };
  checkHeader(header);
  return { header, bytes } satisfies SealedObject;
}

/** @throws Failure `relay/foreign` for anything but a portal's state */
export function readState({ commitment, version, ...rest }: PortalStateJson): { state: PortalState; version: number } {
  try {
    const root = commitment && new Uint8Array(base64urlnopad.decode(commitment.root));
    if (typeof version !== "number") throw new Failure("wire/malformed", { what: "version" });
    return { state: checkState({ ...rest, commitment: commitment && { ...commitment, root } }), version };
  } catch (cause) {
    throw foreign("state", cause);
  }
}

/** What a relay tells of itself. @throws Failure `relay/foreign` for anything else */
export function readRelayInfo(value: unknown): RelayInfo {
  try {
    const info = asFields(value, "relay");
    const limits = asFields(info["limits"], "limits");
    asInteger(info["version"], "version");
    for (const name of ["maxPortalBytes", "maxExpirySeconds", "defaultExpirySeconds"]) asInteger(limits[name], name);
    const creation = asFields(info["creation"], "creation");
    asBoolean(creation["invite"], "invite");
    asInteger(creation["workBits"], "workBits", MAX_WORK_BITS);
    const relays = asFields(info["relays"], "relays");
    asOrigins(relays["origins"], "origins");
    asOneOf(relays["mode"], RELAYS_MODES, "mode");
    if (info["webtransport"] !== null) {
      const { url, certificateHashes } = asFields(info["webtransport"], "webtransport");
      asString(url, "url", 1000);
      for (const hash of asArray(certificateHashes, "certificateHashes", 16)) asString(hash, "hash", 100);
    }
    return value as RelayInfo;
  } catch (cause) {
    throw foreign("relay", cause);
  }
}

function relayFailure(status: number, body: unknown): Failure {
  const code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
  if (typeof code !== "string" || !isRelayCode(code)) return new Failure("relay/unreachable", { status });
  const seconds = retrySeconds(body);
  return new Failure(code, seconds === undefined ? { status } : { status, retrySeconds: seconds });
}

/** How long the relay asks to wait; the one detail of its answers that is for people. */
function retrySeconds(body: unknown): number | undefined {
  const details = typeof body === "object" && body !== null && "details" in body ? body.details : undefined;
  const seconds =
    typeof details === "object" && details !== null && "retrySeconds" in details ? details.retrySeconds : undefined;
  const isUsable =
    typeof seconds === "number" && Number.isSafeInteger(seconds) && seconds > 0 && seconds <= DAY_SECONDS;
  return isUsable ? seconds : undefined;
}

function foreign(what: string, cause?: unknown): Failure {
  return new Failure("relay/foreign", { what }, { cause });
}

function parseJson(bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
