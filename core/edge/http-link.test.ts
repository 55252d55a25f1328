import { describe, expect, it } from "vitest";
import { noise, objectHash } from "../../tests/support/bytes.ts";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { FAILURES, Failure, type FailureCode } from "../failure.ts";
import { HASH_HEADER, type PortalStateJson } from "../portal/portal.ts";
import type { SealedObject } from "../wire/object.ts";
import { callApi, type HttpRequest, type HttpResponse, openHttpLink } from "./http-link.ts";

const role = { portal: noise(16, "portal"), role: "receive" as const, token: noise(32, "token") };
const base = `/api/v1/portals/${Buffer.from(role.portal).toString("base64url")}`;
const state: PortalStateJson = {
  phase: "active",
  heldPacks: [0, 2],
  heldPages: [],
  commitment: null,
  senders: 1,
  receivers: 0,
  expiresAtMs: 5,
  version: 7,
};

function respond(status: number, body: unknown, headers: Record<string, string> = {}): HttpResponse {
  const bytes =
    body instanceof Uint8Array
      ? body
      : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  return { status, header: (name) => headers[name] ?? null, bytes: async () => new Uint8Array(bytes) };
}

function refuse(code: FailureCode): HttpResponse {
  return respond(FAILURES[code].status, { code, details: {} });
}

function sealed(index: number): { object: SealedObject; response: HttpResponse } {
  const bytes = noise(100, index);
  const hash = objectHash(bytes);
  const headers = { [HASH_HEADER]: Buffer.from(hash).toString("base64url"), "Warp-Final": "1" };
  const header = { kind: "page" as const, index, final: true, length: 100, hash };
  return { object: { header, bytes }, response: respond(200, bytes, headers) };
}

/** A relay that answers each request as the test says; a request for the state with a wait stays open. */
function setUp(answer: (request: HttpRequest) => HttpResponse | Promise<HttpResponse> | undefined) {
  const clock = new FakeClock();
  const requests: HttpRequest[] = [];
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    requests.push(request);
    const found = answer(request);
    if (found !== undefined) return found;
    if (request.path === base) return respond(200, state);
    return new Promise((_, reject) => {
      request.signal?.addEventListener("abort", () => reject(new Failure("cancelled")), { once: true });
    });
  };
  return { clock, requests, send, opening: openHttpLink(send, role, clock) };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "resolved";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("a link of plain requests", () => {
  it("[HTTP-1] opens by asking for the state, with the token in the header only", async () => {
    const { opening, requests } = setUp(() => undefined);
    const link = await opening;
    const { version: _, ...told } = state;
    expect(link.state).toEqual(told);
    expect(requests[0]).toMatchObject({
      method: "GET",
      path: base,
      headers: { Authorization: `Bearer ${Buffer.from(role.token).toString("base64url")}` },
    });
    link.close();
  });

  it("[HTTP-2] takes the relay's failure from an answer, and anything else for no relay", async () => {
    for (const [response, code] of [
      [refuse("portal/unknown"), "portal/unknown"],
      [refuse("portal/expired"), "portal/expired"],
      [refuse("relay/busy"), "relay/busy"],
      [respond(502, "<html>bad gateway</html>"), "relay/unreachable"],
      [respond(403, { code: "no/such-code" }), "relay/unreachable"],
      [respond(403, { code: "toString" }), "relay/unreachable"],
      [respond(200, "<html>please log in</html>"), "relay/unreachable"],
      [respond(200, { welcome: "captive portal" }), "relay/unreachable"],
      [respond(200, { ...state, senders: -1 }), "relay/unreachable"],
      [respond(200, { ...state, commitment: { packs: 1, pages: 1, root: "short" } }), "relay/unreachable"],
      [respond(200, "null"), "relay/unreachable"],
    ] as const) {
      const { opening } = setUp(() => response);
      expect(await codeOf(opening)).toBe(code);
    }
  });

  it("[HTTP-3] stores an object under its number with its hash", async () => {
    const { opening, requests } = setUp(({ method }) => (method === "PUT" ? respond(204, "") : undefined));
    const link = await opening;
    const { object } = sealed(3);
    await link.put(object);
    expect(requests[1]).toMatchObject({
      method: "PUT",
      path: `${base}/pages/3?final=1`,
      headers: { [HASH_HEADER]: Buffer.from(object.header.hash).toString("base64url") },
    });
    expect(requests[1]?.body).toBe(object.bytes);
    await link.put({ ...object, header: { ...object.header, final: false } });
    expect(requests[2]?.path).toBe(`${base}/pages/3`);
    link.close();
  });

  it("[HTTP-4] waits for an object by asking again, and rests where the relay does not wait", async () => {
    const { object, response } = sealed(5);
    let asked = 0;
    const { opening, clock } = setUp(({ path }) => {
      if (!path.includes("/pages/5")) return undefined;
      asked += 1;
      return asked < 4 ? refuse("object/absent") : response;
    });
    const link = await opening;
    const got = link.get("page", 5);
    await settle();
    expect(asked).toBe(1);
    await clock.advance(3_000);
    expect(await got).toEqual(object);
    expect(asked).toBe(4);
    link.close();
  });

  it("[HTTP-4] learns from the commitment that an object will never come", async () => {
    const commitment = { packs: 1, pages: 1, root: Buffer.from(noise(32, 0)).toString("base64url") };
    const { opening } = setUp(({ path }) => {
      if (path.includes("/pages/")) return refuse("object/absent");
      return path === base ? respond(200, { ...state, commitment }) : undefined;
    });
    const link = await opening;
    expect(link.state.commitment).toEqual({ ...commitment, root: noise(32, 0) });
    expect(await codeOf(link.get("page", 9))).toBe("object/absent");
    link.close();
  });

  it("[HTTP-4] refuses an object without a hash, or of a size that none has", async () => {
    const { object } = sealed(1);
    const hash = Buffer.from(object.header.hash).toString("base64url");
    for (const [response, code] of [
      [respond(200, object.bytes), "relay/unreachable"],
      [respond(200, object.bytes, { [HASH_HEADER]: "AAAA" }), "relay/unreachable"],
      [respond(200, object.bytes, { [HASH_HEADER]: `${hash.slice(0, -1)}B` }), "relay/unreachable"],
      [respond(200, new Uint8Array(8), { [HASH_HEADER]: hash }), "object/size"],
      [respond(200, new Uint8Array(300_000), { [HASH_HEADER]: hash }), "wire/too-large"],
    ] as const) {
      const { opening } = setUp(({ path }) => (path.includes("/pages/") ? response : undefined));
      const link = await opening;
      expect(await codeOf(link.get("page", 1))).toBe(code);
      link.close();
    }
  });

  it("[HTTP-5] never opens more requests for objects than a browser has connections", async () => {
    const { opening, requests } = setUp(() => undefined);
    const link = await opening;
    const stop = new AbortController();
    const gets = Array.from({ length: 30 }, (_, i) => codeOf(link.get(i % 2 === 0 ? "pack" : "page", i, stop.signal)));
    await settle();
    expect(requests.filter(({ path }) => path.includes("/packs/")).length).toBe(4);
    expect(requests.filter(({ path }) => path.includes("/pages/")).length).toBe(1);
    stop.abort();
    expect(await Promise.all(gets)).toEqual(Array(30).fill("cancelled"));
    link.close();
  });

  it("[HTTP-6] follows the state, also past failures that pass, and ends with one that does not", async () => {
    const answers = [
      refuse("relay/busy"),
      respond(200, { ...state, version: 8, senders: 2 }),
      refuse("portal/expired"),
    ];
    const { opening, clock } = setUp(({ path }) => (path.includes("?after=") ? answers.shift() : undefined));
    const link = await opening;
    const senders: number[] = [];
    link.onState((told) => senders.push(told.senders));
    await clock.advance(5_000);
    expect(senders).toEqual([2]);
    expect((await link.closed).code).toBe("portal/expired");
    expect(clock.sleeping).toBe(0);
  });

  it("[HTTP-7] ends, with everything that is pending, when it is closed or the relay is gone", async () => {
    const closed = setUp(() => undefined);
    const link = await closed.opening;
    link.onState(() => {});
    const pending = [codeOf(link.get("page", 0)), codeOf(link.get("pack", 0, new AbortController().signal))];
    await settle();
    link.close();
    expect(await Promise.all(pending)).toEqual(["cancelled", "cancelled"]);
    expect((await link.closed).code).toBe("cancelled");
    expect(await codeOf(link.put(sealed(0).object))).toBe("relay/unreachable");
    expect(closed.clock.sleeping).toBe(0);
    const gone = setUp(({ method }) =>
      method === "PUT" ? Promise.reject(new Failure("relay/unreachable")) : undefined,
    );
    const other = await gone.opening;
    const waiting = codeOf(other.get("page", 0));
    await settle();
    expect(await codeOf(other.put(sealed(0).object))).toBe("relay/unreachable");
    expect((await other.closed).code).toBe("relay/unreachable");
    expect(await waiting).toMatch(/cancelled|relay\/unreachable/);
  });

  it("[HTTP-3] commits and counts downloads", async () => {
    const { opening, requests } = setUp(({ method }) => (method === "POST" ? respond(204, "") : undefined));
    const link = await opening;
    await link.commit({ packs: 2, pages: 3, root: noise(32, 1) });
    await link.complete(noise(16, 2));
    expect(requests.slice(1).map(({ path, body }) => [path, JSON.parse(String(body))])).toEqual([
      [`${base}/commit`, { packs: 2, pages: 3, root: Buffer.from(noise(32, 1)).toString("base64url") }],
      [`${base}/downloads`, { claim: Buffer.from(noise(16, 2)).toString("base64url") }],
    ]);
    link.close();
  });

  it("[HTTP-2] gives the body of an answer that succeeded, and nothing for one that has none", async () => {
    expect(await callApi(async () => respond(200, { a: 1 }), { method: "GET", path: "/" })).toEqual({ a: 1 });
    expect(await callApi(async () => respond(204, ""), { method: "DELETE", path: "/" })).toBeUndefined();
  });
});
