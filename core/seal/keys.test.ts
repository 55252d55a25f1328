import { createHash, createHmac, createSecretKey, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import {
  commitmentMatches,
  createSecret,
  deriveContentKeys,
  deriveLinkKeys,
  linkId,
  NO_PASSWORD,
  ownerKey,
  passwordSalt,
  relayToken,
  tokenHash,
} from "./keys.ts";
import { createLink, type PortalLink } from "./link.ts";
import { createSealBuffer, open, seal } from "./seal.ts";

const link: PortalLink = { portal: noise(16, "portal"), secret: noise(32, "secret") };
const hex = (bytes: Uint8Array | ArrayBuffer) => Buffer.from(bytes as Uint8Array).toString("hex");

/** The schedule of docs/protocol.md by another implementation of HKDF. */
function hkdf(of: PortalLink, passwordKey: Uint8Array, info: string, bytes = 32): Buffer {
  const salt = Buffer.concat([Buffer.from("warp/1\0"), of.portal, Buffer.from([passwordKey.length])]);
  const ikm = createSecretKey(Buffer.concat([of.secret, passwordKey]));
  return Buffer.from(hkdfSync("sha256", ikm, salt, info, bytes));
}

/** The same for what neither password nor its length is in. */
function plainHkdf(secret: Uint8Array, portal: Uint8Array, info: string, bytes: number): Buffer {
  const salt = Buffer.concat([Buffer.from("warp/1\0"), portal]);
  return Buffer.from(hkdfSync("sha256", createSecretKey(secret), salt, info, bytes));
}

const independent = (raw: Uint8Array) =>
  crypto.subtle.importKey("raw", new Uint8Array(raw), "AES-GCM", false, ["decrypt"]);

describe("the keys of a portal and its links", () => {
  it("[KEY-1] are HKDF-SHA-256 of the portal's secret, one for packs and one for pages", async () => {
    const secret = noise(32, "R");
    const keys = await deriveContentKeys(link.portal, secret);
    for (const kind of ["pack", "page"] as const) {
      const object = await seal(keys[kind], link.portal, kind, 0, true, createSealBuffer(40_000), 10);
      const key = await independent(plainHkdf(secret, link.portal, kind, 32));
      expect((await open(key, link.portal, object)).length).toBe(10);
    }
  });

  it("[KEY-1] are HKDF-SHA-256 of a link's secret and its password key, one for each use", async () => {
    for (const passwordKey of [NO_PASSWORD, noise(32, "argon")]) {
      const keys = await deriveLinkKeys(link, passwordKey);
      expect(hex(keys.keyCommitment)).toBe(hex(hkdf(link, passwordKey, "commitment")));
      const message = Buffer.concat([Buffer.from("warp/1 token\0link\0https://relay.example\0"), link.portal]);
      const expected = createHmac("sha256", hkdf(link, passwordKey, "link-auth"))
        .update(message)
        .digest();
      expect(hex(await relayToken(keys.auth, "link", "https://relay.example", link.portal))).toBe(hex(expected));
      const iv = new Uint8Array(12);
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, keys.grant, noise(9, 1));
      const key = await independent(hkdf(link, passwordKey, "grant"));
      expect(hex(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed))).toBe(hex(noise(9, 1)));
    }
  });

  it("[KEY-1] cannot be taken out of the client", async () => {
    const { grant, auth } = await deriveLinkKeys(link, NO_PASSWORD);
    const { pack, page } = await deriveContentKeys(link.portal, createSecret());
    for (const key of [pack, page, grant, auth, await ownerKey(createSecret())]) {
      expect(key.extractable).toBe(false);
      await expect(crypto.subtle.exportKey("raw", key as globalThis.CryptoKey)).rejects.toThrow();
    }
  });

  it("[KEY-2] commit to secret, portal and password: any other gives another commitment", async () => {
    const keys = await deriveLinkKeys(link, NO_PASSWORD);
    expect(commitmentMatches(keys, hkdf(link, NO_PASSWORD, "commitment"))).toBe(true);
    const others = [
      await deriveLinkKeys({ ...link, secret: noise(32, "other") }, NO_PASSWORD),
      await deriveLinkKeys({ ...link, portal: noise(16, "other") }, NO_PASSWORD),
      await deriveLinkKeys(link, noise(32, "password")),
      await deriveLinkKeys(link, noise(32, "other password")),
    ];
    const commitments = [keys, ...others].map(({ keyCommitment }) => hex(keyCommitment));
    expect(new Set(commitments).size).toBe(5);
    for (const other of others) expect(commitmentMatches(other, keys.keyCommitment)).toBe(false);
    expect(commitmentMatches(keys, keys.keyCommitment.subarray(1))).toBe(false);
  });

  it("[KEY-3] give tokens that are bound to role, relay and portal", async () => {
    const { auth } = await deriveLinkKeys(link, NO_PASSWORD);
    const owner = await ownerKey(noise(32, "owner"));
    const tokens = [
      await relayToken(auth, "link", "https://a.example", link.portal),
      await relayToken(auth, "own", "https://a.example", link.portal),
      await relayToken(auth, "root", "https://a.example", link.portal),
      await relayToken(auth, "device", "https://a.example", link.portal),
      await relayToken(auth, "link", "https://b.example", link.portal),
      await relayToken(auth, "link", "https://a.example:8443", link.portal),
      await relayToken(auth, "link", "https://a.example", createLink().portal),
      await relayToken(owner, "own", "https://a.example", link.portal),
    ];
    expect(new Set(tokens.map(hex)).size).toBe(tokens.length);
    expect(hex(tokenHash(tokens[0] as Uint8Array))).toBe(
      createHash("sha256")
        .update(tokens[0] as Uint8Array)
        .digest("hex"),
    );
  });

  it("[KEY-4] of a portal and its owner are random, 32 bytes each, and never of zeros", () => {
    const secrets = Array.from({ length: 100 }, () => hex(createSecret()));
    expect(new Set(secrets).size).toBe(100);
    expect(secrets.every((secret) => secret.length === 64 && !/^0+$/.test(secret))).toBe(true);
  });

  it("[KEY-5] are salted for passwords, and named for the relay, by the link's secret and its portal", async () => {
    for (const [of, info] of [
      [passwordSalt, "password-salt"],
      [linkId, "link-id"],
    ] as const) {
      expect(hex(await of(link))).toBe(hex(plainHkdf(link.secret, link.portal, info, 16)));
      expect(hex(await of({ ...link, portal: noise(16, 9) }))).not.toBe(hex(await of(link)));
      expect(hex(await of({ ...link, secret: noise(32, 9) }))).not.toBe(hex(await of(link)));
    }
  });

  it("[KEY-6] of two links of one portal have nothing in common", async () => {
    const other = { ...link, secret: noise(32, "second") };
    const all = await Promise.all(
      [link, other].map(async (each) => {
        const { auth, keyCommitment } = await deriveLinkKeys(each, NO_PASSWORD);
        const token = await relayToken(auth, "link", "https://a.example", link.portal);
        return [token, keyCommitment, await linkId(each), await passwordSalt(each)].map(hex);
      }),
    );
    expect(new Set(all.flat()).size).toBe(8);
  });
});
