import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import type { Deliveries } from "../../core/portal/portal.ts";
import { change, details, opened, outcome, request } from "./portal-calls.ts";
import {
  addLink,
  base64url,
  bearer,
  createPortal,
  inventLink,
  inventPortal,
  leased,
  postPortal,
  putObject,
  random,
  sealed,
  TestLink,
  type TestPortal,
} from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay({}, { limits: { failuresOfPair: 1e6, failuresOfPortal: 1e6, failuresOfAddress: 1e6 } });
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

/** A request whose first link may be used so often. */
function createRequest(maxUses: number | null = null): Promise<TestPortal> {
  return createPortal(url, { kind: "request" }).then(async (portal) => {
    if (maxUses === null) return portal;
    const link = await addLink(url, portal, inventLink("write", { maxUses }));
    return { ...portal, readToken: link.token, link: link.link };
  });
}

function inventDelivery(request: TestPortal): TestPortal {
  return inventPortal({ delivery: { request: request.text, offer: base64url(random(80)) } });
}

const post = (delivery: TestPortal, token: Uint8Array) => postPortal(url, delivery.body, bearer(token));

async function deliveries(portal: TestPortal): Promise<Deliveries["deliveries"]> {
  const answer = await request(url, portal, "GET", "/deliveries", { token: portal.ownerToken });
  return ((await answer.json()) as Deliveries).deliveries;
}

async function commit(portal: TestPortal): Promise<string> {
  await putObject(url, portal, sealed("page", 0, 100, true));
  const body = { packs: 0, pages: 1, root: base64url(new MerkleBuilder("packs").root()) };
  return outcome(request(url, portal, "POST", "/commit", { token: portal.ownerToken, body, headers: leased(1) }));
}

describe("a request", () => {
  it("[RELAY-57] takes a delivery through its write link, and tells its owner of it", async () => {
    const portal = await createRequest();
    expect(
      (await opened(url, portal, { ...portal, token: portal.readToken, body: inventLink("write").body })).opened,
    ).toMatchObject({ capability: "write", kind: "request", isLimited: false });
    const delivery = inventDelivery(portal);
    expect((await post(delivery, portal.readToken)).status).toBe(201);
    expect((await post(delivery, portal.readToken)).status).toBe(200);
    expect(await commit(delivery)).toBe("ok");
    const [told] = await deliveries(portal);
    const { offer } = delivery.body["delivery"] as { offer: string };
    expect(told).toMatchObject({ portal: delivery.text, offer, bytes: 100, isComplete: true });
    expect((await details(url, portal)).links[0]?.uses).toBe(1);
    expect(await outcome(request(url, portal, "GET", "/deliveries", { token: portal.readToken }))).toBe(
      "portal/unknown",
    );
  });

  it("[RELAY-57] refuses one without its token, by a link that reads, and of another kind", async () => {
    const portal = await createRequest();
    const other = await createRequest();
    for (const token of [random(32), portal.ownerToken, other.readToken])
      expect(await outcome(post(inventDelivery(portal), token))).toBe("portal/unknown");
    expect(await outcome(postPortal(url, inventDelivery(portal).body))).toBe("portal/unknown");
    const plain = await createPortal(url);
    expect(await outcome(post(inventDelivery(plain), plain.readToken))).toBe("portal/unknown");
    const nested = { ...inventDelivery(portal).body, kind: "request", links: [] };
    expect(await outcome(postPortal(url, nested, bearer(portal.readToken)))).toBe("wire/malformed");
    expect(await deliveries(portal)).toEqual([]);
  });

  it("[RELAY-57] lets 20 at once deliver as often as its link may be used, and takes uncommitted ones back", async () => {
    const portal = await createRequest(2);
    const all = Array.from({ length: 20 }, () => inventDelivery(portal));
    const outcomes = await Promise.all(all.map((delivery) => outcome(post(delivery, portal.readToken))));
    const made = all.filter((_delivery, at) => outcomes[at] === "ok");
    expect(made).toHaveLength(2);
    expect(outcomes.filter((code) => code === "portal/unknown")).toHaveLength(18);
    const [first, second] = made as [TestPortal, TestPortal];
    // Used up now, and still the same creation succeeds.
    expect(await outcome(post(first, portal.readToken))).toBe("ok");
    expect(await commit(first)).toBe("ok");
    await request(url, second, "DELETE", "", { token: second.ownerToken });
    expect(await outcome(post(inventDelivery(portal), portal.readToken))).toBe("ok");
    expect(await outcome(post(inventDelivery(portal), portal.readToken))).toBe("portal/unknown");
  });

  it("[RELAY-58] that is paused opens and takes nothing, until it goes on", async () => {
    const portal = await createRequest();
    expect(await change(url, portal, { paused: true })).toMatchObject({ phase: "paused" });
    expect(await outcome(post(inventDelivery(portal), portal.readToken))).toBe("portal/unknown");
    expect(await change(url, portal, { paused: false })).toMatchObject({ phase: "active" });
    expect(await outcome(post(inventDelivery(portal), portal.readToken))).toBe("ok");
  });

  it("[RELAY-57] ends with its deliveries, also those that are under way", async () => {
    const portal = await createRequest();
    const [done, open] = [inventDelivery(portal), inventDelivery(portal)];
    for (const delivery of [done, open]) await post(delivery, portal.readToken);
    await commit(done);
    const sender = await TestLink.open(url, open, "send");
    await request(url, portal, "DELETE", "", { token: portal.ownerToken });
    expect(await sender.next("bye")).toEqual({ t: "bye", code: FAILURES["portal/expired"].wire });
    for (const delivery of [done, open])
      expect(await details(url, delivery)).toMatchObject({ phase: "archived", endReason: "owner" });
    expect(await outcome(request(url, portal, "GET", "/deliveries", { token: portal.ownerToken }))).toBe(
      "portal/expired",
    );
  });

  it("[RELAY-2] holds nothing itself", async () => {
    const portal = await createRequest();
    expect(await outcome(putObject(url, portal, sealed("page", 0, 100)))).toBe("portal/closed");
    expect(
      await outcome(request(url, portal, "POST", "/lease", { token: portal.ownerToken, body: { takeOver: false } })),
    ).toBe("portal/closed");
    expect(await commitOnly(portal)).toBe("portal/closed");
    const link = await TestLink.connect(url);
    link.hello(portal, "send");
    expect(await link.next("bye")).toEqual({ t: "bye", code: FAILURES["portal/closed"].wire });
    await link.closed;
  });
});

function commitOnly(portal: TestPortal): Promise<string> {
  const body = { packs: 0, pages: 1, root: base64url(random(32)) };
  return outcome(request(url, portal, "POST", "/commit", { token: portal.ownerToken, body, headers: leased(1) }));
}
