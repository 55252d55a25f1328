import { createHash, createHmac, createSecretKey, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import {
  commitmentMatches,
  createOwnerKey,
  deriveKeys,
  NO_PASSWORD,
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

describe("the keys of a portal", () => {
  it("[KEY-1] are HKDF-SHA-256 of secret and password key, one for each use", async () => {
    for (const passwordKey of [NO_PASSWORD, noise(32, "argon")]) {
      const keys = await deriveKeys(link, passwordKey);
      expect(hex(keys.keyCommitment)).toBe(hex(hkdf(link, passwordKey, "commitment")));
      const message = Buffer.concat([Buffer.from("warp/1 token\0read\0https://relay.example\0"), link.portal]);
      const expected = createHmac("sha256", hkdf(link, passwordKey, "download-auth"))
        .update(message)
        .digest();
      expect(hex(await relayToken(keys.downloadAuth, "read", "https://relay.example", link.portal))).toBe(
        hex(expected),
      );
      for (const kind of ["pack", "page"] as const) {
        const raw = hkdf(link, passwordKey, kind);
        const independent = await crypto.subtle.importKey("raw", new Uint8Array(raw), "AES-GCM", false, ["decrypt"]);
        const object = await seal(keys[kind], link.portal, kind, 0, true, createSealBuffer(40_000), 10);
        expect((await open(independent, link.portal, object)).length).toBe(10);
      }
    }
  });

  it("[KEY-1] cannot be taken out of the client", async () => {
    const { pack, page, downloadAuth } = await deriveKeys(link, NO_PASSWORD);
    for (const key of [pack, page, downloadAuth, await createOwnerKey()]) {
      expect(key.extractable).toBe(false);
      await expect(crypto.subtle.exportKey("raw", key as globalThis.CryptoKey)).rejects.toThrow();
    }
  });

  it("[KEY-2] commit to secret, portal and password: any other gives another commitment", async () => {
    const keys = await deriveKeys(link, NO_PASSWORD);
    expect(commitmentMatches(keys, hkdf(link, NO_PASSWORD, "commitment"))).toBe(true);
    const others = [
      await deriveKeys({ ...link, secret: noise(32, "other") }, NO_PASSWORD),
      await deriveKeys({ ...link, portal: noise(16, "other") }, NO_PASSWORD),
      await deriveKeys(link, noise(32, "password")),
      await deriveKeys(link, noise(32, "other password")),
    ];
    const commitments = [keys, ...others].map(({ keyCommitment }) => hex(keyCommitment));
    expect(new Set(commitments).size).toBe(5);
    for (const other of others) expect(commitmentMatches(other, keys.keyCommitment)).toBe(false);
    expect(commitmentMatches(keys, keys.keyCommitment.subarray(1))).toBe(false);
  });

  it("[KEY-3] give tokens that are bound to role, relay and portal", async () => {
    const { downloadAuth } = await deriveKeys(link, NO_PASSWORD);
    const owner = await createOwnerKey();
    const tokens = [
      await relayToken(downloadAuth, "read", "https://a.example", link.portal),
      await relayToken(downloadAuth, "own", "https://a.example", link.portal),
      await relayToken(downloadAuth, "read", "https://b.example", link.portal),
      await relayToken(downloadAuth, "read", "https://a.example:8443", link.portal),
      await relayToken(downloadAuth, "read", "https://a.example", createLink().portal),
      await relayToken(owner, "own", "https://a.example", link.portal),
    ];
    expect(new Set(tokens.map(hex)).size).toBe(tokens.length);
    expect(hex(tokenHash(tokens[0] as Uint8Array))).toBe(
      createHash("sha256")
        .update(tokens[0] as Uint8Array)
        .digest("hex"),
    );
  });

  it("[KEY-4] of owners are random: not derived from the link, and never of zeros", async () => {
    const token = async (key: CryptoKey) => hex(await relayToken(key, "own", "https://a.example", link.portal));
    const message = Buffer.concat([Buffer.from("warp/1 token\0own\0https://a.example\0"), link.portal]);
    const zeros = createHmac("sha256", new Uint8Array(32)).update(message).digest("hex");
    const [first, second] = [await token(await createOwnerKey()), await token(await createOwnerKey())];
    expect(first).not.toBe(second);
    expect([first, second]).not.toContain(zeros);
  });

  it("[KEY-5] are salted for passwords by secret and portal", async () => {
    const salt = Buffer.concat([Buffer.from("warp/1\0"), link.portal]);
    const expected = hkdfSync("sha256", createSecretKey(link.secret), salt, "password-salt", 16);
    expect(hex(await passwordSalt(link))).toBe(hex(expected));
    expect(hex(await passwordSalt({ ...link, portal: noise(16, 9) }))).not.toBe(hex(expected));
  });
});
