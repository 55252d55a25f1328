/**
 * Links of a portal: opening one, making one, revoking one.
 *
 * @module
 */
import { createRoute } from "@hono/zod-openapi";
import { Failure } from "../../../core/failure.ts";
import type { LinkAccess } from "../../../core/portal/portal.ts";
import { fromBase64url, type LinkKey, linkKey } from "../bytes.ts";
import { authorise, MANAGERS, openLink } from "../portal/authorise.ts";
import { credentialsOf, type HttpServices, type RelayApp } from "./context.ts";
import { notPartial, toLinkEntry, toOpenedLink } from "./portal-parts.ts";
import { bearer, body, done, failure, json, limited } from "./route-parts.ts";
import { linkAccessSchema, linkParams, newLinkSchema, plainQuery, portalParams } from "./schemas.ts";

const openRoute = createRoute({
  method: "get",
  path: "/api/v1/portals/{portal}/links/{link}",
  summary: "Open a link: what it gives, to whoever has its token",
  description: "With `plain=1` the token was formed without a password; where one is needed the answer is only that.",
  security: bearer,
  request: { params: linkParams, query: plainQuery },
  responses: { 200: json(linkAccessSchema, "What the link gives"), default: failure },
});

const addRoute = createRoute({
  method: "post",
  path: "/api/v1/portals/{portal}/links",
  summary: "Make a link; the same again succeeds. Only the owner makes links for managing",
  security: bearer,
  middleware: limited,
  request: { params: portalParams, body: body(newLinkSchema) },
  responses: { 204: done("Made"), default: failure },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/api/v1/portals/{portal}/links/{link}",
  summary: "Revoke a link. Only the owner revokes links for managing",
  security: bearer,
  request: { params: linkParams },
  responses: { 204: done("Revoked"), default: failure },
});

export function addLinkRoutes(app: RelayApp, services: HttpServices): void {
  const { portals } = services;

  app.openapi(openRoute, async (c) => {
    const { portal, link } = c.req.valid("param");
    const isPlain = c.req.valid("query").plain === "1";
    const {
      live,
      link: stored,
      isRight,
    } = await openLink(services, credentialsOf(c, portal), linkBytes(link), isPlain);
    if (!isRight) return c.json({ password: stored.password, opened: null } satisfies LinkAccess, 200);
    portals.touch(live, undefined);
    const access: LinkAccess = { password: stored.password, opened: toOpenedLink(live, stored) };
    return c.json(access, 200);
  });

  app.openapi(addRoute, async (c) => {
    const { live, grant } = await authorise(services, credentialsOf(c, c.req.valid("param").portal), MANAGERS);
    const entry = toLinkEntry(c.req.valid("json"), live.stored.kind);
    if (entry.capability === "admin" && grant !== "owner") throw new Failure("portal/unknown");
    if (live.stored.isPartial && entry.maxUses !== null) throw notPartial();
    await portals.rules.addLink(live, entry);
    return c.body(null, 204);
  });

  app.openapi(removeRoute, async (c) => {
    const { portal, link } = c.req.valid("param");
    const { live, grant } = await authorise(services, credentialsOf(c, portal), MANAGERS);
    const key = linkBytes(link);
    if (live.link(key)?.capability === "admin" && grant !== "owner") throw new Failure("portal/unknown");
    await portals.rules.removeLink(live, key);
    return c.body(null, 204);
  });
}

/** @throws Failure `portal/unknown`: a link that cannot exist is one that does not */
function linkBytes(text: string): LinkKey {
  try {
    return linkKey(fromBase64url(text, 16, "link"));
  } catch {
    throw new Failure("portal/unknown");
  }
}
