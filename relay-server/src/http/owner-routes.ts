/**
 * A portal as its owner sees it: details, changes, what was delivered into a request, its end.
 *
 * @module
 */
import { createRoute } from "@hono/zod-openapi";
import { Failure } from "../../../core/failure.ts";
import type { PortalDetails } from "../../../core/portal/portal.ts";
import { fromBase64url, fromHex, toBase64url } from "../bytes.ts";
import { type Authorised, authorise, authoriseEnded, MANAGERS } from "../portal/authorise.ts";
import { endedPhase, type WantedChange } from "../portal/rules.ts";
import { credentialsOf, type HttpServices, type RelayApp } from "./context.ts";
import { notPartial, toLinkDetails } from "./portal-parts.ts";
import { bearer, body, done, failure, json, limited } from "./route-parts.ts";
import { changeSchema, deliveriesSchema, detailsSchema, portalParams } from "./schemas.ts";

const detailsRoute = createRoute({
  method: "get",
  path: "/api/v1/portals/{portal}/details",
  summary: "Everything about a portal for who owns or manages it, also for a day after its end",
  security: bearer,
  request: { params: portalParams },
  responses: { 200: json(detailsSchema, "Details"), default: failure },
});

const changeRoute = createRoute({
  method: "patch",
  path: "/api/v1/portals/{portal}",
  summary: "Change time, limits or pause; only the owner changes the owner",
  security: bearer,
  middleware: limited,
  request: { params: portalParams, body: body(changeSchema) },
  responses: { 200: json(detailsSchema, "Details after the change"), default: failure },
});

const deliveriesRoute = createRoute({
  method: "get",
  path: "/api/v1/portals/{portal}/deliveries",
  summary: "Portals that were made for this request and have not ended",
  security: bearer,
  request: { params: portalParams },
  responses: { 200: json(deliveriesSchema, "Deliveries"), default: failure },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/api/v1/portals/{portal}",
  summary: "End the portal; its bytes, and deliveries into it, go",
  security: bearer,
  request: { params: portalParams },
  responses: { 204: done("Ended"), default: failure },
});

export function addOwnerRoutes(app: RelayApp, services: HttpServices): void {
  const { portals, store, config } = services;

  app.openapi(detailsRoute, async (c) => {
    const found = await authoriseEnded(services, credentialsOf(c, c.req.valid("param").portal), MANAGERS);
    return c.json(await detailsOf(services, found), 200);
  });

  app.openapi(changeRoute, async (c) => {
    const found = await authorise(services, credentialsOf(c, c.req.valid("param").portal), MANAGERS);
    const { paused, ownerTokenHash, ...limits } = c.req.valid("json");
    if (ownerTokenHash !== undefined && found.grant !== "owner") throw new Failure("portal/unknown");
    for (const name of ["expirySeconds", "idleSeconds"] as const)
      if ((limits[name] ?? 0) > config.maxExpirySeconds)
        throw new Failure("wire/malformed", { what: name, max: config.maxExpirySeconds });
    const change = {
      ...limits,
      ...(paused !== undefined && { isPaused: paused }),
      ...(ownerTokenHash !== undefined && { ownerTokenHash: fromBase64url(ownerTokenHash, 32, "ownerTokenHash") }),
    };
    if (found.live.stored.isPartial && (limits.maxDownloads ?? null) !== null) throw notPartial();
    // The schema writes an absent field as one that may be undefined.
    await portals.rules.change(found.live, change as WantedChange);
    return c.json(await detailsOf(services, found), 200);
  });

  app.openapi(deliveriesRoute, async (c) => {
    const { key } = await authorise(services, credentialsOf(c, c.req.valid("param").portal), MANAGERS);
    const deliveries = (await store.access.deliveriesOf(key)).map(({ key: delivery, offer, ...rest }) => ({
      portal: toBase64url(fromHex(delivery)),
      offer: toBase64url(offer),
      ...rest,
    }));
    return c.json({ deliveries }, 200);
  });

  app.openapi(deleteRoute, async (c) => {
    const who = credentialsOf(c, c.req.valid("param").portal);
    const { live, key } = await authoriseEnded(services, who, MANAGERS);
    if (live !== undefined) await portals.end(live, "owner");
    else await portals.endAgain(key);
    return c.body(null, 204);
  });
}

/** @throws Failure `portal/unknown` when it was forgotten meanwhile */
async function detailsOf(
  { portals, store }: HttpServices,
  { key, live }: Authorised,
): Promise<typeof detailsSchema._output> {
  const stored = await store.loadPortal(key);
  if (stored === undefined) throw new Failure("portal/unknown");
  const { kind, createdAtMs, expiresAtMs, idleSeconds, maxDownloads, downloads, bytes } = stored;
  const isOver = live === undefined || live.ended !== undefined;
  const state = isOver ? undefined : live.state();
  const nowMs = portals.nowMs;
  return {
    portal: toBase64url(fromHex(key)),
    kind,
    phase: state?.phase ?? endedPhase(stored),
    endReason: stored.endReason,
    nowMs,
    createdAtMs,
    expiresAtMs,
    // What is known here may not be written down yet.
    usedAtMs: Math.max(stored.usedAtMs, live?.stored.usedAtMs ?? 0),
    idleSeconds,
    maxDownloads,
    downloads,
    claims: isOver ? 0 : await store.access.countClaims(key, nowMs),
    bytes,
    isComplete: live?.isComplete ?? (stored.commitment !== null && !stored.isPartial),
    senders: state?.senders ?? 0,
    receivers: state?.receivers ?? 0,
    links: stored.links.map(toLinkDetails),
  } satisfies PortalDetails;
}
