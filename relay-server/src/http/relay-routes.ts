/**
 * What the relay tells of itself: `/api/v1/relay`, health and metrics.
 *
 * @module
 */
import { createRoute } from "@hono/zod-openapi";
import { LINK_ROUTE, type RelayInfo } from "../../../core/portal/portal.ts";
import { PROTOCOL_VERSION } from "../../../core/wire/frame.ts";
import type { HttpServices, RelayApp } from "./context.ts";
import { webtransportName } from "./origin.ts";
import { relaySchema } from "./schemas.ts";

const relayRoute = createRoute({
  method: "get",
  path: "/api/v1/relay",
  summary: "What this relay is, what it allows, and where WebTransport listens now",
  description: "Ask again before each connection: the WebTransport certificate and its port change.",
  responses: { 200: { description: "The relay", content: { "application/json": { schema: relaySchema } } } },
});

export function addRelayRoutes(app: RelayApp, services: HttpServices): void {
  const { config, store, metrics, vaults } = services;

  app.openapi(relayRoute, (c) => {
    const { state, reason } = services.webtransport();
    const name = webtransportName(c.get("origin"), config.host);
    const info: RelayInfo = {
      version: PROTOCOL_VERSION,
      name: "Warp Portal relay",
      webtransport: state && {
        url: `https://${name}:${state.port}${LINK_ROUTE}`,
        certificateHashes: state.certificateHashes,
        certificateExpiresAtMs: state.certificateExpiresAtMs,
      },
      webtransportReason: reason,
      limits: {
        maxPortalBytes: config.maxPortalBytes,
        maxExpirySeconds: config.maxExpirySeconds,
        defaultExpirySeconds: config.defaultExpirySeconds,
      },
      creation: { invite: config.inviteOnly, workBits: config.workBits },
      relays: config.relays,
    };
    // The schema's lists are mutable; nothing changes them.
    return c.json(info as typeof relaySchema._output, 200);
  });

  app.get("/healthz", (c) => c.json({ ok: true }));

  app.get("/readyz", async (c) => {
    const writable = await store.probe().then(
      () => true,
      () => false,
    );
    const ok = writable && !services.stopping.aborted;
    return c.json({ ok, store: writable, webtransport: services.webtransport().state !== null }, ok ? 200 : 503);
  });

  app.get("/metrics", (c) => {
    const { portals, bytes } = store.usage();
    const { state } = services.webtransport();
    const text = metrics.text({
      portals,
      vaults: vaults.store.usage().vaults,
      storeBytes: bytes,
      uploadBufferBytes: services.uploadBufferBytes(),
      webtransportUp: state !== null,
      certificateExpiresAtMs: state?.certificateExpiresAtMs ?? 0,
    });
    return c.text(text, 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
  });
}
