import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { noise, objectHash } from "../../tests/support/bytes.ts";
import { Failure } from "../failure.ts";
import {
  KIB,
  MAX_SEALED_PAGE_BYTES,
  PACK_PAYLOAD_BYTES,
  SEAL_OVERHEAD_BYTES,
  SEALED_PACK_BYTES,
  SEGMENT_BYTES,
} from "../units.ts";
import type { ObjectHeader, ObjectKind, SealedObject } from "../wire/object.ts";
import { type ContentKeys, createSecret, deriveContentKeys } from "./keys.ts";
import { createLink } from "./link.ts";
import { paddedBytes } from "./padding.ts";
import { createSealBuffer, ivsOf, open, seal, sealedLength } from "./seal.ts";

const link = createLink();
const { portal } = link;
let keys: ContentKeys;
beforeAll(async () => {
  keys = await deriveContentKeys(link.portal, createSecret());
});

async function sealed(
  kind: ObjectKind,
  index: number,
  final: boolean,
  payload: Uint8Array,
  ivs?: Uint8Array,
): Promise<SealedObject> {
  const buffer = createSealBuffer(kind === "pack" ? SEALED_PACK_BYTES : MAX_SEALED_PAGE_BYTES);
  buffer.room.fill(0xee);
  buffer.room.set(payload);
  return seal(kind === "pack" ? keys.pack : keys.page, portal, kind, index, final, buffer, payload.length, { ivs });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "opened";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

/** The same object with other bytes and a header that is right for them. */
function withBytes({ header }: SealedObject, bytes: Uint8Array<ArrayBuffer>): SealedObject {
  const hash = objectHash(bytes);
  return { header: { ...header, length: bytes.length, hash }, bytes };
}

function withHeader({ header, bytes }: SealedObject, change: Partial<ObjectHeader>): SealedObject {
  return { header: { ...header, ...change }, bytes };
}

describe("sealed objects", () => {
  it("[SEAL-1] open to what was sealed, whatever lay in the buffer before", async () => {
    for (const bytes of [0, 1, 31, 4096, PACK_PAYLOAD_BYTES]) {
      const payload = noise(bytes, bytes);
      expect(Buffer.compare(await open(keys.pack, portal, await sealed("pack", 3, true, payload)), payload)).toBe(0);
    }
    const full = noise(PACK_PAYLOAD_BYTES, "full");
    expect(Buffer.compare(await open(keys.pack, portal, await sealed("pack", 0, false, full)), full)).toBe(0);
    const page = noise(1000, "page");
    expect(Buffer.compare(await open(keys.page, portal, await sealed("page", 9, false, page)), page)).toBe(0);
  });

  it("[SEAL-2] are iv, AES-256-GCM ciphertext and tag, and bind version, portal, kind, index, final flag and length", async () => {
    const secret = noise(32, "key");
    const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]);
    const buffer = createSealBuffer(SEALED_PACK_BYTES);
    buffer.room.set(noise(100, "payload"));
    const { header, bytes } = await seal(key, portal, "pack", 0x01020304, true, buffer, 100);
    const tail = Buffer.alloc(17);
    tail.writeUInt32BE(0x01020304, 4);
    tail.writeUInt8(1, 8);
    tail.writeUInt32BE(bytes.length, 9);
    const decipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.concat([Buffer.from("warp/1 pack\0"), portal, tail]));
    decipher.setAuthTag(bytes.subarray(-16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    expect(plain.readUInt32LE(0)).toBe(100);
    expect(Buffer.compare(plain.subarray(4, 104), noise(100, "payload"))).toBe(0);
    expect(plain.subarray(104).every((byte) => byte === 0)).toBe(true);
    expect(header.hash).toEqual(objectHash(bytes));
  });

  it("[SEAL-2] do not open as anything else", async () => {
    const payload = noise(500, "bound");
    const pack = await sealed("pack", 5, true, payload);
    const page = await sealed("page", 5, false, payload);
    const elsewhere = createLink().portal;
    const opened = (object: SealedObject, key = keys.pack, of = portal) => codeOf(open(key, of, object));
    expect(await opened(pack)).toBe("opened");
    expect(await opened(withHeader(pack, { index: 4 }))).toBe("pack/forged");
    expect(await opened(withHeader(pack, { index: 5 + 256 }))).toBe("pack/forged");
    expect(await opened(withHeader(pack, { final: false }))).toBe("pack/forged");
    expect(await opened(withHeader(pack, { kind: "page" }), keys.page)).toBe("manifest/malformed");
    expect(await opened(withHeader(page, { kind: "pack" }))).toBe("pack/forged");
    expect(await opened(withHeader(page, { final: true }), keys.page)).toBe("manifest/malformed");
    expect(await opened(pack, keys.page)).toBe("pack/forged");
    expect(await opened(pack, keys.pack, elsewhere)).toBe("pack/forged");
    expect(await opened(withBytes(pack, pack.bytes.slice(0, -1)))).toBe("pack/forged");
    expect(await opened(withBytes(pack, new Uint8Array([...pack.bytes, 0])))).toBe("pack/forged");
    expect(await opened(withBytes(pack, new Uint8Array(8)))).toBe("pack/forged");
    expect(await opened(withHeader(pack, { length: pack.bytes.length + 1 }))).toBe("pack/forged");
    const other = await deriveContentKeys(portal, createSecret());
    expect(await opened(pack, other.pack)).toBe("pack/forged");
  });

  it("[SEAL-2] do not open with two segments exchanged, or one from another pack", async () => {
    const [first, second] = [noise(1_200_000, "first"), noise(1_200_000, "second")];
    const [pack, other] = [await sealed("pack", 5, true, first), await sealed("pack", 5, true, second)];
    expect(Buffer.compare(await open(keys.pack, portal, pack), first)).toBe(0);
    const exchanged = pack.bytes.slice();
    exchanged.copyWithin(0, SEGMENT_BYTES, 2 * SEGMENT_BYTES);
    exchanged.set(pack.bytes.subarray(0, SEGMENT_BYTES), SEGMENT_BYTES);
    expect(await codeOf(open(keys.pack, portal, withBytes(pack, exchanged)))).toBe("pack/forged");
    const mixed = pack.bytes.slice();
    mixed.set(other.bytes.subarray(SEGMENT_BYTES, 2 * SEGMENT_BYTES), SEGMENT_BYTES);
    const failure = open(keys.pack, portal, withBytes(pack, mixed), pack.header.hash);
    expect(await codeOf(failure)).toBe("object/corrupt");
  });

  it("[SEAL-3] with one bit changed never open, and tell damage on the way from forgery", async () => {
    const object = await sealed("pack", 1, true, noise(600, "flips"));
    const bits = object.bytes.length * 8;
    const flipped = Array.from({ length: 5_000 }, (_, i) => (i * 7919) % bits);
    expect(new Set(flipped).size).toBe(Math.min(5_000, bits));
    for (const bit of flipped) {
      const bytes = object.bytes.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const damaged = { header: object.header, bytes };
      expect(await codeOf(open(keys.pack, portal, damaged))).toBe("object/corrupt");
      if (bit % 10 === 0) expect(await codeOf(open(keys.pack, portal, withBytes(object, bytes)))).toBe("pack/forged");
    }
  });

  it("[SEAL-3] that are not the ones the manifest names are refused even when they open", async () => {
    const first = await sealed("pack", 1, true, noise(600, "first"));
    const second = await sealed("pack", 1, true, noise(600, "second"));
    expect(await codeOf(open(keys.pack, portal, second, second.header.hash))).toBe("opened");
    expect(await codeOf(open(keys.pack, portal, second, first.header.hash))).toBe("object/corrupt");
  });

  it("[SEAL-4] sealed twice have different bytes", async () => {
    const payload = noise(100, "same");
    const [first, second] = [await sealed("page", 0, false, payload), await sealed("page", 0, false, payload)];
    expect(Buffer.compare(first.bytes.subarray(0, 12), second.bytes.subarray(0, 12))).not.toBe(0);
    expect(Buffer.compare(first.bytes.subarray(12, 64), second.bytes.subarray(12, 64))).not.toBe(0);
  });

  it("[SEAL-4] are the same bytes again with the same vectors, of every segment", async () => {
    const payload = noise(PACK_PAYLOAD_BYTES, "again");
    const first = await sealed("pack", 3, false, payload);
    const ivs = ivsOf(first);
    expect(ivs.length).toBe(12 * 8);
    const second = await sealed("pack", 3, false, payload, ivs);
    expect(second.header).toEqual(first.header);
    expect(Buffer.compare(second.bytes, first.bytes)).toBe(0);
  });
});

describe("lengths of sealed objects", () => {
  it("[SEAL-5] are all alike for packs but the last, and Padmé for the last and for pages", () => {
    expect(sealedLength("pack", false, PACK_PAYLOAD_BYTES)).toBe(SEALED_PACK_BYTES);
    expect(sealedLength("pack", true, PACK_PAYLOAD_BYTES)).toBe(SEALED_PACK_BYTES);
    expect(sealedLength("pack", true, 1_000_000)).toBe(paddedBytes(1_000_032));
    expect(sealedLength("page", false, 1)).toBe(16 * KIB);
    expect(sealedLength("page", true, 100_000)).toBe(paddedBytes(100_032));
    expect(sealedLength("page", false, MAX_SEALED_PAGE_BYTES - 32)).toBe(MAX_SEALED_PAGE_BYTES);
  });

  it("[SEAL-5] that do not fit are refused", () => {
    expect(() => sealedLength("pack", false, PACK_PAYLOAD_BYTES + 1)).toThrow("object/size");
    expect(() => sealedLength("page", true, MAX_SEALED_PAGE_BYTES)).toThrow("object/size");
  });

  it("[SEAL-5] cost at most 12 percent and tell at most O(log log n) bits", () => {
    const lengths = new Set<number>();
    for (let bytes = 2; bytes <= SEALED_PACK_BYTES; bytes += 1 + (bytes >> 9)) {
      const padded = paddedBytes(bytes);
      expect(padded).toBeGreaterThanOrEqual(bytes);
      expect(padded - bytes).toBeLessThanOrEqual(0.12 * bytes);
      expect(paddedBytes(padded)).toBe(padded);
      lengths.add(padded);
    }
    expect(lengths.size).toBeLessThan(500);
    expect(paddedBytes(SEALED_PACK_BYTES)).toBe(SEALED_PACK_BYTES);
  });

  /** Seals a plaintext of the test's own making, with everything else right. */
  async function forged(
    kind: ObjectKind,
    final: boolean,
    plain: Uint8Array,
  ): Promise<{ key: CryptoKey; object: SealedObject }> {
    const secret = noise(32, "forger");
    const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]);
    const pieceBytes = SEGMENT_BYTES - SEAL_OVERHEAD_BYTES;
    const length = plain.length + Math.ceil(plain.length / pieceBytes) * SEAL_OVERHEAD_BYTES;
    const segments = Array.from({ length: Math.ceil(plain.length / pieceBytes) }, (_, segment) => {
      const tail = Buffer.alloc(17);
      tail.writeUInt8(final ? 1 : 0, 8);
      tail.writeUInt32BE(length, 9);
      tail.writeUInt32BE(segment, 13);
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", secret, iv);
      cipher.setAAD(Buffer.concat([Buffer.from(`warp/1 ${kind}\0`), portal, tail]));
      const piece = plain.subarray(segment * pieceBytes, (segment + 1) * pieceBytes);
      return Buffer.concat([iv, cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    });
    const bytes = new Uint8Array(Buffer.concat(segments));
    const hash = objectHash(bytes);
    return { key, object: { header: { kind, final, index: 0, length, hash }, bytes } };
  }

  function plaintext(payloadBytes: number, length: number): Uint8Array {
    const plain = new Uint8Array(length);
    new DataView(plain.buffer).setUint32(0, payloadBytes, true);
    return plain;
  }

  const room = (payloadBytes: number) => paddedBytes(payloadBytes + 32) - SEAL_OVERHEAD_BYTES;

  it("[SEAL-6] are canonical: only the one right length and zeros behind the payload", async () => {
    const good = await forged("pack", true, plaintext(1000, room(1000)));
    expect(await codeOf(open(good.key, portal, good.object))).toBe("opened");
    const filled = plaintext(1000, room(1000));
    filled[filled.length - 1] = 1;
    const cases: [ObjectKind, boolean, Uint8Array, string][] = [
      ["pack", true, filled, "pack/forged"],
      ["pack", true, plaintext(1000, room(1000) + 64), "pack/forged"],
      ["pack", true, plaintext(1000, 1004), "pack/forged"],
      ["pack", true, plaintext(room(1000) - 3, room(1000)), "pack/forged"],
      ["pack", true, plaintext(0xffffffff, room(1000)), "pack/forged"],
      ["page", false, plaintext(10, 200), "manifest/malformed"],
      ["page", true, plaintext(10, 32 * KIB - SEAL_OVERHEAD_BYTES), "manifest/malformed"],
      ["pack", false, plaintext(PACK_PAYLOAD_BYTES - 1, PACK_PAYLOAD_BYTES + 4), "pack/forged"],
      ["pack", false, plaintext(0, PACK_PAYLOAD_BYTES + 4), "pack/forged"],
    ];
    for (const [kind, final, plain, code] of cases) {
      const { key, object } = await forged(kind, final, plain);
      expect(await codeOf(open(key, portal, object))).toBe(code);
    }
  });
});
