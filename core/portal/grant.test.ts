import { createDecipheriv } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { codeOf } from "../../tests/support/fake-http.ts";
import { deriveLinkKeys, NO_PASSWORD } from "../seal/keys.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import { type Grant, type GrantPlace, MAX_TITLE_LENGTH, openGrant, sealGrant } from "./grant.ts";
import { MAX_GRANT_BYTES } from "./portal.ts";

const link = { portal: noise(16, "portal"), secret: noise(32, "S") };
const place: GrantPlace = { portal: link.portal, link: noise(16, "link"), capability: "read" };
const read: Grant = { capability: "read", secret: noise(32, "R") };
const write: Grant = { capability: "write", offerKey: noise(32, "X25519"), title: "Urlaub ☃ 写真" };
let key: CryptoKey;
beforeAll(async () => {
  key = (await deriveLinkKeys(link, NO_PASSWORD)).grant;
});

const LIMITS = { maxBytes: MAX_GRANT_BYTES, malformed: "wire/malformed", tooLarge: "wire/malformed" } as const;

/** Seals a value that no honest client would. */
async function sealValue(value: unknown, of: GrantPlace = place): Promise<Uint8Array<ArrayBuffer>> {
  const iv = noise(12, "iv");
  const additionalData = Buffer.concat([Buffer.from(`warp/1 grant\0${of.capability}\0`), of.portal, of.link]);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, encodeCanonical(value));
  return new Uint8Array(Buffer.concat([iv, new Uint8Array(sealed)]));
}

describe("a grant", () => {
  it("[KEY-7] opens to what was sealed: the secret by a read and an admin link, key and title by a write link", async () => {
    expect(await openGrant(key, place, await sealGrant(key, place, read))).toEqual(read);
    const admin = { ...place, capability: "admin" as const };
    const grant: Grant = { capability: "admin", secret: noise(32, "R") };
    expect(await openGrant(key, admin, await sealGrant(key, admin, grant))).toEqual(grant);
    const writing = { ...place, capability: "write" as const };
    expect(await openGrant(key, writing, await sealGrant(key, writing, write))).toEqual(write);
  });

  it("[KEY-7] is AES-256-GCM over canonical MessagePack, bound to capability, portal and link", async () => {
    const raw = noise(32, "raw");
    const known = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    const sealed = await sealGrant(known, place, read);
    const decipher = createDecipheriv("aes-256-gcm", raw, sealed.subarray(0, 12));
    decipher.setAAD(Buffer.concat([Buffer.from("warp/1 grant\0read\0"), place.portal, place.link]));
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    expect(decodeCanonical(new Uint8Array(plain), LIMITS)).toEqual({ k: noise(32, "R") });
  });

  it("[KEY-7] opens as nothing else", async () => {
    const sealed = await sealGrant(key, place, read);
    const others: GrantPlace[] = [
      { ...place, portal: noise(16, "other") },
      { ...place, link: noise(16, "other") },
      { ...place, capability: "admin" },
      { ...place, capability: "write" },
    ];
    for (const other of others) expect(await codeOf(openGrant(key, other, sealed))).toBe("link/wrong-secret");
    const { grant } = await deriveLinkKeys({ ...link, secret: noise(32, "T") }, NO_PASSWORD);
    expect(await codeOf(openGrant(grant, place, sealed))).toBe("link/wrong-secret");
    for (let at = 0; at < sealed.length; at++) {
      const flipped = sealed.with(at, (sealed[at] ?? 0) ^ 1) as Uint8Array<ArrayBuffer>;
      expect(await codeOf(openGrant(key, place, flipped))).toBe("link/wrong-secret");
      expect(await codeOf(openGrant(key, place, sealed.slice(0, at)))).toBe("link/wrong-secret");
    }
    const long = new Uint8Array([...sealed, ...new Uint8Array(MAX_GRANT_BYTES)]);
    expect(await codeOf(openGrant(key, place, long))).toBe("link/wrong-secret");
  });

  it.each<[string, GrantPlace["capability"], unknown]>([
    ["no map", "read", [noise(32, 1)]],
    ["no secret", "read", {}],
    ["a secret of 31 bytes", "read", { k: noise(31, 1) }],
    ["a secret of 33 bytes", "admin", { k: noise(33, 1) }],
    ["a secret that is text", "read", { k: "x".repeat(32) }],
    ["a title beside the secret", "read", { k: noise(32, 1), n: "x" }],
    ["no title", "write", { k: noise(32, 1) }],
    ["a title that is too long", "write", { k: noise(32, 1), n: "x".repeat(MAX_TITLE_LENGTH + 1) }],
    ["a title that is a number", "write", { k: noise(32, 1), n: 7 }],
    ["more than it may", "write", { k: noise(32, 1), n: "x", z: 1 }],
  ])("[KEY-7] with %s is refused, whoever sealed it", async (_what, capability, value) => {
    const of = { ...place, capability };
    expect(await codeOf(openGrant(key, of, await sealValue(value, of)))).toBe("link/wrong-secret");
  });
});
