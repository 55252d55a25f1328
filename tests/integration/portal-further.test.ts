/**
 * A portal at two relays: made at both with the same secrets, and made alike whatever was changed at home, also later.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchFrom } from "../../cli/http.ts";
import { SealedReader } from "../../core/edge/sealed-reader.ts";
import { createPortal, type MadePortal, openLink } from "../../core/portal/client.ts";
import { createFurther, endFurther, type FurtherPortal, makeAlike, stepOf } from "../../core/portal/further.ts";
import { describeLink, type LinkRules, linkFor, OPEN_LINK } from "../../core/portal/new-link.ts";
import type { NewLink, PortalChange, PortalDetails } from "../../core/portal/portal.ts";
import { createSecret, ownerKey, relayToken, tokenHash } from "../../core/seal/keys.ts";
import { createLink, type PortalLink } from "../../core/seal/link.ts";
import { codeOf } from "../support/fake-http.ts";
import { Owner, portalHost } from "../support/portal-host.ts";
import { base64url, getObject, putObject, sealed, type TestPortal } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const FREE = { invite: null, workBits: 0 };
const HOUR = { expirySeconds: 3600, idleSeconds: null, maxDownloads: null };
const LIMITS = { limits: { maxPortalBytes: 2 ** 40, maxExpirySeconds: 86_400, defaultExpirySeconds: 3600 } };

let home: TestRelay;
let further: TestRelay;
beforeAll(async () => {
  [home, further] = await Promise.all([testRelay(), testRelay()]);
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await further[Symbol.asyncDispose]();
  await rm(further.dataDir, { recursive: true, force: true }); // it was started again there
});

const make = (rules: Partial<LinkRules> = {}) =>
  createPortal(portalHost(home.url), { kind: "send" }, HOUR, { ...OPEN_LINK, ...rules }, FREE);
const tokenAt = async (url: string, { portal }: PortalLink, secret: Bytes) =>
  relayToken(await ownerKey(secret), "own", url, portal);

/** A portal at both relays, and its owner at each. */
async function makeBoth(rules: Partial<LinkRules> = {}) {
  const made = await make(rules);
  const { ownerToken } = await createFurther(portalHost(further.url), made, LIMITS, FREE);
  return { made, ...owners(made, ownerToken) };
}

function owners({ link, ownerToken }: MadePortal, furtherToken: Bytes) {
  return {
    here: new Owner(home.url, link.portal, ownerToken),
    there: new Owner(further.url, link.portal, furtherToken),
  };
}

function at(made: MadePortal, changes: Partial<FurtherPortal> = {}): FurtherPortal {
  const { link, ownerSecret } = made;
  return { host: portalHost(further.url), portal: link.portal, ownerSecret, olderSecret: null, links: [], ...changes };
}

/** Changes something at home, and then makes the further one alike. */
async function alikeAfter(made: MadePortal, here: Owner, change: PortalChange) {
  return makeAlike(at(made), await here.change(change));
}

const leftMs = ({ expiresAtMs, nowMs }: PortalDetails) => expiresAtMs - nowMs;

describe("a portal at a further relay", () => {
  it("[KEY-13] is opened by the same link with the same password, to the same secret, and knows its owner by another token", async () => {
    const { made, there } = await makeBoth({ password: "open sesame" });
    for (const { url } of [home, further]) {
      const opened = await openLink(portalHost(url), made.link, "open sesame");
      expect(opened?.grant).toEqual({ capability: "read", secret: made.secret });
      expect(opened?.isLimited).toBe(false);
      expect(await codeOf(openLink(portalHost(url), made.link, "open barley"))).toBe("password/wrong");
    }
    expect(await there.details()).toMatchObject({
      phase: "created",
      links: [{ capability: "read", hasPassword: true }],
    });
    const stranger = new Owner(further.url, made.link.portal, made.ownerToken);
    expect(await codeOf(stranger.details())).toBe("portal/unknown");
  });

  it("[KEY-13] may be committed without all its packs, and is made for no longer than its relay keeps portals", async () => {
    const made = await make();
    const short = { limits: { ...LIMITS.limits, maxExpirySeconds: 600 } };
    const { ownerToken, lease } = await createFurther(portalHost(further.url), made, short, FREE);
    expect(lease).toBe(1);
    const { there } = owners(made, ownerToken);
    expect(leftMs(await there.details())).toBeLessThanOrEqual(600_000);
    const portal = { text: base64url(made.link.portal), ownerToken } as TestPortal;
    expect((await putObject(further.url, portal, sealed("pack", 1, 5000, true))).status).toBe(204);
    expect((await putObject(further.url, portal, sealed("page", 0, 777, true))).status).toBe(204);
    const commit = await fetch(`${further.url}/api/v1/portals/${portal.text}/commit`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${base64url(ownerToken)}`,
        "Content-Type": "application/json",
        "Warp-Lease": "1",
      },
      body: JSON.stringify({ packs: 2, pages: 1, root: base64url(createSecret()) }),
    });
    expect(commit.status).toBe(204);
    expect((await there.details()).isComplete).toBe(false);
  });

  it("is not made where an invitation is wanted that is not there, nor where nobody answers", async () => {
    const operatorTokenHash = Uint8Array.from(createHash("sha256").update("operator").digest());
    const closed = await testRelay({ inviteOnly: true, operatorTokenHash });
    const made = await make();
    expect(await codeOf(createFurther(portalHost(closed.url), made, LIMITS, FREE))).toBe("relay/invite");
    await closed[Symbol.asyncDispose]();
    expect(await codeOf(createFurther(portalHost(closed.url), made, LIMITS, FREE))).toBe("relay/unreachable");
  });

  it("[RELAY-79] is read by its owner without anybody being counted as a receiver", async () => {
    const { made, there } = await makeBoth();
    const token = await tokenAt(further.url, made.link, made.ownerSecret);
    const portal = { text: base64url(made.link.portal), ownerToken: token } as TestPortal;
    const pack = sealed("pack", 0, 5000, true);
    await putObject(further.url, portal, pack);
    const reader = new SealedReader(fetchFrom(further.url), made.link.portal, token);
    expect(await reader.get("pack", 0, async ({ bytes }) => bytes.slice())).toEqual(pack.bytes);
    expect((await there.details()).receivers).toBe(0);
    const opened = await openLink(portalHost(further.url), made.link, null);
    const reading = { ...portal, readToken: opened?.token ?? token };
    await (await getObject(further.url, reading, "pack", 0, 1)).arrayBuffer();
    expect((await there.details()).receivers).toBe(1);
  });

  it("[RELAY-80] is read past a link without anybody being counted once more", async () => {
    const { made, there } = await makeBoth();
    const portal = {
      text: base64url(made.link.portal),
      ownerToken: await tokenAt(further.url, made.link, made.ownerSecret),
    };
    const pack = sealed("pack", 0, 5000, true);
    await putObject(further.url, portal as TestPortal, pack);
    const opened = await openLink(portalHost(further.url), made.link, null);
    if (opened === null) throw new Error("a link without a password");
    const reader = new SealedReader(fetchFrom(further.url), made.link.portal, opened.token);
    expect(await reader.get("pack", 0, async ({ bytes }) => bytes.slice())).toEqual(pack.bytes);
    expect((await there.details()).receivers).toBe(0);
  });
});

describe("made alike", () => {
  it("[KEY-14] is paused and goes on, ends later or earlier, and when it is unused, as at home", async () => {
    const { made, here, there } = await makeBoth();
    expect(await alikeAfter(made, here, { paused: true })).toMatchObject({ standing: "alike" });
    expect((await there.details()).phase).toBe("paused");
    const { leftMs: left } = await alikeAfter(made, here, { paused: false, expirySeconds: 7200, idleSeconds: 900 });
    expect(Math.abs(left - 7_200_000)).toBeLessThan(10_000);
    expect(await there.details()).toMatchObject({ phase: "created", idleSeconds: 900 });
    await alikeAfter(made, here, { expirySeconds: 300, idleSeconds: null });
    const last = await there.details();
    expect([last.idleSeconds, Math.abs(leftMs(last) - 300_000) < 10_000]).toEqual([null, true]);
  });

  it("ends no later than its relay keeps portals", async () => {
    const brief = await testRelay({ maxExpirySeconds: 4000, defaultExpirySeconds: 4000 });
    const { made, here } = await makeBoth();
    await createFurther(portalHost(brief.url), made, LIMITS, FREE);
    const { leftMs: left } = await makeAlike(
      at(made, { host: portalHost(brief.url) }),
      await here.change({ expirySeconds: 86_400, idleSeconds: 86_000 }),
    );
    expect(Math.abs(left - 4_000_000)).toBeLessThan(10_000);
    await brief[Symbol.asyncDispose]();
  });

  it("[KEY-14] has the links that home has: others are revoked there, and new ones are told with their own tokens", async () => {
    const { made, here, there } = await makeBoth();
    const link = { ...createLink(), portal: made.link.portal };
    const grant = { capability: "read", secret: made.secret } as const;
    const described = await describeLink(portalHost(home.url), link, grant, { ...OPEN_LINK, password: "mellon" });
    await addHere(made, described.body);
    const links = [await linkFor(further.url, described, link.portal)];
    await here.revokeLink(made.link);
    await makeAlike(at(made, { links }), await here.details());
    expect(await codeOf(openLink(portalHost(further.url), made.link, null))).toBe("portal/unknown");
    expect((await openLink(portalHost(further.url), link, "mellon"))?.grant).toEqual(grant);
    await makeAlike(at(made, { links }), await here.details()); // told again, it is nothing new
    await here.revokeLink(link);
    await makeAlike(at(made, { links }), await here.details());
    expect((await there.details()).links).toEqual([]);
  });

  it("[KEY-15] knows the owner's new secret, also when that was cut off after it was told", async () => {
    const { made, here } = await makeBoth();
    const next = createSecret();
    const nextHere = await tokenAt(home.url, made.link, next);
    await here.change({ ownerTokenHash: base64url(tokenHash(nextHere)) });
    const now = at(made, { ownerSecret: next, olderSecret: made.ownerSecret });
    const details = await new Owner(home.url, made.link.portal, nextHere).details();
    for (let times = 0; times < 2; times++) expect((await makeAlike(now, details)).standing).toBe("alike");
    expect((await makeAlike(at(made), details)).standing).toBe("unknown");
    expect((await endFurther(now)).standing).toBe("ended");
  });

  it("[KEY-14] ends where downloads are to be counted at home, and where home has ended", async () => {
    for (const change of [{ maxDownloads: 5 }, "a link", "end"] as const) {
      const { made, here, there } = await makeBoth();
      if (change === "a link") await addCounted(made);
      else if (change !== "end") await here.change(change);
      const details = await here.details();
      const over = change === "end" ? { ...details, phase: "expired" as const } : details;
      expect((await makeAlike(at(made), over)).standing).toBe("ended");
      expect((await there.details()).phase).toMatch(/^(expired|archived)$/);
      expect((await makeAlike(at(made), over)).standing).toBe("ended"); // and again
      expect((await makeAlike(at(made), { ...details, maxDownloads: null, links: [] })).standing).toBe("ended");
    }
  });

  it("[KEY-15] is told later what could not be told while its relay was away", async () => {
    const { made, here } = await makeBoth();
    const { port } = new URL(further.url);
    const { dataDir } = further;
    await further.relay.stop();
    expect(await codeOf(alikeAfter(made, here, { paused: true }))).toBe("relay/unreachable");
    further = await testRelay({ port: Number(port), dataDir });
    expect((await makeAlike(at(made), await here.details())).standing).toBe("alike");
    const token = await tokenAt(further.url, made.link, made.ownerSecret);
    expect((await new Owner(further.url, made.link.portal, token).details()).phase).toBe("paused");
  });
});

it("there is something to tell when the rules or links of home change, and nothing when it is only used", async () => {
  const { made, here } = await makeBoth();
  const first = stepOf(await here.details());
  await openLink(portalHost(home.url), made.link, null);
  expect(stepOf(await here.details())).toBe(first);
  const seen = new Set([first]);
  for (const change of [{ paused: true }, { expirySeconds: 7200 }, { idleSeconds: 900 }, { maxDownloads: 3 }] as const)
    seen.add(stepOf(await here.change(change)));
  await here.revokeLink(made.link);
  seen.add(stepOf(await here.details()));
  expect(seen.size).toBe(6);
});

async function addHere(made: MadePortal, link: NewLink): Promise<void> {
  const response = await fetch(`${home.url}/api/v1/portals/${base64url(made.link.portal)}/links`, {
    method: "POST",
    headers: { Authorization: `Bearer ${base64url(made.ownerToken)}`, "Content-Type": "application/json" },
    body: JSON.stringify(link),
  });
  expect(response.status).toBe(204);
}

async function addCounted(made: MadePortal): Promise<void> {
  const link = { ...createLink(), portal: made.link.portal };
  const grant = { capability: "read", secret: made.secret } as const;
  const { body } = await describeLink(portalHost(home.url), link, grant, { ...OPEN_LINK, maxUses: 1 });
  await addHere(made, body);
}
