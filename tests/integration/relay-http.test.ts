import { createConnection } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import { HASH_HEADER, LEASE_HEADER } from "../../core/portal/portal.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import {
  base64url,
  bearer,
  createPortal,
  FIRST_LEASE,
  getObject,
  inventLink,
  inventPortal,
  leased,
  postPortal,
  putObject,
  random,
  sealed,
  type TestPortal,
} from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay({ maxPortalBytes: 12 * 2 ** 20 });
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

async function failureOf(response: Response | Promise<Response>): Promise<string> {
  const answer = await response;
  if (answer.ok) return `no failure: ${answer.status}`;
  const body = await answer.json();
  expect(answer.status).toBe(FAILURES[body.code as keyof typeof FAILURES].status);
  expect(typeof body.details).toBe("object");
  return body.code;
}

const small = (index: number, final = false) => sealed("pack", index, 4 * 2 ** 20, final);

function call(portal: TestPortal, method: string, path: string, token: Uint8Array | undefined, body?: unknown) {
  const headers = { ...(token && bearer(token)), ...leased(FIRST_LEASE), "Content-Type": "application/json" };
  return fetch(`${url}/api/v1/portals/${portal.text}${path}`, {
    method,
    headers,
    body: body ? JSON.stringify(body) : null,
  });
}

function rootOf(packs: readonly SealedObject[]): string {
  const tree = new MerkleBuilder("packs");
  for (const { header } of packs) tree.append(header.hash);
  return base64url(tree.root());
}

const linkWith = (changes: Record<string, unknown>) => ({ links: [{ ...inventLink("read").body, ...changes }] });
const TWIN = inventLink("read").body;

describe("creating", () => {
  it("[RELAY-4] answers 201, then 200 to the same body, then portal/taken to another", async () => {
    const portal = inventPortal();
    const first = await postPortal(url, portal.body);
    expect(first.status).toBe(201);
    const { expiresAtMs, lease } = await first.json();
    expect(lease).toBe(1);
    expect(Math.abs(expiresAtMs - Date.now() - 3_600_000)).toBeLessThan(60_000);
    const second = await postPortal(url, portal.body);
    expect([second.status, await second.json()]).toEqual([200, { expiresAtMs, lease: 0 }]);
    expect(await failureOf(postPortal(url, { ...portal.body, expirySeconds: 7200 }))).toBe("portal/taken");
  });

  it.each([
    ["a short portal", { portal: "AAAA" }, "portal"],
    ["a portal that is not canonical", { portal: `${"A".repeat(21)}B` }, "portal"],
    ["an unknown field", { extra: 1 }, "json"],
    ["an expiry that is too short", { expirySeconds: 59 }, "expirySeconds"],
    ["an expiry above the relay's limit", { expirySeconds: 604_801 }, "expirySeconds"],
    ["no downloads at all", { maxDownloads: 0 }, "maxDownloads"],
    ["downloads below zero", { maxDownloads: -1 }, "maxDownloads"],
    ["half a download", { maxDownloads: 1.5 }, "maxDownloads"],
    ["downloads that are no number", { maxDownloads: Number.NaN, idleSeconds: "NaN" }, "idleSeconds"],
    ["an expiry beyond 2^53", { expirySeconds: 2 ** 53 }, "expirySeconds"],
    ["an idle time above the relay's limit", { idleSeconds: 604_801 }, "idleSeconds"],
    ["a foreign password algorithm", linkWith({ password: { algorithm: "scrypt" } }), "password"],
    ["uses beyond 2^64", linkWith({ maxUses: 2 ** 64 }), "maxUses"],
    ["a window that begins below zero", linkWith({ notBeforeMs: -1 }), "notBeforeMs"],
    ["a window beyond 2^53", linkWith({ expiresAtMs: 2 ** 53 }), "expiresAtMs"],
    ["a window that ends before it begins", linkWith({ notBeforeMs: 10, expiresAtMs: 10 }), "expiresAtMs"],
    ["a grant that is too long", linkWith({ grant: base64url(random(1025)) }), "grant"],
    ["a grant of nothing", linkWith({ grant: "" }), "grant"],
    ["a write link of a portal that is no request", linkWith({ capability: "write" }), "capability"],
    ["an admin link that is used up", linkWith({ capability: "admin", maxUses: 1 }), "maxUses"],
    ["one link twice", { links: [inventLink("read").body, inventLink("read").body].fill(TWIN) }, "links"],
    ["too many links", { links: Array.from({ length: 65 }, () => inventLink("read").body) }, "links"],
    ["a delivery without a request", { delivery: { request: "AAAA", offer: "AAAA" } }, "delivery"],
    ["an offer that is too long", { delivery: { request: base64url(random(16)), offer: "A".repeat(343) } }, "delivery"],
  ])("[RELAY-26] refuses %s", async (_name, change, _what) => {
    const { body } = inventPortal();
    expect(await failureOf(postPortal(url, { ...body, ...change }))).toBe("wire/malformed");
  });

  it("[RELAY-18] counts the bytes of a JSON body itself", async () => {
    expect(await failureOf(postPortal(url, { ...inventPortal().body, extra: "x".repeat(200_000) }))).toBe(
      "wire/too-large",
    );
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(" ".repeat(50_000))),
    });
    const streamed = fetch(`${url}/api/v1/portals`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: chunks,
      duplex: "half",
    } as RequestInit);
    expect(await streamed.then(failureOf, () => "wire/too-large")).toBe("wire/too-large");
  });
});

describe("authorisation", () => {
  it("[RELAY-3] gives the same bytes for an unknown portal and for a wrong token", async () => {
    const portal = await createPortal(url);
    const answers = await Promise.all([
      call(inventPortal(), "GET", "", random(32)),
      call(portal, "GET", "", random(32)),
      call(portal, "GET", "", undefined),
      fetch(`${url}/api/v1/portals/${portal.text}`, { headers: { Authorization: "Basic QTpC" } }),
      fetch(`${url}/api/v1/portals/not-a-portal`, { headers: bearer(random(32)) }),
    ]);
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(bodies).size).toBe(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
  });
});

describe("objects", () => {
  it("[RELAY-5] stores once, accepts the same bytes again and refuses others", async () => {
    const portal = await createPortal(url);
    const pack = small(0, true);
    expect((await putObject(url, portal, pack)).status).toBe(204);
    expect((await putObject(url, portal, pack)).status).toBe(204);
    expect(await failureOf(putObject(url, portal, small(0, true)))).toBe("object/conflict");
    expect(await failureOf(putObject(url, portal, { ...pack, header: { ...pack.header, final: false } }))).toBe(
      "object/conflict",
    );
    const answer = await getObject(url, portal, "pack", 0);
    expect(answer.headers.get(HASH_HEADER)).toBe(base64url(pack.header.hash));
    expect(answer.headers.get("warp-final")).toBe("1");
    expect(answer.headers.get("content-disposition")).toBe("attachment");
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), pack.bytes)).toBe(0);
  });

  it("[RELAY-6] refuses bytes that do not have their hash, keeps nothing, and takes the right ones", async () => {
    const portal = await createPortal(url);
    const pack = small(0);
    const wrong = { header: pack.header, bytes: pack.bytes.map((byte, at) => (at === 99 ? byte ^ 1 : byte)) };
    expect(await failureOf(putObject(url, portal, wrong))).toBe("object/hash");
    expect((await (await call(portal, "GET", "", portal.readToken)).json()).heldPacks).toEqual([]);
    expect((await putObject(url, portal, pack)).status).toBe(204);
  });

  it.each([
    ["a pack that is neither full nor final", sealed("pack", 0, 1000), "object/size"],
    ["a pack that is too large", sealed("pack", 0, 4 * 2 ** 20 + 1), "wire/too-large"],
    ["a page that is too large", sealed("page", 0, 256 * 1024 + 1), "wire/too-large"],
    ["an object smaller than its seal", sealed("page", 0, 31), "object/size"],
    ["an index beyond the last", sealed("pack", 2 ** 20, 4 * 2 ** 20), "wire/malformed"],
  ])("[RELAY-18] refuses %s", async (_name, object, code) => {
    const portal = await createPortal(url);
    const refused = putObject(url, portal, object).catch(() => undefined);
    const response = await refused;
    // A body beyond every limit is not read to its end, and its sender may see the connection go.
    if (response !== undefined) expect(await failureOf(response)).toBe(code);
    expect((await (await call(portal, "GET", "", portal.readToken)).json()).heldPacks).toEqual([]);
  });

  it("[RELAY-18] holds the bytes of one portal within the limit", async () => {
    const portal = await createPortal(url);
    for (const index of [0, 1, 2]) expect((await putObject(url, portal, small(index))).status).toBe(204);
    expect(await failureOf(putObject(url, portal, small(3)))).toBe("portal/full");
    expect((await putObject(url, await createPortal(url), small(0))).status).toBe(204);
  });

  it("[RELAY-6] keeps nothing of a body whose sender goes away, and calls it no bug", async () => {
    const portal = await createPortal(url);
    const { header, bytes } = small(0);
    const { hostname, port } = new URL(url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.write(
      `PUT /api/v1/portals/${portal.text}/packs/0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n` +
        `Authorization: ${bearer(portal.ownerToken)["Authorization"]}\r\n` +
        `${LEASE_HEADER}: 1\r\n${HASH_HEADER}: ${base64url(header.hash)}\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, 300_000));
    const stored = async () => (await fetch(`${url}/metrics`)).text();
    await vi.waitUntil(async () => /received_bytes_total\{path="http"\} [1-9]/.test(await stored()));
    socket.resetAndDestroy();
    await vi.waitUntil(async () => (await stored()).includes("warp_upload_buffer_bytes 0\n"));
    expect((await putObject(url, portal, { header, bytes })).status).toBe(204);
    expect(relay.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  it("[RELAY-26] needs a hash", async () => {
    const portal = await createPortal(url);
    const path = `${url}/api/v1/portals/${portal.text}/packs/0`;
    const headers = { ...bearer(portal.ownerToken), ...leased(FIRST_LEASE), [HASH_HEADER]: "AAAA" };
    expect(await failureOf(fetch(path, { method: "PUT", headers, body: random(100) }))).toBe("wire/malformed");
  });

  it("[RELAY-10] waits for an object that comes, and says when none came", async () => {
    const portal = await createPortal(url);
    const waiting = getObject(url, portal, "pack", 0, 20);
    const pack = small(0);
    await putObject(url, portal, pack);
    expect(Buffer.compare(Buffer.from(await (await waiting).arrayBuffer()), pack.bytes)).toBe(0);
    expect(await failureOf(getObject(url, portal, "pack", 1, 0))).toBe("object/absent");
    expect(await failureOf(getObject(url, portal, "pack", 1, 1))).toBe("object/absent");
  });

  it("answers HEAD without a body, any number of times", async () => {
    const portal = await createPortal(url);
    await putObject(url, portal, small(0));
    for (let round = 0; round < 20; round++) {
      const path = `${url}/api/v1/portals/${portal.text}/packs/0`;
      const answer = await fetch(path, { method: "HEAD", headers: bearer(portal.readToken) });
      expect(answer.headers.get("warp-final")).toBe("0");
    }
  });
});

describe("life", () => {
  it("[RELAY-11] commits what is complete, again, and nothing after it", async () => {
    const portal = await createPortal(url);
    const packs = [small(0), sealed("pack", 1, 5000, true)];
    const body = { packs: 2, pages: 1, root: rootOf(packs) };
    await putObject(url, portal, packs[1] as SealedObject);
    expect(await failureOf(call(portal, "POST", "/commit", portal.ownerToken, body))).toBe("portal/incomplete");
    await putObject(url, portal, packs[0] as SealedObject);
    expect(await failureOf(call(portal, "POST", "/commit", portal.ownerToken, body))).toBe("portal/incomplete");
    await putObject(url, portal, sealed("page", 0, 777, true));
    const wrongRoot = { ...body, root: base64url(random(32)) };
    expect(await failureOf(call(portal, "POST", "/commit", portal.ownerToken, wrongRoot))).toBe("portal/incomplete");
    const tooFew = { ...body, packs: 1, root: rootOf(packs.slice(0, 1)) };
    expect(await failureOf(call(portal, "POST", "/commit", portal.ownerToken, tooFew))).toBe("portal/incomplete");
    for (const _ of [1, 2]) expect((await call(portal, "POST", "/commit", portal.ownerToken, body)).status).toBe(204);
    expect(await failureOf(call(portal, "POST", "/commit", portal.ownerToken, wrongRoot))).toBe("portal/closed");
    expect(await failureOf(putObject(url, portal, small(2)))).toBe("portal/closed");
    expect((await putObject(url, portal, packs[0] as SealedObject)).status).toBe(204);
    expect(await failureOf(getObject(url, portal, "pack", 2, 20))).toBe("object/absent");
    const state = await (await call(portal, "GET", "", portal.readToken)).json();
    expect(state).toMatchObject({ phase: "active", heldPacks: [0, 2], heldPages: [0, 1], commitment: body });
  });

  it("[RELAY-12] counts a claim once and ends with the last download", async () => {
    const portal = await createPortal(url, { maxDownloads: 2 });
    const claim = { claim: base64url(random(16)) };
    for (const _ of [1, 2, 3])
      expect((await call(portal, "POST", "/downloads", portal.readToken, claim)).status).toBe(204);
    expect((await call(portal, "GET", "", portal.readToken)).status).toBe(200);
    const other = { claim: base64url(random(16)) };
    expect((await call(portal, "POST", "/downloads", portal.readToken, other)).status).toBe(204);
    expect(await failureOf(call(portal, "GET", "", portal.readToken))).toBe("portal/unknown");
    expect(await failureOf(call(portal, "GET", "", portal.ownerToken))).toBe("portal/expired");
  });

  it("[RELAY-3, RELAY-13] deletes, again, and tells only who owns it", async () => {
    const portal = await createPortal(url);
    await putObject(url, portal, small(0));
    for (const _ of [1, 2]) expect((await call(portal, "DELETE", "", portal.ownerToken)).status).toBe(204);
    expect(await failureOf(getObject(url, portal, "pack", 0))).toBe("portal/unknown");
    expect(await failureOf(putObject(url, portal, small(0)))).toBe("portal/expired");
    expect(await failureOf(call(portal, "GET", "", random(32)))).toBe("portal/unknown");
    expect(await failureOf(postPortal(url, portal.body))).toBe("portal/expired");
  });

  it("[RELAY-31] answers a long poll at the next change, and at once when there was one", async () => {
    const portal = await createPortal(url);
    const first = await (await call(portal, "GET", "", portal.readToken)).json();
    const poll = async (after: number) =>
      (await call(portal, "GET", `?after=${after}&wait=20`, portal.readToken)).json();
    // The poll itself makes a receiver.
    const joined = await poll(first.version);
    expect(joined.receivers).toBe(1);
    const started = performance.now();
    const waiting = poll(joined.version);
    await putObject(url, portal, small(0));
    const changed = await waiting;
    expect(changed.version).toBeGreaterThan(joined.version);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
