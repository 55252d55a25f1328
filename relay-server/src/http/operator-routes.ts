/**
 * `/api/v1/operator`: inviting, taking portals down, seeing how much there is. Without the operator's token, and on a relay
 * that has none, these are no routes at all.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createRoute } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono/types";
import { Failure } from "../../../core/failure.ts";
import { portalKey, toBase64url } from "../bytes.ts";
import { INVITE_BYTES, inviteHash } from "./admission.ts";
import { type HttpServices, portalBytes, type RelayApp, type RelayEnv } from "./context.ts";
import { answerNoRoute } from "./errors.ts";
import { body, done, failure, json, limited } from "./route-parts.ts";
import { portalParams } from "./schemas.ts";
import { inviteSchema, newInviteSchema, usageSchema } from "./vault-schemas.ts";

const PREFIX = "/api/v1/operator";
const security = [{ operator: [] }];

const inviteRoute = createRoute({
  method: "post",
  path: `${PREFIX}/invites`,
  summary: "Invite: whoever has the code may create so many portals and vaults until it expires",
  security,
  middleware: limited,
  request: { body: body(newInviteSchema) },
  responses: { 201: json(inviteSchema, "The code, told once"), default: failure },
});

const takedownRoute = createRoute({
  method: "delete",
  path: `${PREFIX}/portals/{portal}`,
  summary: "Take a portal down: it ends for everybody and its bytes go",
  security,
  request: { params: portalParams },
  responses: { 204: done("It has ended"), default: failure },
});

const usageRoute = createRoute({
  method: "get",
  path: `${PREFIX}/usage`,
  summary: "How much there is",
  security,
  responses: { 200: json(usageSchema, "Usage"), default: failure },
});

export function addOperatorRoutes(app: RelayApp, services: HttpServices): void {
  const { portals, vaults, store } = services;
  app.openAPIRegistry.registerComponent("securitySchemes", "operator", {
    type: "http",
    scheme: "bearer",
    description: "OPERATOR_TOKEN, as it was set",
  });
  // Before anything of the request is read.
  app.use(`${PREFIX}/*`, operatorOnly(services));

  app.openapi(inviteRoute, async (c) => {
    const { uses, expirySeconds } = c.req.valid("json");
    const invite = toBase64url(randomBytes(INVITE_BYTES));
    await store.invites.add(inviteHash(invite), uses, vaults.now() + expirySeconds * 1000);
    return c.json({ invite }, 201);
  });

  app.openapi(takedownRoute, async (c) => {
    const key = portalKey(portalBytes(c.req.valid("param").portal));
    const found = await portals.find(key);
    if (found === undefined) throw new Failure("portal/unknown");
    if (found.live !== undefined) await portals.end(found.live, "removed");
    else await portals.endAgain(key);
    return c.body(null, 204);
  });

  app.openapi(usageRoute, (c) => {
    const { portals, bytes } = store.usage();
    return c.json({ portals, bytes, vaults: vaults.store.usage().vaults }, 200);
  });
}

function operatorOnly({ config: { operatorTokenHash }, guard }: HttpServices): MiddlewareHandler<RelayEnv> {
  return async (c, next) => {
    if (operatorTokenHash === null) return answerNoRoute(c);
    const token = /^Bearer ([!-~]{1,512})$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
    const given = createHash("sha256").update(token).digest();
    if (timingSafeEqual(given, operatorTokenHash)) return next();
    const refusal = await guard.wrongToken("operator", c.get("address"));
    if (refusal.code === "relay/busy") throw refusal;
    return answerNoRoute(c);
  };
}
