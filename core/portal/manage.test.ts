import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import type { HttpRequest, HttpResponse } from "../edge/http-link.ts";
import { Failure } from "../failure.ts";
import {
  addPortalLink,
  changePortal,
  type Manager,
  portalDeliveries,
  portalDetails,
  revokePortalLink,
} from "./manage.ts";
import { type NewLink, type PortalDetails, RELAY_HEADER } from "./portal.ts";

const name = Buffer.from(noise(16, "link")).toString("base64url");
const portal = noise(16, "portal");
const token = noise(32, "token");
const base = `/api/v1/portals/${Buffer.from(portal).toString("base64url")}`;

const details: PortalDetails = {
  portal: name,
  kind: "send",
  phase: "active",
  endReason: null,
  nowMs: 1,
  createdAtMs: 2,
  expiresAtMs: 3,
  usedAtMs: 4,
  idleSeconds: null,
  maxDownloads: 5,
  downloads: 6,
  claims: 7,
  bytes: 8,
  isComplete: true,
  senders: 9,
  receivers: 10,
  links: [
    {
      link: name,
      capability: "read",
      hasPassword: false,
      uses: 0,
      maxUses: null,
      notBeforeMs: null,
      expiresAtMs: null,
      createdAtMs: 1,
    },
  ],
};

/** A relay that answers everything alike, and what it was asked. */
function relayThat(answer: unknown): { manager: Manager; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(answer) ?? ""));
  const response: HttpResponse = {
    status: bytes.length === 0 ? 204 : 200,
    header: (header) => (header === RELAY_HEADER ? "1" : null),
    bytes: () => Promise.resolve(bytes),
  };
  const send = (request: HttpRequest) => {
    requests.push(request);
    return Promise.resolve(response);
  };
  const passwordKey = () => Promise.reject(new Error("no password here"));
  return { manager: { host: { origin: "https://relay.example", send, passwordKey }, portal, token }, requests };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("managing a portal", () => {
  it("asks at the portal's addresses, with the token", async () => {
    const { manager, requests } = relayThat(details);
    const link = { link: name } as NewLink;
    await portalDetails(manager);
    await changePortal(manager, { paused: true });
    await addPortalLink(manager, link);
    await revokePortalLink(manager, name);
    expect(requests.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["GET", `${base}/details`, undefined],
      ["PATCH", base, '{"paused":true}'],
      ["POST", `${base}/links`, JSON.stringify(link)],
      ["DELETE", `${base}/links/${name}`, undefined],
    ]);
    for (const { headers } of requests)
      expect(headers?.["Authorization"]).toBe(`Bearer ${Buffer.from(token).toString("base64url")}`);
  });

  it("takes what the relay tells, and nothing that it adds", async () => {
    expect(await portalDetails(relayThat({ ...details, extra: "<b>" }).manager)).toEqual(details);
    const delivery = { portal: name, offer: "AAAA", createdAtMs: 1, expiresAtMs: 2, bytes: 3, isComplete: false };
    expect(await portalDeliveries(relayThat({ deliveries: [{ ...delivery, extra: 1 }] }).manager)).toEqual([delivery]);
  });

  it("refuses an answer with any field of another form", async () => {
    const odd = [undefined, null, -1, 0.5, 2 ** 53, "x".repeat(5000), [1], {}, true];
    const isRight: Record<string, readonly unknown[]> = {
      isComplete: [true],
      endReason: [null],
      idleSeconds: [null],
      maxDownloads: [null],
    };
    for (const field of Object.keys(details))
      for (const value of odd) {
        if (isRight[field]?.includes(value)) continue;
        const { manager } = relayThat({ ...details, [field]: value });
        expect(await codeOf(portalDetails(manager)), `${field}: ${String(value)}`).toBe("relay/foreign");
      }
    const many = { ...details, links: Array(65).fill(details.links[0]) };
    expect(await codeOf(portalDetails(relayThat(many).manager))).toBe("relay/foreign");
  });

  it("takes any JSON without anything but a coded failure", () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const { manager } = relayThat(value);
        for (const work of [portalDetails(manager), portalDeliveries(manager)])
          expect(await codeOf(work)).toBe("relay/foreign");
      }),
    ));
});
