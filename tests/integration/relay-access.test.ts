import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { change, details, opened, openLink, outcome, request, SteeredClocks } from "./portal-calls.ts";
import {
  addLink,
  base64url,
  createPortal,
  getObject,
  inventLink,
  postPortal,
  putObject,
  random,
  sealed,
  sha256,
  TestLink,
} from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

const clocks = new SteeredClocks();
let relay: TestRelay;
let url: string;
beforeAll(async () => {
  const generous = { failuresOfPair: 1e6, failuresOfPortal: 1e6, failuresOfAddress: 1e6 };
  relay = await testRelay({}, { clocks, limits: generous });
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

const PASSWORD = { algorithm: "argon2id", memory: 65_536, iterations: 3, parallelism: 1 } as const;
const page = (index = 0) => sealed("page", index, 100);

describe("opening a link", () => {
  it("[RELAY-47] gives what it holds to whoever has its token", async () => {
    const link = inventLink("read", { maxUses: 3, expiresAtMs: clocks.wall() + 600_000 });
    const portal = await createPortal(url, { links: [link.body, inventLink("read").body] });
    const { keyCommitment, grant, expiresAtMs } = link.body;
    const access = { capability: "read", kind: "send", keyCommitment, grant, isLimited: true, expiresAtMs };
    expect(await opened(url, portal, link)).toEqual({ password: null, opened: access });
    const plain = await (await openLink(url, portal, link.link, link.token, "?plain=1")).json();
    expect(plain).toEqual({ password: null, opened: access });
    for (const query of ["", "?plain=1"]) {
      expect(await outcome(openLink(url, portal, link.link, random(32), query))).toBe("portal/unknown");
      expect(await outcome(openLink(url, portal, link.link, portal.ownerToken, query))).toBe("portal/unknown");
      expect(await outcome(openLink(url, portal, base64url(random(16)), link.token, query))).toBe("portal/unknown");
    }
    expect(await outcome(openLink(url, portal, link.link, link.token, "?plain=2"))).toBe("wire/malformed");
    expect(await outcome(openLink(url, portal, "not-a-link", link.token))).toBe("portal/unknown");
  });

  it("[RELAY-47] that has a password tells its parameters to a token without one, and everything to the right one", async () => {
    const link = inventLink("read", { password: PASSWORD });
    const portal = await createPortal(url, { links: [link.body] });
    const asked = await openLink(url, portal, link.link, random(32), "?plain=1");
    expect([asked.status, await asked.json()]).toEqual([200, { password: PASSWORD, opened: null }]);
    expect(await outcome(openLink(url, portal, link.link, random(32)))).toBe("portal/unknown");
    expect((await opened(url, portal, link)).opened).toMatchObject({ grant: link.body.grant, isLimited: false });
    await request(url, portal, "DELETE", "", { token: portal.ownerToken });
    expect(await outcome(openLink(url, portal, link.link, random(32), "?plain=1"))).toBe("portal/unknown");
  });

  it("[RELAY-50] is possible inside of its window only, and ends no other link", async () => {
    const now = clocks.wall();
    const link = inventLink("read", { notBeforeMs: now + 60_000, expiresAtMs: now + 120_000 });
    const other = inventLink("read");
    const portal = await createPortal(url, { links: [link.body, other.body] });
    await putObject(url, portal, page());
    const read = () => outcome(request(url, portal, "GET", "/pages/0", { token: link.token }));
    const open = () => outcome(openLink(url, portal, link.link, link.token));
    expect([await read(), await open()]).toEqual(["portal/unknown", "portal/unknown"]);
    clocks.pass(61_000);
    expect([await read(), await open()]).toEqual(["ok", "ok"]);
    clocks.pass(60_000);
    expect([await read(), await open()]).toEqual(["portal/unknown", "portal/unknown"]);
    expect(await outcome(request(url, portal, "GET", "/pages/0", { token: other.token }))).toBe("ok");
  });
});

describe("links of a portal", () => {
  it("[RELAY-48] are made, told to the owner, and made again", async () => {
    const portal = await createPortal(url);
    const link = await addLink(url, portal, inventLink("read", { password: PASSWORD, maxUses: 5 }));
    await addLink(url, portal, link);
    const admin = await addLink(url, portal, inventLink("admin"));
    const post = (body: object, token = portal.ownerToken) =>
      outcome(request(url, portal, "POST", "/links", { token, body }));
    expect(await post({ ...link.body, maxUses: 6 })).toBe("portal/taken");
    expect(await post(inventLink("write").body)).toBe("wire/malformed");
    expect(await post(inventLink("read").body, admin.token)).toBe("ok");
    expect(await post(inventLink("admin").body, admin.token)).toBe("portal/unknown");
    expect(await post(inventLink("read").body, link.token)).toBe("portal/unknown");
    const told = (await details(url, portal, admin.token)).links.find((one) => one.link === link.link);
    const { notBeforeMs, expiresAtMs } = link.body;
    const limits = { uses: 0, maxUses: 5, notBeforeMs, expiresAtMs, createdAtMs: expect.any(Number) };
    expect(told).toEqual({ link: link.link, capability: "read", hasPassword: true, ...limits });
  });

  it("[RELAY-49] are revoked one by one: whoever came by one is ended, others go on", async () => {
    const portal = await createPortal(url);
    const link = await addLink(url, portal, inventLink("read"));
    const admin = await addLink(url, portal, inventLink("admin"));
    const [by, other] = [await TestLink.connect(url), await TestLink.open(url, portal, "receive")];
    by.hello(portal, "receive", link.token);
    await by.next("welcome");
    const revoke = (name: string, token = portal.ownerToken) =>
      outcome(request(url, portal, "DELETE", `/links/${name}`, { token }));
    expect(await revoke(admin.link, admin.token)).toBe("portal/unknown");
    expect(await revoke(link.link, link.token)).toBe("portal/unknown");
    expect(await revoke(link.link, admin.token)).toBe("ok");
    expect(await revoke(link.link)).toBe("ok");
    expect(await by.next("bye")).toEqual({ t: "bye", code: FAILURES["portal/unknown"].wire });
    await by.closed;
    expect(await outcome(openLink(url, portal, link.link, link.token))).toBe("portal/unknown");
    expect(await outcome(request(url, portal, "GET", "", { token: link.token }))).toBe("portal/unknown");
    other.send({ t: "ping", n: 1 });
    await other.next("pong");
    expect(await revoke(admin.link)).toBe("ok");
    expect(await outcome(request(url, portal, "GET", "/details", { token: admin.token }))).toBe("portal/unknown");
    await other.cut();
  });

  it("[RELAY-2] for managing read without being counted, and do what only the owner may not", async () => {
    const portal = await createPortal(url, { maxDownloads: 1 });
    const admin = await addLink(url, portal, inventLink("admin"));
    const pack = sealed("pack", 0, 5000, true);
    await putObject(url, portal, pack);
    expect((await opened(url, portal, admin)).opened).toMatchObject({ capability: "admin", isLimited: false });
    const as = (method: string, path: string, body?: unknown) =>
      outcome(request(url, portal, method, path, { token: admin.token, body }));
    expect(await as("GET", "/packs/0")).toBe("ok");
    const id = { claim: base64url(random(16)) };
    for (const path of ["/claims", "/downloads"]) expect(await as("POST", path, id)).toBe("ok");
    expect((await details(url, portal)).downloads).toBe(0);
    expect(await as("PATCH", "", { expirySeconds: 7200 })).toBe("ok");
    expect(await as("PATCH", "", { ownerTokenHash: base64url(random(32)) })).toBe("portal/unknown");
    expect(await as("DELETE", "")).toBe("ok");
    expect(await as("GET", "/details")).toBe("ok");
    expect(await as("GET", "")).toBe("portal/expired");
  });
});

describe("rules", () => {
  it("[RELAY-55] change at once: time from now on, idle time and limit, and what is not named stays", async () => {
    const portal = await createPortal(url, { maxDownloads: 4 });
    clocks.pass(1_000_000);
    const changed = await change(url, portal, { expirySeconds: 3600, idleSeconds: 600 });
    expect(Math.abs(changed.expiresAtMs - clocks.wall() - 3_600_000)).toBeLessThan(2000);
    expect(changed).toMatchObject({ idleSeconds: 600, maxDownloads: 4, phase: "created", nowMs: expect.any(Number) });
    expect(await change(url, portal, { idleSeconds: null, maxDownloads: null })).toMatchObject({
      idleSeconds: null,
      maxDownloads: null,
      expiresAtMs: changed.expiresAtMs,
    });
    expect(await change(url, portal, {})).toMatchObject({ maxDownloads: null });
    clocks.pass(3_601_000);
    expect(await outcome(request(url, portal, "GET", "", { token: portal.ownerToken }))).toBe("portal/expired");
    expect(await details(url, portal)).toMatchObject({ phase: "archived", endReason: "time", bytes: 0, senders: 0 });
  });

  it("[RELAY-55] that are shorter end a portal sooner, and a limit that is reached ends it now", async () => {
    const portal = await createPortal(url);
    await change(url, portal, { expirySeconds: 60 });
    clocks.pass(61_000);
    expect(await outcome(request(url, portal, "GET", "", { token: portal.readToken }))).toBe("portal/unknown");
    const other = await createPortal(url);
    const link = await TestLink.open(url, other, "receive");
    link.send({ t: "complete", claim: random(16) });
    await link.next("completed");
    expect(await change(url, other, { maxDownloads: 1 })).toMatchObject({ endReason: "downloads", phase: "archived" });
    expect(await link.next("bye")).toEqual({ t: "bye", code: FAILURES["portal/expired"].wire });
  });

  it.each([
    ["an expiry below a minute", { expirySeconds: 59 }],
    ["a negative expiry", { expirySeconds: -60 }],
    ["an expiry beyond the relay's limit", { expirySeconds: 604_801 }],
    ["an idle time beyond the relay's limit", { idleSeconds: 604_801 }],
    ["an expiry that is no number", { expirySeconds: "3600" }],
    ["a fraction", { maxDownloads: 1.5 }],
    ["a limit beyond 2^53", { maxDownloads: 2 ** 60 }],
    ["a pause that is neither", { paused: 1 }],
    ["an unknown rule", { kind: "request" }],
    ["an owner without a name", { ownerTokenHash: null }],
  ])("[RELAY-26] refuse %s, and nothing changes", async (_name, body) => {
    const portal = await createPortal(url);
    const before = await details(url, portal);
    expect(await outcome(request(url, portal, "PATCH", "", { token: portal.ownerToken, body }))).toBe("wire/malformed");
    expect({ ...(await details(url, portal)), nowMs: 0 }).toEqual({ ...before, nowMs: 0 });
  });

  it("[RELAY-55] give a portal a new owner: the token before is worth nothing", async () => {
    const portal = await createPortal(url);
    const next = random(32);
    await change(url, portal, { ownerTokenHash: base64url(sha256(next)) });
    expect(await outcome(request(url, portal, "GET", "/details", { token: portal.ownerToken }))).toBe("portal/unknown");
    expect((await details(url, portal, next)).phase).toBe("created");
  });

  it("[RELAY-51, RELAY-58] that pause a portal hold back what read links ask for, and nothing else", async () => {
    const portal = await createPortal(url);
    await putObject(url, portal, page(0));
    const [reader, sender] = [await TestLink.open(url, portal, "receive"), await TestLink.open(url, portal, "send")];
    await change(url, portal, { paused: true });
    for (const link of [reader, sender]) await link.next("state", ({ state }) => state.phase === "paused");
    for (const index of [0, 1]) reader.want("page", index);
    sender.put(page(1));
    await sender.next("ack");
    reader.send({ t: "ping", n: 1 });
    await reader.next("pong");
    expect(reader.objects).toEqual([]);
    expect(await outcome(getObject(url, portal, "page", 0, 1))).toBe("object/absent");
    expect(await outcome(request(url, portal, "GET", "/pages/0", { token: portal.ownerToken }))).toBe("ok");
    const waiting = getObject(url, portal, "page", 0, 20);
    await change(url, portal, { paused: false });
    expect([await reader.object(), await reader.object()].map(({ header }) => header.index).sort()).toEqual([0, 1]);
    expect((await waiting).status).toBe(200);
    await reader.next("state", ({ state }) => state.phase === "active");
    for (const link of [reader, sender]) await link.cut();
  });

  it("[RELAY-4] keep to a creation that is repeated after they changed", async () => {
    const portal = await createPortal(url);
    await change(url, portal, { maxDownloads: 7, paused: true });
    await addLink(url, portal, inventLink("read"));
    expect((await postPortal(url, portal.body)).status).toBe(200);
  });
});

describe("idle time", () => {
  it("[RELAY-56] ends a portal that nobody used, and looking at its details is no use", async () => {
    const portal = await createPortal(url, { idleSeconds: 600 });
    for (let minute = 0; minute < 11; minute++) {
      clocks.pass(60_000);
      await details(url, portal);
    }
    clocks.pass(61_000);
    expect(await outcome(request(url, portal, "GET", "", { token: portal.readToken }))).toBe("portal/unknown");
    expect(await details(url, portal)).toMatchObject({ endReason: "idle", phase: "archived" });
  });

  it("[RELAY-56] begins anew with each use, and not while somebody is connected", async () => {
    const portal = await createPortal(url, { idleSeconds: 600 });
    const read = { link: portal.link, token: portal.readToken, body: inventLink("read").body };
    clocks.pass(590_000);
    await opened(url, portal, read);
    clocks.pass(590_000);
    const link = await TestLink.open(url, portal, "receive");
    clocks.pass(1_500_000);
    expect((await details(url, portal)).endReason).toBeNull();
    await link.cut();
    await details(url, portal);
    clocks.pass(590_000);
    expect((await details(url, portal)).endReason).toBeNull();
    clocks.pass(100_000);
    expect((await details(url, portal)).endReason).toBe("idle");
  });
});
