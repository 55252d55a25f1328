/**
 * `/api/v1/portals`: creating, taking the lease, looking, committing, counting, deleting.
 *
 * @module
 */
import { createRoute } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { Failure } from "../../../core/failure.ts";
import { LEASE_HEADER, type PortalStateJson } from "../../../core/portal/portal.ts";
import { fromBase64url, portalKey, toBase64url } from "../bytes.ts";
import { authorise } from "../portal/authorise.ts";
import type { LivePortal } from "../portal/live-portal.ts";
import { type HttpServices, leaseOf, neededLeaseOf, type RelayApp, tokenOf, waiting } from "./context.ts";
import {
  accessSchema,
  commitmentSchema,
  createdSchema,
  createSchema,
  downloadSchema,
  errorSchema,
  givenLeaseSchema,
  leaseSchema,
  portalParams,
  stateQuery,
  stateSchema,
} from "./schemas.ts";

const MAX_JSON_BYTES = 16 * 1024;

const json = <T>(schema: T, description: string) => ({ description, content: { "application/json": { schema } } });
const body = <T>(schema: T) => ({ content: { "application/json": { schema } }, required: true as const });
const failure = json(errorSchema, "A failure");
const limited = bodyLimit({
  maxSize: MAX_JSON_BYTES,
  onError: () => {
    throw new Failure("wire/too-large", { max: MAX_JSON_BYTES });
  },
});
const bearer = [{ bearer: [] }];

const createPortalRoute = createRoute({
  method: "post",
  path: "/api/v1/portals",
  summary: "Create a portal; the same body again succeeds",
  middleware: limited,
  request: { body: body(createSchema) },
  responses: { 200: json(createdSchema, "It existed"), 201: json(createdSchema, "Created"), default: failure },
});

const accessRoute = createRoute({
  method: "get",
  path: "/api/v1/portals/{portal}/access",
  summary: "What a receiver needs to form its token",
  request: { params: portalParams },
  responses: { 200: json(accessSchema, "Access rules"), default: failure },
});

const stateRoute = createRoute({
  method: "get",
  path: "/api/v1/portals/{portal}",
  summary: "State; with `after` and `wait` the answer waits for another version",
  security: bearer,
  request: { params: portalParams, query: stateQuery },
  responses: { 200: json(stateSchema, "State"), default: failure },
});

const leaseRoute = createRoute({
  method: "post",
  path: "/api/v1/portals/{portal}/lease",
  summary: "Become the portal's one sender; older leases end",
  description: `Objects and the commitment are stored with header \`${LEASE_HEADER}\`.`,
  security: bearer,
  middleware: limited,
  request: { params: portalParams, body: body(leaseSchema) },
  responses: { 200: json(givenLeaseSchema, "The lease"), default: failure },
});

const commitRoute = createRoute({
  method: "post",
  path: "/api/v1/portals/{portal}/commit",
  summary: "Fix counts and root; everything must be held",
  description: `Header \`${LEASE_HEADER}\` is required.`,
  security: bearer,
  middleware: limited,
  request: { params: portalParams, body: body(commitmentSchema) },
  responses: { 204: { description: "Committed" }, default: failure },
});

const downloadRoute = createRoute({
  method: "post",
  path: "/api/v1/portals/{portal}/downloads",
  summary: "Count one completed download, once per claim",
  security: bearer,
  middleware: limited,
  request: { params: portalParams, body: body(downloadSchema) },
  responses: { 204: { description: "Counted" }, default: failure },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/api/v1/portals/{portal}",
  summary: "Delete the portal and its bytes",
  security: bearer,
  request: { params: portalParams },
  responses: { 204: { description: "Deleted" }, default: failure },
});

export function addPortalRoutes(app: RelayApp, services: HttpServices): void {
  const { portals, config, presence } = services;

  app.openapi(createPortalRoute, async (c) => {
    const given = c.req.valid("json");
    if (given.expirySeconds > config.maxExpirySeconds) {
      throw new Failure("wire/malformed", { what: "expirySeconds", max: config.maxExpirySeconds });
    }
    const { created, expiresAtMs } = await portals.create({
      key: portalKey(fromBase64url(given.portal, 16, "portal")),
      keyCommitment: fromBase64url(given.keyCommitment, 32, "keyCommitment"),
      readTokenHash: fromBase64url(given.readTokenHash, 32, "readTokenHash"),
      ownerTokenHash: fromBase64url(given.ownerTokenHash, 32, "ownerTokenHash"),
      password: given.password,
      maxDownloads: given.maxDownloads,
      expirySeconds: given.expirySeconds,
    });
    return created ? c.json({ expiresAtMs, lease: 1 }, 201) : c.json({ expiresAtMs, lease: 0 }, 200);
  });

  app.openapi(accessRoute, async (c) => {
    const { portal } = c.req.valid("param");
    const found = await portals.find(portalKey(portalBytes(portal)));
    if (found === undefined) throw new Failure("portal/unknown");
    if (found.live === undefined) throw new Failure("portal/expired");
    const { keyCommitment, password } = found.stored;
    return c.json({ portal, keyCommitment: toBase64url(keyCommitment), password }, 200);
  });

  app.openapi(stateRoute, async (c) => {
    const { wait, after } = c.req.valid("query");
    const { live, grant } = await authorise(portals, portalBytes(c.req.valid("param").portal), tokenOf(c), [
      "read",
      "owner",
    ]);
    const lease = grant === "owner" ? leaseOf(c) : undefined;
    if (lease !== undefined) live.assertLease(lease);
    if (wait > 0) {
      const isSender = grant === "owner";
      const answered = presence.begin(live, isSender ? "send" : "receive", isSender ? live.stored.lease : 0);
      if (live.version === after) await live.nextChange(waiting(c, wait, services.stopping));
      answered();
      if (lease !== undefined) live.assertLease(lease);
    }
    if (live.ended !== undefined) throw live.ended;
    return c.json(stateJson(live) as typeof stateSchema._output, 200);
  });

  app.openapi(leaseRoute, async (c) => {
    const { live } = await authorise(portals, portalBytes(c.req.valid("param").portal), tokenOf(c), ["owner"]);
    const wish = { lease: 0, takeOver: c.req.valid("json").takeOver };
    const { lease, leave } = await portals.admitSender(live, wish, {});
    try {
      live.assertLease(lease);
      presence.begin(live, "send", lease)();
    } finally {
      leave();
    }
    return c.json({ lease }, 200);
  });

  app.openapi(commitRoute, async (c) => {
    const { live } = await authorise(portals, portalBytes(c.req.valid("param").portal), tokenOf(c), ["owner"]);
    const { packs, pages, root } = c.req.valid("json");
    await portals.commit(live, { packs, pages, root: fromBase64url(root, 32, "root") }, neededLeaseOf(c));
    return c.body(null, 204);
  });

  app.openapi(downloadRoute, async (c) => {
    const { live } = await authorise(portals, portalBytes(c.req.valid("param").portal), tokenOf(c), ["read"]);
    await portals.countDownload(live, fromBase64url(c.req.valid("json").claim, 16, "claim"));
    return c.body(null, 204);
  });

  app.openapi(deleteRoute, async (c) => {
    const portal = portalBytes(c.req.valid("param").portal);
    const { live, key } = await authorise(portals, portal, tokenOf(c), ["owner"], { endedToo: true });
    if (live !== undefined) await portals.end(live);
    else await portals.endAgain(key);
    return c.body(null, 204);
  });
}

/** @throws Failure `portal/unknown`: an id that cannot exist is one that does not */
export function portalBytes(text: string): Uint8Array {
  try {
    return fromBase64url(text, 16, "portal");
  } catch {
    throw new Failure("portal/unknown");
  }
}

function stateJson(portal: LivePortal): PortalStateJson {
  const { commitment, ...state } = portal.state();
  const packs = portal.held.pack.ranges();
  const pages = portal.held.page.ranges();
  const told = commitment && { ...commitment, root: toBase64url(commitment.root) };
  return { ...state, heldPacks: packs, heldPages: pages, commitment: told, version: portal.version };
}
