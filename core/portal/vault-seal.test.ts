import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { Failure } from "../failure.ts";
import { deriveIdentity } from "./identity.ts";
import type { PortalRecord } from "./record.ts";
import { MAX_DEVICE_NAME_BYTES, MAX_VAULT_ENTRY_BYTES } from "./vault.ts";
import { openDeviceName, openEntry, sealDeviceName, sealEntry } from "./vault-seal.ts";

const { seal, vault } = await deriveIdentity(noise(32, "entropy"));
const place = { vault, name: noise(16, "entry") };
const record: PortalRecord = {
  as: "request",
  portal: Buffer.from(noise(16, "portal")).toString("base64url"),
  relayOrigin: "https://relay.example",
  relays: [],
  kind: "request",
  title: "Photos of the day",
  bytesTotal: 0,
  entriesTotal: 0,
  createdAtMs: 1,
  expiresAtMs: null,
  secret: noise(32, "R"),
  ownerSecret: noise(32, "owner"),
  ownerNumber: 0,
  adminLink: null,
  adminToken: null,
  links: [],
  ended: null,
  changedAtMs: 2,
};

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "opened";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("what lies in a vault", () => {
  it("[VAULT-11] opens with the identity's key at its own place, and nowhere else", async () => {
    const sealed = await sealEntry(seal, place, record);
    expect(await openEntry(seal, place, sealed)).toEqual(record);
    const other = await deriveIdentity(noise(32, "another"));
    expect(await codeOf(openEntry(other.seal, place, sealed))).toBe("journal/damaged");
    expect(await codeOf(openEntry(seal, { ...place, name: noise(16, "moved") }, sealed))).toBe("journal/damaged");
    expect(await codeOf(openEntry(seal, { ...place, vault: other.vault }, sealed))).toBe("journal/damaged");
    expect(await codeOf(openDeviceName(seal, place, sealed))).toBe("journal/damaged");
  });

  it("[VAULT-11] opens with plain WebCrypto by the words of the specification", async () => {
    const sealed = await sealEntry(seal, place, record);
    const additionalData = Buffer.concat([Buffer.from("warp/1 entry\0"), place.vault, place.name]);
    const algorithm = { name: "AES-GCM", iv: sealed.slice(0, 12), additionalData };
    const padded = Buffer.from(await crypto.subtle.decrypt(algorithm, seal as never, sealed.slice(12)));
    const length = padded.readUInt16BE(0);
    expect(padded.subarray(2, 2 + length).includes(Buffer.from(record.title))).toBe(true);
    expect(padded.subarray(2 + length).every((byte) => byte === 0)).toBe(true);
  });

  it("[VAULT-11] is refused when any byte differs, and when it is cut", async () => {
    const sealed = await sealEntry(seal, place, record);
    for (let at = 0; at < sealed.length; at += 7) {
      const flipped = sealed.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(await codeOf(openEntry(seal, place, flipped))).toBe("journal/damaged");
      expect(await codeOf(openEntry(seal, place, sealed.slice(0, at)))).toBe("journal/damaged");
    }
  });

  it("[VAULT-11] tells little by its length, and always fits", async () => {
    const lengths = new Set<number>();
    for (let letters = 0; letters <= 200; letters++)
      lengths.add((await sealEntry(seal, place, { ...record, title: "t".repeat(letters) })).length);
    expect(lengths.size).toBeLessThan(25);
    const links = Array.from({ length: 64 }, (_, i) => ({
      path: null,
      link: Buffer.from(noise(16, `link ${i}`)).toString("base64url"),
      label: "\u{1f409}".repeat(30),
    }));
    const largest = await sealEntry(seal, place, { ...record, title: "\u{1f409}".repeat(100), links });
    expect(largest.length).toBeLessThanOrEqual(MAX_VAULT_ENTRY_BYTES);
  });

  it("[VAULT-12] a device's name says nothing by its length", async () => {
    const names = ["", "Phone", "\u{1f409}".repeat(60)];
    const sealed = await Promise.all(names.map((name) => sealDeviceName(seal, place, name)));
    expect(new Set(sealed.map(({ length }) => length)).size).toBe(1);
    expect(sealed[0]?.length).toBeLessThanOrEqual(MAX_DEVICE_NAME_BYTES);
    const opened = await Promise.all(sealed.map((name) => openDeviceName(seal, place, name)));
    expect(opened).toEqual(["", "Phone", "\u{1f409}".repeat(20)]);
  });
});
