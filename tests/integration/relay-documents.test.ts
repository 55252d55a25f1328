import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPortal, putObject, sealed } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay({ maxPortalBytes: 12 * 2 ** 20 });
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

describe("documents and headers", () => {
  it("[RELAY-27] describes exactly the routes it has", async () => {
    const document = await (await fetch(`${url}/api/v1/openapi.json`)).json();
    expect(document.openapi).toBe("3.1.0");
    const described = Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const portal = "/api/v1/portals/{portal}";
    const vault = "/api/v1/vaults/{vault}";
    expect(described.sort()).toEqual(
      [
        "GET /api/v1/relay",
        "POST /api/v1/portals",
        `GET ${portal}`,
        `DELETE ${portal}`,
        `PATCH ${portal}`,
        `GET ${portal}/details`,
        `GET ${portal}/deliveries`,
        `POST ${portal}/links`,
        `GET ${portal}/links/{link}`,
        `DELETE ${portal}/links/{link}`,
        `POST ${portal}/claims`,
        `DELETE ${portal}/claims/{claim}`,
        `POST ${portal}/commit`,
        `POST ${portal}/lease`,
        `POST ${portal}/downloads`,
        `PUT ${vault}`,
        `DELETE ${vault}`,
        `GET ${vault}/devices`,
        `POST ${vault}/devices`,
        `DELETE ${vault}/devices/{device}`,
        `GET ${vault}/entries`,
        `PUT ${vault}/entries/{entry}`,
        `DELETE ${vault}/entries/{entry}`,
        "POST /api/v1/operator/invites",
        "DELETE /api/v1/operator/portals/{portal}",
        "GET /api/v1/operator/usage",
        ...["packs", "pages"].flatMap((kind) => [`GET ${portal}/${kind}/{index}`, `PUT ${portal}/${kind}/{index}`]),
      ].sort(),
    );
    const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name ?? "");
    for (const path of Object.keys(document.paths)) {
      const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(
        document.paths[path] as Record<string, { parameters?: { name: string; in: string }[] }>,
      )) {
        const described = (operation.parameters ?? []).filter((one) => one.in === "path").map((one) => one.name);
        expect(described.sort()).toEqual(parameters.sort());
      }
    }
  });

  it("[RELAY-29] shows the document as a page without scripts", async () => {
    const answer = await fetch(`${url}/api/v1/docs`);
    expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    const page = await answer.text();
    expect(page).not.toMatch(/<script|https?:\/\//);
    expect(page).toContain("/api/v1/portals/{portal}/commit");
  });

  it("[RELAY-29] answers the API with headers under which nothing can run or be kept", async () => {
    for (const path of ["/api/v1/relay", "/healthz", "/nothing", "/api/v1/portals/x"]) {
      const { headers } = await fetch(url + path);
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'; sandbox");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("set-cookie")).toBeNull();
    }
  });

  it("[RELAY-25] says why there is no WebTransport", async () => {
    const info = await (await fetch(`${url}/api/v1/relay`)).json();
    expect(info).toMatchObject({
      version: 1,
      webtransport: null,
      webtransportReason: "WebTransport is not served: not in this test.",
    });
    expect(info.limits).toEqual({
      maxPortalBytes: 12 * 2 ** 20,
      maxExpirySeconds: 604_800,
      defaultExpirySeconds: 86_400,
    });
  });

  it("tells health, readiness and metrics", async () => {
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ok: true, store: true, webtransport: false });
    await putObject(url, await createPortal(url), sealed("page", 0, 100));
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    for (const line of text.trim().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) warp_\w+ .+|warp_\w+(\{[^}]*\})? \d[\d.e+-]*)$/);
    expect(text).toMatch(/warp_requests_total\{method="POST",route="\/api\/v1\/portals",status="201"\} \d/);
    expect(text).toMatch(/warp_store_seconds_count [1-9]/);
  });

  it("[RELAY-26] refuses a Host header that is no host", async () => {
    const status = await new Promise((resolve) => {
      request(`${url}/api/v1/relay`, { headers: { host: "x;script-src *" } }, (answer) =>
        resolve(answer.statusCode),
      ).end();
    });
    expect(status).toBe(400);
  });
});
