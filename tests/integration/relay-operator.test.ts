import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guardedRelay, invite, nobodys, OPERATOR_TOKEN, operate } from "./guarded-relay.ts";
import {
  base64url,
  bearer,
  createPortal,
  getObject,
  inventPortal,
  postPortal,
  putObject,
  sealed,
  TestLink,
} from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";
import { inventVault, VaultClient } from "./vault-client.ts";

let relay: TestRelay;
beforeAll(async () => {
  relay = await guardedRelay();
});
afterAll(async () => relay[Symbol.asyncDispose]());

/** Everything in an answer but its date. */
async function whole(answer: Response): Promise<string> {
  return JSON.stringify([answer.status, [...answer.headers].filter(([name]) => name !== "date"), await answer.text()]);
}

const ROUTES = [
  ["POST", "/invites", { uses: 1, expirySeconds: 60 }],
  ["POST", "/invites", { uses: -1 }],
  ["DELETE", `/portals/${nobodys()}`],
  ["DELETE", "/portals/x"],
  ["GET", "/usage"],
  ["GET", "/nothing"],
] as const;

describe("the operator's routes", () => {
  it("[RELAY-67] are no routes without the token, nor where none is set", async () => {
    await using none = await testRelay();
    const answers = new Set<string>();
    let answered = 0;
    for (const [method, path, body] of ROUTES) {
      for (const token of ["wrong", OPERATOR_TOKEN.slice(1), `${OPERATOR_TOKEN}x`, base64url(new Uint8Array(32))]) {
        const address = `10.1.${answered >> 8}.${answered++ & 255}`;
        answers.add(await whole(await operate(relay.url, method, path, body, { token, address })));
      }
      answers.add(await whole(await operate(none.url, method, path, body)));
    }
    answers.add(await whole(await fetch(`${none.url}/api/v1/nothing`)));
    expect(answers.size).toBe(1);
    expect([...answers][0]).toMatch(/^\[404,.*"route/);
  });

  it("[RELAY-67] are limited for who guesses, and not for the operator", async () => {
    await using fresh = await guardedRelay();
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++)
      statuses.push((await operate(fresh.url, "GET", "/usage", undefined, { token: `guess ${n}` })).status);
    expect(statuses).toEqual([404, 404, 404, 404, 404, 429]);
    expect((await operate(fresh.url, "GET", "/usage")).status).toBe(200);
  });

  it("[RELAY-63] invite, within bounds", async () => {
    const { url } = relay;
    expect(await invite(url)).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(await invite(url)).not.toBe(await invite(url));
    for (const uses of [0, -1, 1.5, 10_001, 2 ** 53, "1", null]) {
      const answer = await operate(url, "POST", "/invites", { uses, expirySeconds: 60 });
      expect([answer.status, (await answer.json()).code]).toEqual([400, "wire/malformed"]);
    }
    for (const expirySeconds of [0, 59, 86_400 * 400, Number.MAX_SAFE_INTEGER])
      expect((await operate(url, "POST", "/invites", { uses: 1, expirySeconds })).status).toBe(400);
    expect(
      (await operate(url, "POST", "/invites", { uses: 1, expirySeconds: 60, more: "x".repeat(20_000) })).status,
    ).toBe(413);
  });

  it("tell how much there is", async () => {
    await using fresh = await guardedRelay();
    const portal = await createPortal(fresh.url);
    await putObject(fresh.url, portal, sealed("page", 0, 123));
    await new VaultClient(fresh.url, inventVault()).create();
    const usage = await operate(fresh.url, "GET", "/usage");
    expect(await usage.json()).toEqual({ portals: 1, bytes: 123, vaults: 1 });
  });
});

describe("a takedown", () => {
  it("[RELAY-68] ends a portal for everybody, removes its bytes, and is told to its owner", async () => {
    const { url } = relay;
    const portal = await createPortal(url);
    await putObject(url, portal, sealed("page", 0, 100));
    const [sender, receiver] = [await TestLink.open(url, portal, "send"), await TestLink.open(url, portal, "receive")];
    expect((await operate(url, "DELETE", `/portals/${portal.text}`)).status).toBe(204);
    await Promise.all([sender.closed, receiver.closed]);
    const details = await fetch(`${url}/api/v1/portals/${portal.text}/details`, { headers: bearer(portal.ownerToken) });
    expect(await details.json()).toMatchObject({ endReason: "removed", bytes: 0 });
    const read = await getObject(url, portal, "page", 0);
    expect([read.status, await read.json()]).toEqual([404, { code: "portal/unknown", details: {} }]);
    expect(await (await operate(url, "GET", "/usage")).json()).toMatchObject({ bytes: 0 });
    expect((await operate(url, "DELETE", `/portals/${portal.text}`)).status).toBe(204);
    const unknown = await operate(url, "DELETE", `/portals/${nobodys()}`);
    expect((await unknown.json()).code).toBe("portal/unknown");
  });

  it("[RELAY-68] of a request ends its deliveries", async () => {
    const { url } = relay;
    const request = await createPortal(url, { kind: "request" });
    const offer = base64url(Buffer.alloc(80, 7));
    const body = { delivery: { request: request.text, offer } };
    const delivery = inventPortal(body);
    expect((await postPortal(url, delivery.body, bearer(request.readToken))).status).toBe(201);
    await operate(url, "DELETE", `/portals/${request.text}`);
    const details = await fetch(`${url}/api/v1/portals/${delivery.text}/details`, {
      headers: bearer(delivery.ownerToken),
    });
    expect(await details.json()).toMatchObject({ endReason: "removed" });
  });
});
