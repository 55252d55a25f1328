/**
 * Downloads that are counted, over plain HTTP: taking one of those that are left, giving it back, completing it.
 *
 * @module
 */
import { createRoute } from "@hono/zod-openapi";
import { CLAIM_HEADER } from "../../../core/portal/portal.ts";
import { fromBase64url } from "../bytes.ts";
import { authorise, READERS } from "../portal/authorise.ts";
import type { Reader } from "../portal/reader.ts";
import { CLAIM_BYTES, credentialsOf, type HttpServices, type RelayApp, type RelayContext } from "./context.ts";
import { bearer, body, done, failure, limited } from "./route-parts.ts";
import { claimParams, claimSchema, portalParams } from "./schemas.ts";

const claimRoute = createRoute({
  method: "post",
  path: "/api/v1/portals/{portal}/claims",
  summary: "Take one of the downloads that are left, or keep it",
  description: `Packs are asked for with header \`${CLAIM_HEADER}\` then. A claim lasts 15 minutes after its last use.`,
  security: bearer,
  middleware: limited,
  request: { params: portalParams, body: body(claimSchema) },
  responses: { 204: done("Taken"), default: failure },
});

const releaseRoute = createRoute({
  method: "delete",
  path: "/api/v1/portals/{portal}/claims/{claim}",
  summary: "Give a claim back",
  security: bearer,
  request: { params: claimParams },
  responses: { 204: done("Given back"), default: failure },
});

const downloadRoute = createRoute({
  method: "post",
  path: "/api/v1/portals/{portal}/downloads",
  summary: "Count one completed download, once per claim",
  security: bearer,
  middleware: limited,
  request: { params: portalParams, body: body(claimSchema) },
  responses: { 204: done("Counted"), default: failure },
});

export function addClaimRoutes(app: RelayApp, services: HttpServices): void {
  app.openapi(claimRoute, async (c) => {
    const reader = await readerOf(c, services, c.req.valid("param").portal);
    await reader.claim(claimBytes(c.req.valid("json").claim));
    return c.body(null, 204);
  });

  app.openapi(releaseRoute, async (c) => {
    const { portal, claim } = c.req.valid("param");
    const reader = await readerOf(c, services, portal);
    await reader.release(claimBytes(claim));
    return c.body(null, 204);
  });

  app.openapi(downloadRoute, async (c) => {
    const reader = await readerOf(c, services, c.req.valid("param").portal);
    await reader.complete(claimBytes(c.req.valid("json").claim));
    return c.body(null, 204);
  });
}

/** @throws Failure `portal/unknown` | `portal/expired` */
async function readerOf(c: RelayContext, services: HttpServices, portal: string): Promise<Reader> {
  const { live, readLink } = await authorise(services, credentialsOf(c, portal), READERS);
  return services.portals.reader(live, readLink);
}

function claimBytes(text: string): Uint8Array<ArrayBuffer> {
  return fromBase64url(text, CLAIM_BYTES, "claim");
}
