import { createDecipheriv, createSecretKey, hkdfSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { DESCRIPTION } from "../../tests/support/fake-channel.ts";
import { codeOf } from "../../tests/support/fake-http.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import { plainDescription } from "../wire/description.ts";
import { MAX_SIGNAL_BYTES } from "../wire/frame.ts";
import { deriveContentKeys } from "./keys.ts";
import { EVERYBODY, MAX_SIGNAL_NUMBER, openSignal, type Signal, sealSignal } from "./signal.ts";

const portal = noise(16, "portal");
const secret = noise(32, "R");
const place = { from: noise(16, "from"), to: noise(16, "to"), number: 7 };
const offer: Signal = { ...place, said: { kind: "offer", description: DESCRIPTION } };
const answering = { ...DESCRIPTION, setup: "active" as const };
const answer: Signal = { ...place, said: { kind: "answer", description: answering, offer: 3 } };
const announce: Signal = { ...place, to: EVERYBODY, number: MAX_SIGNAL_NUMBER, said: { kind: "announce" } };
let key: CryptoKey;
beforeAll(async () => {
  key = (await deriveContentKeys(portal, secret)).signal as CryptoKey;
});

/** The key of docs/protocol.md by another implementation. */
const independent = () =>
  Buffer.from(
    hkdfSync("sha256", createSecretKey(secret), Buffer.concat([Buffer.from("warp/1\0"), portal]), "signal", 32),
  );

/** Seals what no honest peer would, under the head of an honest signal. */
async function sealValue(honest: Signal, value: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const head = (await sealSignal(key, portal, honest)).slice(0, 37);
  const iv = noise(12, "iv");
  const additionalData = Buffer.concat([Buffer.from("warp/1 signal\0"), portal, head]);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, encodeCanonical(value));
  return new Uint8Array(Buffer.concat([head, iv, new Uint8Array(sealed)]));
}

describe("a signal", () => {
  it.each([
    ["an announcement", announce],
    ["an offer", offer],
    ["an answer", answer],
  ])("[PEER-2] opens to what was sealed: %s", async (_what, signal) => {
    const body = await sealSignal(key, portal, signal);
    expect(body.length).toBeLessThan(MAX_SIGNAL_BYTES);
    expect(await openSignal(key, portal, body)).toEqual(signal);
  });

  it("[PEER-2, KEY-1] is AES-256-GCM by a key of its own, from the portal's secret, and shows nothing of what it says", async () => {
    const body = await sealSignal(key, portal, answer);
    expect(Buffer.from(body.subarray(0, 37))).toEqual(
      Buffer.concat([Buffer.from([3]), place.from, place.to, Buffer.from([0, 0, 0, 7])]),
    );
    const decipher = createDecipheriv("aes-256-gcm", independent(), body.subarray(37, 49));
    decipher.setAAD(Buffer.concat([Buffer.from("warp/1 signal\0"), portal, body.subarray(0, 37)]));
    decipher.setAuthTag(body.subarray(-16));
    const plain = Buffer.concat([decipher.update(body.subarray(49, -16)), decipher.final()]);
    const limits = { maxBytes: 8192, malformed: "wire/malformed", tooLarge: "wire/malformed" } as const;
    expect(decodeCanonical(new Uint8Array(plain), limits)).toEqual({ d: plainDescription(answering), o: 3 });
    for (const { address } of DESCRIPTION.candidates) expect(Buffer.from(body).includes(address)).toBe(false);
    expect((key as globalThis.CryptoKey).extractable).toBe(false);
  });

  it("[PEER-2, PEER-3] opens as nothing else: another portal, another sender, addressee, kind or number", async () => {
    const body = await sealSignal(key, portal, offer);
    expect(await codeOf(openSignal(key, noise(16, "other"), body))).toBe("wire/malformed");
    const others = await deriveContentKeys(portal, noise(32, "other R"));
    expect(await codeOf(openSignal(others.signal as CryptoKey, portal, body))).toBe("wire/malformed");
    for (const each of ["pack", "page"] as const)
      expect(await codeOf(openSignal((await deriveContentKeys(portal, secret))[each], portal, body))).toBe(
        "wire/malformed",
      );
    for (let at = 0; at < body.length; at++) {
      const flipped = body.with(at, (body[at] ?? 0) ^ 1);
      expect(await codeOf(openSignal(key, portal, flipped)), `byte ${at}`).toBe("wire/malformed");
    }
    for (let length = 0; length < body.length; length += 5)
      expect(await codeOf(openSignal(key, portal, body.subarray(0, length)))).toBe("wire/malformed");
  });

  it("[PEER-2] that is longer than any is refused before it is opened", async () => {
    expect(await codeOf(openSignal(key, portal, new Uint8Array(MAX_SIGNAL_BYTES + 1)))).toBe("wire/too-large");
  });

  it.each<[string, Signal, unknown]>([
    ["no map", announce, [1]],
    ["something in an announcement", announce, { d: 1 }],
    ["nothing in an offer", offer, {}],
    ["a number in an offer", offer, { d: plainDescription(DESCRIPTION), o: 1 }],
    ["an offer that says who begins", offer, { d: plainDescription(answering) }],
    ["an answer that leaves it open", answer, { d: plainDescription(DESCRIPTION), o: 1 }],
    ["an answer to nothing", answer, { d: plainDescription(answering) }],
    ["an answer to number 0", answer, { d: plainDescription(answering), o: 0 }],
    ["a field more", answer, { d: plainDescription(answering), o: 1, x: 1 }],
    ["a description that is none", offer, { d: { u: 1 } }],
  ])("[PEER-2] with %s is refused, whoever sealed it", async (_what, honest, value) => {
    expect(await codeOf(openSignal(key, portal, await sealValue(honest, value)))).toBe("wire/malformed");
  });

  it("[PEER-2] is never sealed twice to the same bytes", async () => {
    const bodies = await Promise.all([1, 2, 3].map(() => sealSignal(key, portal, announce)));
    expect(new Set(bodies.map((body) => Buffer.from(body).toString("hex"))).size).toBe(3);
  });
});
