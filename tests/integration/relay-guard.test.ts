import { describe, expect, it, vi } from "vitest";
import { type ApiError, INVITE_HEADER, WORK_HEADER } from "../../core/portal/portal.ts";
import { findStamp } from "../../core/portal/work.ts";
import { wireCode } from "../../core/wire/frame.ts";

import { from, guardedRelay, invite, tryLink } from "./guarded-relay.ts";
import {
  addLink,
  base64url,
  bearer,
  createPortal,
  getObject,
  inventLink,
  inventPortal,
  postPortal,
  putObject,
  random,
  sealed,
  TestLink,
  type TestPortal,
} from "./relay-client.ts";
import { inventVault, VaultClient } from "./vault-client.ts";

const busy = { code: "relay/busy", details: { retrySeconds: expect.any(Number) } };
const PASSWORD = { algorithm: "argon2id", memory: 65_536, iterations: 3, parallelism: 1 } as const;

/** The code of a failure, or the status of what is none. */
async function codeOf(answering: Promise<Response>): Promise<string> {
  const answer = await answering;
  return answer.ok ? String(answer.status) : ((await answer.json()) as ApiError).code;
}

/** A delivery into a request. */
function delivery(request: TestPortal): Record<string, unknown> {
  return inventPortal({ delivery: { request: request.text, offer: base64url(random(80)) } }).body;
}

describe("limits on creating", () => {
  it("[RELAY-60] hold for each address, and an IPv6 network is one address", async () => {
    await using relay = await guardedRelay({ maxCreatesPerHour: 2 });
    const create = (address: string) => postPortal(relay.url, inventPortal().body, from(address));
    for (const [one, other] of [["1.2.3.4", "1.2.3.5"] as const, ["2001:db8::1", "2001:db8:0:1::1"] as const]) {
      expect([(await create(one)).status, (await create(one)).status]).toEqual([201, 201]);
      const refused = await create(one);
      expect([refused.status, await refused.json()]).toEqual([429, busy]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3000);
      expect((await create(other)).status).toBe(201);
    }
    expect((await create("2001:db8::ffff")).status).toBe(429);
    expect(await (await fetch(`${relay.url}/metrics`)).text()).toMatch(/warp_limited_total\{what="creations"\} 3/);
  });

  it("[RELAY-60] let a creation that was done be repeated", async () => {
    await using relay = await guardedRelay({ maxCreatesPerHour: 1 });
    const { body } = inventPortal();
    expect((await postPortal(relay.url, body, from("1.2.3.4"))).status).toBe(201);
    for (let n = 0; n < 3; n++) expect((await postPortal(relay.url, body, from("1.2.3.4"))).status).toBe(200);
  });
});

describe("limits on wrong tokens", () => {
  it("[RELAY-61] answer the sixth within a minute with the time to wait, and right ones as ever", async () => {
    await using relay = await guardedRelay();
    const portal = await createPortal(relay.url);
    await putObject(relay.url, portal, sealed("page", 0, 100));
    for (let n = 0; n < 5; n++) expect(await codeOf(tryLink(relay.url, portal, "1.2.3.4"))).toBe("portal/unknown");
    const refused = await tryLink(relay.url, portal, "1.2.3.4");
    expect([refused.status, await refused.json()]).toEqual([429, busy]);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(await codeOf(tryLink(relay.url, portal, "1.2.3.5"))).toBe("portal/unknown");
    const right = await tryLink(relay.url, portal, "1.2.3.4", portal.readToken);
    expect([right.status, (await right.json()).opened.capability]).toEqual([200, "read"]);
    const details = `${relay.url}/api/v1/portals/${portal.text}/details`;
    expect((await fetch(details, { headers: from("1.2.3.4", bearer(portal.ownerToken)) })).status).toBe(200);
    expect((await getObject(relay.url, portal, "page", 0)).status).toBe(200);
  });

  it("[RELAY-61] count alike on every route and for portals that do not exist", async () => {
    await using relay = await guardedRelay();
    const portals = [await createPortal(relay.url), inventPortal()];
    for (const [at, { text, link }] of portals.entries()) {
      const paths = [
        `/${text}`,
        `/${text}/details`,
        `/${text}/links/${link}?plain=1`,
        `/${text}/pages/0`,
        `/${text}`,
        `/${text}`,
      ];
      const codes: string[] = [];
      for (const path of paths) {
        const headers = from(`1.1.1.${at}`, bearer(random(32)));
        codes.push(await codeOf(fetch(`${relay.url}/api/v1/portals${path}`, { headers })));
      }
      expect(codes).toEqual([...Array<string>(5).fill("portal/unknown"), "relay/busy"]);
    }
  });

  it("[RELAY-61] count what a link's hello says", async () => {
    await using relay = await guardedRelay();
    const portal = await createPortal(relay.url);
    const codes: number[] = [];
    for (let n = 0; n < 6; n++) {
      const link = await TestLink.connect(relay.url, from("1.2.3.4"));
      link.hello(portal, "receive", random(32));
      codes.push((await link.next("bye")).code);
      await link.closed;
    }
    expect(codes).toEqual([...Array<number>(5).fill(wireCode("portal/unknown")), wireCode("relay/busy")]);
    const right = await TestLink.connect(relay.url, from("1.2.3.4"));
    right.hello(portal, "receive");
    await right.next("welcome");
    await right.cut();
  });

  it("[RELAY-61] make a right password wait where its own address was wrong too often, and nobody else", async () => {
    await using relay = await guardedRelay();
    const link = inventLink("read", { password: PASSWORD });
    const portal = {
      ...(await createPortal(relay.url, { links: [link.body] })),
      link: link.link,
      readToken: link.token,
    };
    const plain = (address: string, token: Uint8Array) =>
      fetch(`${relay.url}/api/v1/portals/${portal.text}/links/${link.link}?plain=1`, {
        headers: from(address, bearer(token)),
      });
    // No guess, however often, and no way to find out whether one was right.
    for (let n = 0; n < 10; n++)
      for (const token of [random(32), link.token])
        expect(await (await plain("1.2.3.4", token)).json()).toEqual({ password: PASSWORD, opened: null });
    expect((await tryLink(relay.url, portal, "1.2.3.4", link.token)).status).toBe(200);
    for (let n = 0; n < 5; n++) await tryLink(relay.url, portal, "1.2.3.4");
    expect(await codeOf(tryLink(relay.url, portal, "1.2.3.4", link.token))).toBe("relay/busy");
    const state = await fetch(`${relay.url}/api/v1/portals/${portal.text}`, {
      headers: from("1.2.3.4", bearer(link.token)),
    });
    expect(state.status).toBe(429);
    expect((await tryLink(relay.url, portal, "1.2.3.5", link.token)).status).toBe(200);
    const owner = from("1.2.3.4", bearer(portal.ownerToken));
    expect((await fetch(`${relay.url}/api/v1/portals/${portal.text}`, { headers: owner })).status).toBe(200);
  });
});

describe("limits on bytes", () => {
  it("[RELAY-62] count what came, over HTTP and links, and hold for the address alone", async () => {
    await using relay = await guardedRelay({ maxBytesPerDay: 3000 });
    const portal = await createPortal(relay.url);
    const put = (index: number, address: string, length: number) => {
      const { header, bytes } = sealed("page", index, length);
      return fetch(`${relay.url}/api/v1/portals/${portal.text}/pages/${index}`, {
        method: "PUT",
        headers: from(address, {
          ...bearer(portal.ownerToken),
          "Warp-Lease": "1",
          "Warp-Hash": base64url(header.hash),
        }),
        body: bytes,
      });
    };
    expect((await put(0, "1.2.3.4", 2000)).status).toBe(204);
    // What was declared and did not come is not counted.
    const link = await TestLink.connect(relay.url, from("1.2.3.4"));
    link.hello(portal, "send");
    await link.next("welcome");
    link.sendHeader(sealed("pack", 0, 4_194_304).header);
    await link.cut();
    expect((await put(1, "1.2.3.4", 500)).status).toBe(204);
    const second = await TestLink.connect(relay.url, from("1.2.3.4"));
    second.hello(portal, "send");
    await second.next("welcome");
    second.put(sealed("page", 2, 500));
    await second.next("ack", ({ index }) => index === 2);
    second.put(sealed("page", 3, 100));
    expect(await second.next("refuse")).toMatchObject({ index: 3, code: wireCode("relay/busy") });
    await second.cut();
    const refused = await put(4, "1.2.3.4", 100);
    expect([refused.status, await refused.json()]).toEqual([429, busy]);
    expect((await put(4, "1.2.3.5", 100)).status).toBe(204);
    expect((await getObject(relay.url, portal, "page", 2)).status).toBe(200);
  });
});

describe("a relay that asks for an invitation", () => {
  it("[RELAY-63] says so, and creates portals and vaults only with one that is good", async () => {
    await using relay = await guardedRelay({ inviteOnly: true });
    const { url } = relay;
    expect((await (await fetch(`${url}/api/v1/relay`)).json()).creation).toEqual({ invite: true, workBits: 0 });
    const create = (headers: Record<string, string>) => codeOf(postPortal(url, inventPortal().body, headers));
    const code = await invite(url, 2);
    for (const wrong of [
      {},
      { [INVITE_HEADER]: "" },
      { [INVITE_HEADER]: code.slice(1) },
      { [INVITE_HEADER]: "A".repeat(32) },
    ])
      expect(await create(wrong)).toBe("relay/invite");
    const vault = new VaultClient(url, inventVault());
    expect(await codeOf(vault.create())).toBe("relay/invite");
    expect(await codeOf(vault.create({ [INVITE_HEADER]: code }))).toBe("204");
    expect(await create({ [INVITE_HEADER]: code })).toBe("201");
    expect(await create({ [INVITE_HEADER]: code })).toBe("relay/invite");
    expect(await codeOf(vault.create({ [INVITE_HEADER]: code }))).toBe("204");
  });

  it("[RELAY-64] uses one up with each portal that is made, and with no other, however many ask at once", async () => {
    await using relay = await guardedRelay({ inviteOnly: true });
    const { url } = relay;
    const headers = { [INVITE_HEADER]: await invite(url, 3) };
    const portal = inventPortal();
    expect((await postPortal(url, portal.body, headers)).status).toBe(201);
    expect((await postPortal(url, portal.body, headers)).status).toBe(200);
    expect((await postPortal(url, portal.body)).status).toBe(200);
    expect(await codeOf(postPortal(url, { ...portal.body, expirySeconds: 61 }, headers))).toBe("portal/taken");
    const wishes = Array.from({ length: 20 }, () => postPortal(url, inventPortal().body, headers));
    const codes = await Promise.all(wishes.map(codeOf));
    expect(codes.filter((code) => code === "201")).toHaveLength(2);
    expect(codes.filter((code) => code === "relay/invite")).toHaveLength(18);
  });

  it("[RELAY-66] takes deliveries from those whom a write link invites", async () => {
    await using relay = await guardedRelay({ inviteOnly: true, workBits: 8, maxCreatesPerHour: 5 });
    const { url } = relay;
    const request = inventPortal({ kind: "request" });
    const work = String(await findStamp(request.id, url, 8));
    const headers = { [INVITE_HEADER]: await invite(url), [WORK_HEADER]: work };
    expect((await postPortal(url, request.body, headers)).status).toBe(201);
    const write = bearer(request.readToken);
    for (let n = 0; n < 5; n++)
      expect((await postPortal(url, delivery(request), from("9.9.9.9", write))).status).toBe(201);
    expect(await codeOf(postPortal(url, delivery(request), from("9.9.9.9", write)))).toBe("relay/busy");
    expect(await codeOf(postPortal(url, delivery(request), bearer(random(32))))).toBe("portal/unknown");
  });
});

describe("a relay that asks for work", () => {
  it("[RELAY-65] says so, and creates a portal only for a stamp of that portal at this relay", async () => {
    await using relay = await guardedRelay({ workBits: 14 });
    const { url } = relay;
    expect((await (await fetch(`${url}/api/v1/relay`)).json()).creation).toEqual({ invite: false, workBits: 14 });
    const portal = inventPortal();
    const stamp = await findStamp(portal.id, url, 14);
    const create = (text: string, one = portal) =>
      codeOf(postPortal(url, one.body, text === "" ? {} : { [WORK_HEADER]: text }));
    const elsewhere = await findStamp(portal.id, "https://other.example", 14);
    for (const wrong of [
      "",
      "-1",
      "1.5",
      "1e3",
      "4294967296",
      "99999999999",
      `0x${stamp.toString(16)}`,
      String(elsewhere),
    ])
      expect(await create(wrong)).toBe("relay/work");
    expect(await create(String(stamp), inventPortal())).toBe("relay/work");
    expect(await create(String(stamp))).toBe("201");
    expect(await create("")).toBe("200");
    const named = await addLink(url, portal, inventLink("read"));
    expect(named.body.capability).toBe("read");
  });
});

describe("what a limit refuses", () => {
  it("[RELAY-28] is logged without an address", async () => {
    await using relay = await guardedRelay({ maxCreatesPerHour: 1 });
    for (let n = 0; n < 2; n++) await postPortal(relay.url, inventPortal().body, from("1.2.3.4"));
    await vi.waitUntil(() => relay.log.some((line) => line.includes('"event":"limited"')));
    const line = relay.log.find((one) => one.includes('"event":"limited"')) ?? "";
    expect(JSON.parse(line)).toMatchObject({
      code: "relay/busy",
      reason: "creations",
      address: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect(relay.log.join("\n")).not.toContain("1.2.3.4");
  });
});
