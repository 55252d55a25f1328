/**
 * The HTTP side of the relay as one Hono app: checks on every request, API, documents, the built web app.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { OpenAPIHono } from "@hono/zod-openapi";
import { routePath } from "hono/route";
import { Failure } from "../../../core/failure.ts";
import { PROTOCOL_VERSION } from "../../../core/wire/frame.ts";
import { peerAddress } from "../peer-address.ts";
import { addClaimRoutes } from "./claim-routes.ts";
import type { HttpServices, RelayApp, RelayContext, RelayEnv } from "./context.ts";
import { allowRelays } from "./cors.ts";
import { DOCS_POLICY, type DocumentView, renderDocs } from "./docs-page.ts";
import { answerError, answerNoRoute } from "./errors.ts";
import { API_POLICY, appPolicy, commonHeaders } from "./headers.ts";
import { addLinkRoutes } from "./link-routes.ts";
import { addObjectRoutes } from "./object-routes.ts";
import { addOperatorRoutes } from "./operator-routes.ts";
import { originOf } from "./origin.ts";
import { addOwnerRoutes } from "./owner-routes.ts";
import { addPortalRoutes } from "./portal-routes.ts";
import { addRelayRoutes } from "./relay-routes.ts";
import { addVaultRoutes } from "./vault-routes.ts";

export function createApp(services: HttpServices): RelayApp {
  const app: RelayApp = new OpenAPIHono<RelayEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const issue = result.error.issues[0];
      // An id of a portal or a link that cannot exist is an unknown one, whatever else is wrong.
      const isName = issue?.path[0] === "portal" || issue?.path[0] === "link";
      if (result.target === "param" && isName) throw new Failure("portal/unknown");
      if (result.target === "param" && issue?.path[0] === "vault") throw new Failure("vault/unknown");
      throw new Failure("wire/malformed", { what: String(issue?.path[0] ?? result.target) });
    },
  });
  app.onError((error, c) => answerError(c, error, services.log));
  app.notFound((c) => answerNoRoute(c));
  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    note(c, services, performance.now() - started);
  });
  app.use(async (c, next) => {
    const { config } = services;
    const isTls = config.tls !== null || config.publicUrl?.protocol === "https:";
    for (const [name, value] of Object.entries(commonHeaders(isTls))) c.header(name, value);
    c.header("Cache-Control", "no-store");
    c.header("Content-Security-Policy", API_POLICY);
    c.set("address", peerAddress(c.env.incoming, config.trustedProxies));
    c.set("origin", originOf(c.req.header("host"), config.tls !== null, config.publicUrl));
    await next();
  });
  allowRelays(app, services.config.relays.origins);
  addRelayRoutes(app, services);
  addPortalRoutes(app, services);
  addLinkRoutes(app, services);
  addOwnerRoutes(app, services);
  addClaimRoutes(app, services);
  addObjectRoutes(app, services);
  addVaultRoutes(app, services);
  addOperatorRoutes(app, services);
  addDocuments(app);
  addWebApp(app, services);
  return app;
}

/** Logs and counts a request by its route's template. */
function note(c: RelayContext, { log, metrics }: HttpServices, ms: number): void {
  const route = routePath(c);
  const { status } = c.res;
  metrics.request(c.req.method, route, status);
  log.info("request", { method: c.req.method, route, status, ms: Math.round(ms * 10) / 10 });
}

function addDocuments(app: RelayApp): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "32 bytes as base64url: the owner token, or the token of a link",
  });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Warp Portal relay",
      version: String(PROTOCOL_VERSION),
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
      description:
        "Stores and forwards sealed objects that it cannot read. Byte strings are base64url without padding.",
    },
    servers: [{ url: "/" }],
  });
  const page = renderDocs(document as DocumentView);
  app.get("/api/v1/openapi.json", (c) => c.json(document));
  app.get("/api/v1/docs", (c) => {
    c.header("Content-Security-Policy", DOCS_POLICY);
    return c.html(page);
  });
}

function addWebApp(app: RelayApp, { files, config }: HttpServices): void {
  app.get("*", async (c) => {
    const path = c.req.path;
    const file = files.find(path);
    if (file === undefined) {
      if (!files.isBuilt && path === "/")
        return c.text("The web app is not built: run `npm start` or `npm run build`.\n", 503);
      return answerNoRoute(c);
    }
    const origin = c.get("origin");
    c.header("Content-Security-Policy", appPolicy(origin, config.host, config.relays.origins));
    c.header("Cache-Control", file.cacheControl);
    c.header("ETag", file.etag);
    if (c.req.header("if-none-match") === file.etag) return c.body(null, 304);
    c.header("Content-Type", file.type);
    return c.body(await readFile(file.path));
  });
}
