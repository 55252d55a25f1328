import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HASH_HEADER, LEASE_HEADER, RELAY_HEADER } from "../../core/portal/portal.ts";
import { base64url, bearer, createPortal, putObject, random, sealed } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

const NAMED = ["https://b.example", "http://localhost:8081"] as const;
const STRANGERS = ["https://evil.example", "https://b.example:444", "http://b.example", "http://localhost", "null"];

let relay: TestRelay;
let alone: TestRelay;
beforeAll(async () => {
  relay = await testRelay({ relays: { origins: [...NAMED], mode: "replicated" } });
  alone = await testRelay();
});
afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await alone[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A request as a page of another origin makes it; `fetch` keeps its own counsel about that header. */
function ask(at: TestRelay, method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(at.url + path, { method, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

const corsOf = ({ headers }: Answer) => Object.keys(headers).filter((name) => name.startsWith("access-control"));
const list = (value: unknown) => String(value).split(",");

describe("further relays", () => {
  it("[RELAY-74] are told, with the mode; none are told where there are none", async () => {
    const info = async ({ url }: TestRelay) => (await fetch(`${url}/api/v1/relay`)).json();
    expect((await info(relay)).relays).toEqual({ origins: NAMED, mode: "replicated" });
    expect((await info(alone)).relays).toEqual({ origins: [], mode: "striped" });
  });

  it.each(NAMED)("[RELAY-75] may ask, from pages of %s, for whatever a portal takes", async (Origin) => {
    const portal = await createPortal(relay.url);
    for (const [method, path] of [
      ["GET", "/api/v1/relay"],
      ["POST", "/api/v1/portals"],
      ["PUT", `/api/v1/portals/${portal.text}/packs/0`],
      ["PATCH", `/api/v1/portals/${portal.text}`],
      ["DELETE", `/api/v1/portals/${portal.text}/links/${portal.link}`],
    ] as const) {
      const asked = { "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization" };
      const { status, headers } = await ask(relay, "OPTIONS", path, { Origin, ...asked });
      expect(status).toBe(204);
      expect(headers["access-control-allow-origin"]).toBe(Origin);
      expect(headers["access-control-allow-credentials"]).toBeUndefined();
      expect(list(headers["access-control-allow-methods"])).toContain(method);
      const allowed = [
        "Authorization",
        "Content-Type",
        HASH_HEADER,
        LEASE_HEADER,
        "Warp-Claim",
        "Warp-Invite",
        "Warp-Work",
      ];
      expect(list(headers["access-control-allow-headers"])).toEqual(allowed);
      expect(headers["access-control-max-age"]).toBe("7200");
      expect(headers["vary"]).toContain("Origin");
    }
    const page = sealed("page", 0, 300, true);
    await putObject(relay.url, portal, page);
    const path = `/api/v1/portals/${portal.text}/pages/0`;
    const { status, headers } = await ask(relay, "GET", path, { Origin, ...bearer(portal.readToken) });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "access-control-allow-origin": Origin,
      [HASH_HEADER.toLowerCase()]: base64url(page.header.hash),
    });
    const readable = list(headers["access-control-expose-headers"]);
    for (const name of [RELAY_HEADER, HASH_HEADER, "Warp-Final", "ETag", "Retry-After"])
      expect(readable).toContain(name);
  });

  it("[RELAY-75] can read failures too, and who is too many", async () => {
    const [Origin] = NAMED;
    const path = `/api/v1/portals/${base64url(random(16))}`;
    const { status, headers } = await ask(relay, "GET", path, { Origin, ...bearer(random(32)) });
    expect(status).toBe(404);
    expect(headers["access-control-allow-origin"]).toBe(Origin);
    expect(list(headers["access-control-expose-headers"])).toContain(RELAY_HEADER);
  });

  it.each(STRANGERS)(
    "[RELAY-75] are all that is allowed: a page of %s gets what it would get anywhere",
    async (Origin) => {
      const portal = await createPortal(relay.url);
      const asked = { "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization" };
      const path = `/api/v1/portals/${portal.text}`;
      for (const at of [relay, alone]) {
        const preflight = await ask(at, "OPTIONS", path, { Origin, ...asked });
        expect([preflight.status, corsOf(preflight)]).toEqual([404, []]);
        expect(corsOf(await ask(at, "GET", "/api/v1/relay", { Origin }))).toEqual([]);
      }
      expect(corsOf(await ask(relay, "GET", path, { Origin, ...bearer(portal.readToken) }))).toEqual([]);
    },
  );

  it("[RELAY-75] may not ask for vaults, the operator's routes, metrics or the app", async () => {
    const [Origin] = NAMED;
    const vault = `/api/v1/vaults/${base64url(random(16))}/entries`;
    for (const path of [vault, "/api/v1/operator/usage", "/api/v1/openapi.json", "/metrics", "/"]) {
      expect(corsOf(await ask(relay, "GET", path, { Origin }))).toEqual([]);
      const asked = { "Access-Control-Request-Method": "GET" };
      expect(corsOf(await ask(relay, "OPTIONS", path, { Origin, ...asked }))).toEqual([]);
    }
  });
});
