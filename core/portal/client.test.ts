import { base64urlnopad } from "@scure/base";
import { beforeEach, describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { codeOf } from "../../tests/support/fake-http.ts";
import { EXPIRES_AT_MS, FakePortals, ORIGIN } from "../../tests/support/fake-portals.ts";
import { ownerKey, relayToken, tokenHash } from "../seal/keys.ts";
import { createLink, formatLink } from "../seal/link.ts";
import { type Admission, contentKeysOf, createPortal, type OpenedPortal, openLink, reopenLink } from "./client.ts";
import { describeLink, OPEN_LINK } from "./new-link.ts";
import { offerKeys, openOffer } from "./offer.ts";
import { PASSWORD_PARAMETERS } from "./password.ts";
import { INVITE_HEADER, type LinkAccess, type OpenedLink, WORK_HEADER } from "./portal.ts";
import { isWorked } from "./work.ts";

const RULES = { expirySeconds: 3600, idleSeconds: null, maxDownloads: null };
const FREE: Admission = { invite: null, workBits: 0 };
const SEND = { kind: "send" } as const;
let relay: FakePortals;
beforeEach(() => {
  relay = new FakePortals();
});

const make = (password = "", admission = FREE) =>
  createPortal(relay.host, SEND, RULES, { ...OPEN_LINK, password }, admission);

async function opened(work: Promise<OpenedPortal | null>): Promise<OpenedPortal> {
  const found = await work;
  if (found === null) throw new Error("it needs a password");
  return found;
}

describe("a portal", () => {
  it("[KEY-4] has random secrets of its own, and the relay is told only hashes and what is sealed", async () => {
    const made = await make("open sesame");
    expect([made.lease, made.expiresAtMs]).toEqual([1, EXPIRES_AT_MS]);
    const told = JSON.stringify(relay.requests);
    const secrets = [made.link.secret, made.secret, made.ownerSecret, made.ownerToken];
    for (const secret of secrets) {
      expect(told).not.toContain(base64urlnopad.encode(secret));
      expect(told).not.toContain(Buffer.from(secret).toString("hex"));
    }
    expect(told).not.toContain("sesame");
    const token = await relayToken(await ownerKey(made.ownerSecret), "own", ORIGIN, made.link.portal);
    expect(token).toEqual(made.ownerToken);
    expect(relay.portals[0]).toMatchObject({
      portal: base64urlnopad.encode(made.link.portal),
      kind: "send",
      ownerTokenHash: base64urlnopad.encode(tokenHash(token)),
      ...RULES,
      delivery: null,
      partial: false,
    });
    expect(new Set(secrets.map((secret) => base64urlnopad.encode(secret))).size).toBe(4);
  });

  it("[KEY-12] brings the invitation and the work that its relay asks for, and nothing where it asks for nothing", async () => {
    const { link } = await make("", { invite: "welcome", workBits: 10 });
    const headers = relay.requests[0]?.headers ?? {};
    expect(headers[INVITE_HEADER]).toBe("welcome");
    expect(isWorked(link.portal, ORIGIN, Number(headers[WORK_HEADER]), 10)).toBe(true);
    await make();
    expect(Object.keys(relay.requests[1]?.headers ?? {})).toEqual(["Content-Type"]);
  });
});

describe("opening a link", () => {
  it("[KEY-10] gives the portal's secret without a password, in one request", async () => {
    const made = await make();
    const { grant, kind, token, isLimited, expiresAtMs } = await opened(openLink(relay.host, made.link, null));
    expect([grant, kind, isLimited]).toEqual([{ capability: "read", secret: made.secret }, "send", false]);
    expect(expiresAtMs).toBe(EXPIRES_AT_MS);
    expect(base64urlnopad.encode(tokenHash(token))).toBe(relay.portals[0]?.links[0]?.tokenHash);
    expect(relay.requests).toHaveLength(2);
    expect(relay.requests[1]?.path).toMatch(/\?plain=1$/);
  });

  it("[KEY-10] asks whether a password is needed without guessing at it, and tells a wrong one", async () => {
    const made = await make("päss");
    expect(await openLink(relay.host, made.link, null)).toBeNull();
    expect(await codeOf(openLink(relay.host, made.link, "pass"))).toBe("password/wrong");
    const { grant } = await opened(openLink(relay.host, made.link, "pa\u0308ss")); // written otherwise, the same letters
    expect(grant).toEqual({ capability: "read", secret: made.secret });
    const asked = relay.requests.slice(1).map(({ path }) => path.endsWith("?plain=1"));
    expect(asked).toEqual([true, true, false, true, false]);
  });

  it("[KEY-10] of a portal or with a secret that the relay does not know is portal/unknown", async () => {
    const { link } = await make();
    expect(await codeOf(openLink(relay.host, createLink(), null))).toBe("portal/unknown");
    expect(await codeOf(openLink(relay.host, { ...link, secret: noise(32, 1) }, null))).toBe("portal/unknown");
  });

  it("[KEY-10] again takes neither the password nor the grant", async () => {
    const made = await make("open sesame");
    const first = await opened(openLink(relay.host, made.link, "open sesame"));
    const again = await reopenLink(relay.host, made.link, first.auth);
    expect(again).toEqual({ ...first, grant: undefined });
    expect(first.auth.extractable).toBe(false);
  });

  it("[KEY-6] with a password of its own leaves the others as they are", async () => {
    const made = await make("first");
    const second = { portal: made.link.portal, secret: noise(32, "second") };
    const grant = { capability: "read", secret: made.secret } as const;
    const { body: told } = await describeLink(relay.host, second, grant, { ...OPEN_LINK, password: "second" });
    relay.links.set(`/api/v1/portals/${base64urlnopad.encode(second.portal)}/links/${told.link}`, told);
    for (const [link, right, wrong] of [
      [made.link, "first", "second"],
      [second, "second", "first"],
    ] as const) {
      expect((await opened(openLink(relay.host, link, right))).grant).toEqual(grant);
      expect(await codeOf(openLink(relay.host, link, wrong))).toBe("password/wrong");
    }
    expect(formatLink(second)).not.toBe(formatLink(made.link));
  });

  const lies: readonly [string, (told: OpenedLink) => unknown, string][] = [
    [
      "another commitment",
      (told) => ({ ...told, keyCommitment: base64urlnopad.encode(noise(32, 1)) }),
      "link/wrong-secret",
    ],
    ["a commitment that is none", (told) => ({ ...told, keyCommitment: "?" }), "relay/foreign"],
    ["another grant", (told) => ({ ...told, grant: base64urlnopad.encode(noise(70, 1)) }), "link/wrong-secret"],
    ["no grant", (told) => ({ ...told, grant: "" }), "link/wrong-secret"],
    ["a grant that is too long", (told) => ({ ...told, grant: "A".repeat(3000) }), "relay/foreign"],
    ["another purpose", (told) => ({ ...told, capability: "admin" }), "link/wrong-secret"],
    ["a purpose that there is not", (told) => ({ ...told, capability: "root" }), "relay/foreign"],
    ["a time that is none", (told) => ({ ...told, expiresAtMs: -1 }), "relay/foreign"],
    ["limits that are no answer", (told) => ({ ...told, isLimited: 1 }), "relay/foreign"],
    ["nothing", () => null, "link/wrong-secret"],
    ["a word", () => "opened", "relay/foreign"],
  ];
  it.each(lies)("[KEY-2] by a relay that tells %s fails", async (_what, lie, code) => {
    const { link } = await make();
    relay.lie = ({ password, opened: told }: LinkAccess) => ({ password, opened: told && lie(told) });
    expect(await codeOf(openLink(relay.host, link, null))).toBe(code);
  });

  it("[KEY-10] takes no parameters that are too weak or too much from the relay", async () => {
    const { link } = await make("open sesame");
    for (const change of [
      { memory: 8 },
      { iterations: 1 },
      { memory: 2 ** 40 },
      { iterations: 1000 },
      { parallelism: 99 },
    ]) {
      relay.lie = ({ opened: told }) => ({ password: { ...PASSWORD_PARAMETERS, ...change }, opened: told });
      expect(await codeOf(openLink(relay.host, link, "open sesame"))).toBe("manifest/limit");
    }
    relay.lie = ({ opened: told }) => ({ password: { algorithm: "md5" }, opened: told });
    expect(await codeOf(openLink(relay.host, link, "open sesame"))).toBe("relay/foreign");
  });
});

describe("a request", () => {
  it("[KEY-7] [KEY-8] gives those who hand in its title and a key, and opens what they offer", async () => {
    const request = await createPortal(relay.host, { kind: "request", title: "Photos" }, RULES, OPEN_LINK, FREE);
    const { grant, token, kind } = await opened(openLink(relay.host, request.link, null));
    if (grant.capability !== "write") throw new Error("not a write link");
    expect([kind, grant.title]).toEqual(["request", "Photos"]);
    expect(JSON.stringify(relay.portals)).not.toContain("Photos");
    await expect(contentKeysOf({ link: request.link, grant })).rejects.toMatchObject({ code: "link/purpose" });

    const { offerKey, title } = grant;
    const to = { portal: request.link.portal, token, offerKey, title };
    const delivery = await createPortal(relay.host, SEND, RULES, OPEN_LINK, FREE, to);
    const body = relay.portals[1];
    expect(relay.requests.at(-1)?.headers?.["Authorization"]).toBe(`Bearer ${base64urlnopad.encode(token)}`);
    expect(body?.delivery?.request).toBe(base64urlnopad.encode(request.link.portal));
    const { privateKey } = await offerKeys(request.secret, request.link.portal);
    const place = { request: request.link.portal, delivery: delivery.link.portal };
    const offer = new Uint8Array(base64urlnopad.decode(body?.delivery?.offer ?? ""));
    expect(await openOffer(privateKey, place, offer)).toEqual(delivery.link.secret);
    expect((await opened(openLink(relay.host, delivery.link, null))).grant).toEqual({
      capability: "read",
      secret: delivery.secret,
    });
  });
});
