import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES, type FailureCode } from "../../core/failure.ts";
import { CLAIM_HEADER } from "../../core/portal/portal.ts";
import { change, claim, complete, details, opened, outcome, request, SteeredClocks } from "./portal-calls.ts";
import {
  base64url,
  createPortal,
  inventLink,
  putObject,
  random,
  sealed,
  TestLink,
  type TestPortal,
} from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

const clocks = new SteeredClocks();
let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay(
    {},
    { clocks, limits: { failuresOfPair: 1e6, failuresOfPortal: 1e6, failuresOfAddress: 1e6 } },
  );
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

const wire = (code: FailureCode) => FAILURES[code].wire;
const MINUTE = 60_000;

/** A portal with one pack and one page. */
async function filled(rules: Record<string, unknown>): Promise<TestPortal> {
  const portal = await createPortal(url, rules);
  await putObject(url, portal, sealed("pack", 0, 5000, true));
  await putObject(url, portal, sealed("page", 0, 100));
  return portal;
}

function getPack(portal: TestPortal, id?: Uint8Array): Promise<string> {
  const headers = id && { [CLAIM_HEADER]: base64url(id) };
  return outcome(request(url, portal, "GET", "/packs/0", { token: portal.readToken, ...(headers && { headers }) }));
}

describe("a portal whose downloads are counted", () => {
  it("[RELAY-54] gives pages to everybody, and packs to who holds a claim", async () => {
    const portal = await filled({ maxDownloads: 1 });
    const [first, second] = [random(16), random(16)];
    expect(await outcome(request(url, portal, "GET", "/pages/0", { token: portal.readToken }))).toBe("ok");
    for (const id of [undefined, first]) expect(await getPack(portal, id)).toBe("portal/claimed");
    for (const _ of [1, 2]) expect(await claim(url, portal, first)).toBe("ok");
    expect(await claim(url, portal, second)).toBe("portal/claimed");
    expect(await getPack(portal, first)).toBe("ok");
    expect(await getPack(portal, second)).toBe("portal/claimed");
    const headers = { [CLAIM_HEADER]: "AAAA" };
    expect(await outcome(request(url, portal, "GET", "/packs/0", { token: portal.readToken, headers }))).toBe(
      "wire/malformed",
    );
    expect(await details(url, portal)).toMatchObject({ claims: 1, downloads: 0 });
  });

  it("[RELAY-54] gives no packs over a link without a claim, and again after one was taken", async () => {
    const portal = await filled({ maxDownloads: 1 });
    const [one, two] = [await TestLink.open(url, portal, "receive"), await TestLink.open(url, portal, "receive")];
    one.want("pack", 0);
    expect(await one.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 0, code: wire("portal/claimed") });
    // The want is not refused for a claim that is still being taken.
    one.send({ t: "claim", claim: random(16) });
    one.want("pack", 0);
    expect(await one.next("claimed")).toEqual({ t: "claimed", code: 0 });
    expect((await one.object()).header.kind).toBe("pack");
    two.send({ t: "claim", claim: random(16) });
    expect(await two.next("claimed")).toEqual({ t: "claimed", code: wire("portal/claimed") });
    two.want("page", 0);
    expect((await two.object()).header.kind).toBe("page");
    for (const link of [one, two]) await link.cut();
  });

  it("[RELAY-53, RELAY-54] counts a claim once, and gives no more under it afterwards", async () => {
    const portal = await filled({ maxDownloads: 2 });
    const id = random(16);
    expect(await claim(url, portal, id)).toBe("ok");
    for (const _ of [1, 2]) expect(await complete(url, portal, id)).toBe("ok");
    expect(await claim(url, portal, id)).toBe("ok");
    expect(await getPack(portal, id)).toBe("portal/unknown");
    expect(await details(url, portal)).toMatchObject({ downloads: 1, claims: 0 });
  });

  it("[RELAY-12, RELAY-53] lets 100 claim and complete at once, and is downloaded three times", async () => {
    const portal = await filled({ maxDownloads: 3 });
    const ids = Array.from({ length: 100 }, () => random(16));
    const claims = await Promise.all(ids.map((id) => claim(url, portal, id)));
    expect(claims.filter((code) => code === "ok")).toHaveLength(3);
    expect(claims.filter((code) => code === "portal/claimed")).toHaveLength(97);
    const completed = await Promise.all(ids.map((id) => complete(url, portal, id)));
    expect(completed.filter((code) => code === "ok")).toHaveLength(3);
    expect(await details(url, portal)).toMatchObject({ downloads: 3, endReason: "downloads", phase: "archived" });
    expect(await claim(url, portal, random(16))).toBe("portal/unknown");
  });

  it("[RELAY-12, RELAY-53] lets 100 complete at once without a claim, and counts three", async () => {
    const portal = await filled({ maxDownloads: 3 });
    const completed = await Promise.all(Array.from({ length: 100 }, () => complete(url, portal, random(16))));
    expect(completed.filter((code) => code === "ok")).toHaveLength(3);
    expect(await details(url, portal)).toMatchObject({ downloads: 3, endReason: "downloads" });
  });

  it("[RELAY-12] uses up a link, and leaves the others", async () => {
    const [once, free] = [inventLink("read", { maxUses: 1 }), inventLink("read")];
    const portal = await filled({ links: [once.body, free.body] });
    expect((await opened(url, portal, once)).opened?.isLimited).toBe(true);
    const id = random(16);
    expect(await claim(url, portal, id, once.token)).toBe("ok");
    expect(await complete(url, portal, id, once.token)).toBe("ok");
    expect(await outcome(request(url, portal, "GET", "", { token: once.token }))).toBe("portal/unknown");
    expect(await outcome(request(url, portal, "GET", "/packs/0", { token: free.token }))).toBe("ok");
    expect((await details(url, portal)).links.find(({ link }) => link === once.link)).toMatchObject({ uses: 1 });
  });

  it("[RELAY-52] frees a claim that is given back, and one that nobody used for 15 minutes", async () => {
    const portal = await filled({ maxDownloads: 1 });
    const [first, second] = [random(16), random(16)];
    await claim(url, portal, first);
    const path = `/claims/${base64url(first)}`;
    for (const _ of [1, 2])
      expect(await outcome(request(url, portal, "DELETE", path, { token: portal.readToken }))).toBe("ok");
    expect(await claim(url, portal, second)).toBe("ok");
    clocks.pass(14 * MINUTE);
    expect(await getPack(portal, second)).toBe("ok");
    clocks.pass(14 * MINUTE);
    expect(await claim(url, portal, first)).toBe("portal/claimed");
    clocks.pass(2 * MINUTE);
    expect(await claim(url, portal, first)).toBe("ok");
    expect(await getPack(portal, second)).toBe("portal/claimed");
    expect(await complete(url, portal, second)).toBe("portal/claimed");
  });

  it("[RELAY-52] ends a claim with its link", async () => {
    const link = inventLink("read");
    const portal = await filled({ maxDownloads: 1, links: [link.body, inventLink("read").body] });
    await claim(url, portal, random(16), link.token);
    expect((await details(url, portal)).claims).toBe(1);
    await request(url, portal, "DELETE", `/links/${link.link}`, { token: portal.ownerToken });
    expect((await details(url, portal)).claims).toBe(0);
  });

  it("[RELAY-55] that gets its limit while it is downloaded keeps a place for those who asked for one", async () => {
    const portal = await filled({});
    const [asked, silent] = [await TestLink.open(url, portal, "receive"), await TestLink.open(url, portal, "receive")];
    asked.send({ t: "claim", claim: random(16) });
    await asked.next("claimed");
    await change(url, portal, { maxDownloads: 1 });
    for (const link of [silent, asked]) link.want("pack", 0);
    expect((await asked.object()).header.kind).toBe("pack");
    expect(await silent.next("refuse")).toMatchObject({ code: wire("portal/claimed") });
    expect(await details(url, portal)).toMatchObject({ claims: 1 });
    for (const link of [asked, silent]) await link.cut();
  });

  it("[RELAY-54] needs no claims where nothing is limited, and counts all the same", async () => {
    const portal = await filled({});
    expect(await claim(url, portal, random(16))).toBe("ok");
    expect(await getPack(portal)).toBe("ok");
    expect(await details(url, portal)).toMatchObject({ claims: 0, downloads: 0 });
    const id = random(16);
    for (const _ of [1, 2]) expect(await complete(url, portal, id)).toBe("ok");
    expect((await details(url, portal)).downloads).toBe(1);
  });
});
