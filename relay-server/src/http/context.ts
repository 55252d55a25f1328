/**
 * What every part of the HTTP interface shares: the services behind it and what is known of a request.
 *
 * @module
 */
import type { HttpBindings } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Failure } from "../../../core/failure.ts";
import { CLAIM_HEADER, LEASE_HEADER } from "../../../core/portal/portal.ts";
import { MAX_LEASE } from "../../../core/wire/frame.ts";
import { fromBase64url } from "../bytes.ts";
import type { Config } from "../config.ts";
import type { Guard } from "../guard/guard.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Credentials } from "../portal/authorise.ts";
import type { Portals } from "../portal/portals.ts";
import type { Store } from "../store/store.ts";
import type { DoorState } from "../tls/webtransport-door.ts";
import type { Vaults } from "../vault/vaults.ts";
import type { Origin } from "./origin.ts";
import type { Presence } from "./presence.ts";
import type { StaticFiles } from "./static-files.ts";

export interface HttpServices {
  readonly config: Config;
  readonly portals: Portals;
  readonly vaults: Vaults;
  readonly guard: Guard;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly presence: Presence;
  readonly files: StaticFiles;
  /** Where WebTransport listens now, or why it does not. */
  readonly webtransport: () => { readonly state: DoorState | null; readonly reason: string | null };
  /** Bytes between network and disk. */
  readonly uploadBufferBytes: () => number;
  /** Aborts when the relay stops: nobody is kept waiting. */
  readonly stopping: AbortSignal;
}

export interface RelayEnv {
  Bindings: HttpBindings;
  /** `address`: whom it comes from, as limits count it. */
  Variables: { origin: Origin; address: string };
}

export type RelayApp = OpenAPIHono<RelayEnv>;
export type RelayContext = Context<RelayEnv>;

const TOKEN_BYTES = 32;
/** Bytes of a claim. */
export const CLAIM_BYTES = 16;

/** Who asks, for a portal. @throws Failure `portal/unknown`: an id that cannot exist is one that does not */
export function credentialsOf(c: RelayContext, portal: string): Credentials {
  return { portal: portalBytes(portal), token: tokenOf(c), address: c.get("address") };
}

/** @throws Failure `portal/unknown` */
export function portalBytes(text: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64url(text, 16, "portal");
  } catch {
    throw new Failure("portal/unknown");
  }
}

/** The token of `Authorization: Bearer`, or undefined when there is none of the right form. */
export function tokenOf(c: RelayContext): Uint8Array | undefined {
  const token = /^Bearer ([A-Za-z0-9_-]{43})$/.exec(c.req.header("authorization") ?? "")?.[1];
  if (token === undefined) return undefined;
  try {
    return fromBase64url(token, TOKEN_BYTES, "token");
  } catch {
    return undefined;
  }
}

/** The lease of a request; undefined when it names none. @throws Failure `wire/malformed` */
export function leaseOf(c: RelayContext): number | undefined {
  const text = c.req.header(LEASE_HEADER);
  if (text === undefined) return undefined;
  const lease = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(lease <= MAX_LEASE)) throw new Failure("wire/malformed", { what: LEASE_HEADER });
  return lease;
}

/** The claim of a request, undefined when it names none. @throws Failure `wire/malformed` */
export function claimOf(c: RelayContext): Uint8Array<ArrayBuffer> | undefined {
  const text = c.req.header(CLAIM_HEADER);
  return text === undefined ? undefined : fromBase64url(text, CLAIM_BYTES, CLAIM_HEADER);
}

/** The lease of a request that stores. @throws Failure `wire/malformed` also when there is none */
export function neededLeaseOf(c: RelayContext): number {
  const lease = leaseOf(c);
  if (lease === undefined) throw new Failure("wire/malformed", { what: LEASE_HEADER });
  return lease;
}

/** Aborts after so many seconds, when the client goes, or when the relay stops. */
export function waiting(c: RelayContext, seconds: number, stopping: AbortSignal): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(seconds * 1000), c.req.raw.signal, stopping]);
}
