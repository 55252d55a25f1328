/**
 * `/api/v1/portals`: creating, taking the lease, looking, committing.
 *
 * @module
 */
import { createRoute } from "@hono/zod-openapi";
import { Failure } from "../../../core/failure.ts";
import { INVITE_HEADER, LEASE_HEADER, WORK_HEADER } from "../../../core/portal/portal.ts";
import { fromBase64url, portalKey } from "../bytes.ts";
import { authorise, READERS } from "../portal/authorise.ts";
import type { NewPortal } from "../store/store.ts";
import { admitCreation, checkWork } from "./admission.ts";
import {
  credentialsOf,
  type HttpServices,
  leaseOf,
  neededLeaseOf,
  portalBytes,
  type RelayApp,
  type RelayContext,
  waiting,
} from "./context.ts";
import { offerBytes, toNewPortal, toStateJson } from "./portal-parts.ts";
import { bearer, body, done, failure, json, limited, limitedCreation } from "./route-parts.ts";
import {
  commitmentSchema,
  createdSchema,
  createSchema,
  givenLeaseSchema,
  leaseSchema,
  portalParams,
  stateQuery,
  stateSchema,
} from "./schemas.ts";

const createPortalRoute = createRoute({
  method: "post",
  path: "/api/v1/portals",
  summary: "Create a portal; the same body again succeeds",
  description: `A delivery carries the token of a write link of its request. Else header \`${INVITE_HEADER}\` or \`${WORK_HEADER}\` may be required: see \`creation\` of the relay.`,
  security: [{}, ...bearer],
  middleware: limitedCreation,
  request: { body: body(createSchema) },
  responses: { 200: json(createdSchema, "It existed"), 201: json(createdSchema, "Created"), default: failure },
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
  responses: { 204: done("Committed"), default: failure },
});

export function addPortalRoutes(app: RelayApp, services: HttpServices): void {
  const { portals, config, presence } = services;

  app.openapi(createPortalRoute, async (c) => {
    const given = c.req.valid("json");
    for (const name of ["expirySeconds", "idleSeconds"] as const)
      if ((given[name] ?? 0) > config.maxExpirySeconds)
        throw new Failure("wire/malformed", { what: name, max: config.maxExpirySeconds });
    const portal = toNewPortal(given);
    // Whoever repeats a creation has been admitted before, and may have used up a write link by it.
    const before = await portals.findCreated(portal);
    if (before !== undefined) return c.json(before, 200);
    const delivery = given.delivery && (await deliveryOf(c, services, given.delivery));
    if (delivery !== null && portal.kind !== "send") throw new Failure("wire/malformed", { what: "kind" });
    // A write link is an invitation of its own.
    if (delivery === null) checkWork(c, services, fromBase64url(given.portal, 16, "portal"));
    const invite = delivery === null ? await admitCreation(c, services) : null;
    const created = await portals.create({ ...portal, delivery }, invite);
    return created.lease === 1 ? c.json(created, 201) : c.json(created, 200);
  });

  app.openapi(stateRoute, async (c) => {
    const { wait, after } = c.req.valid("query");
    const { live, grant } = await authorise(services, credentialsOf(c, c.req.valid("param").portal), READERS);
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
    return c.json(toStateJson(live) as typeof stateSchema._output, 200);
  });

  app.openapi(leaseRoute, async (c) => {
    const { live } = await authorise(services, credentialsOf(c, c.req.valid("param").portal), ["owner"]);
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
    const { live } = await authorise(services, credentialsOf(c, c.req.valid("param").portal), ["owner"]);
    const { packs, pages, root } = c.req.valid("json");
    await portals.commit(live, { packs, pages, root: fromBase64url(root, 32, "root") }, neededLeaseOf(c));
    return c.body(null, 204);
  });
}

/** @throws Failure `portal/unknown` for a request that takes no delivery with this token */
async function deliveryOf(
  c: RelayContext,
  services: HttpServices,
  { request, offer }: { readonly request: string; readonly offer: string },
): Promise<NonNullable<NewPortal["delivery"]>> {
  const bytes = offerBytes(offer);
  const { live, link } = await authorise(services, credentialsOf(c, request), ["write"]);
  if (link === null) throw new Failure("portal/unknown");
  await services.guard.creation(c.get("address"));
  services.portals.touch(live, undefined);
  return { request: portalKey(portalBytes(request)), link: link.link, offer: bytes };
}
