/**
 * Which pages of other origins may use the API: those of the further relays that the operator names, and of it only what a
 * portal that lives here too needs. Nothing is allowed by cookies, because there are none: a page still needs a token.
 *
 * @module
 */
import { cors } from "hono/cors";
import {
  CLAIM_HEADER,
  HASH_HEADER,
  INVITE_HEADER,
  LEASE_HEADER,
  RELAY_HEADER,
  WORK_HEADER,
} from "../../../core/portal/portal.ts";
import type { RelayApp } from "./context.ts";

const ROUTES = ["/api/v1/relay", "/api/v1/portals", "/api/v1/portals/*"] as const;
/** As long as any browser remembers it. */
const PREFLIGHT_SECONDS = 7200;

/** Adds the answers to preflights, and the headers of the others, for these origins; all others are answered as ever. */
export function allowRelays(app: RelayApp, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allow = cors({
    origin: [...origins],
    allowMethods: ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"],
    allowHeaders: [
      "Authorization",
      "Content-Type",
      HASH_HEADER,
      LEASE_HEADER,
      CLAIM_HEADER,
      INVITE_HEADER,
      WORK_HEADER,
    ],
    exposeHeaders: [RELAY_HEADER, HASH_HEADER, "Warp-Final", "ETag", "Retry-After"],
    maxAge: PREFLIGHT_SECONDS,
  });
  for (const route of ROUTES)
    app.use(route, (c, next) => (origins.includes(c.req.header("origin") ?? "") ? allow(c, next) : next()));
}
