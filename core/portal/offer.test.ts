import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { codeOf } from "../../tests/support/fake-http.ts";
import { offerKeys, openOffer, sealOffer } from "./offer.ts";
import { MAX_OFFER_BYTES } from "./portal.ts";

const place = { request: noise(16, "request"), delivery: noise(16, "delivery") };
const secret = noise(32, "S");

describe("an offer", () => {
  it("[KEY-8] gives the delivery's link to whoever has the request's secret, and is never the same twice", async () => {
    const { publicKey, privateKey } = await offerKeys(noise(32, "R"), place.request);
    const offers = [await sealOffer(publicKey, place, secret), await sealOffer(publicKey, place, secret)];
    for (const offer of offers) {
      expect(offer.length).toBe(32 + 32 + 16);
      expect(offer.length).toBeLessThanOrEqual(MAX_OFFER_BYTES);
      expect(await openOffer(privateKey, place, offer)).toEqual(secret);
    }
    expect(offers[0]).not.toEqual(offers[1]);
  });

  it("[KEY-9] is for a key pair that comes from the request's secret alone, the same on each device", async () => {
    const [one, other] = [
      await offerKeys(noise(32, "R"), place.request),
      await offerKeys(noise(32, "R"), place.request),
    ];
    expect(one.publicKey).toEqual(other.publicKey);
    expect(one.publicKey.length).toBe(32);
    expect(await openOffer(other.privateKey, place, await sealOffer(one.publicKey, place, secret))).toEqual(secret);
    const keys = await Promise.all([
      offerKeys(noise(32, "other"), place.request),
      offerKeys(noise(32, "R"), noise(16, "other")),
    ]);
    for (const { publicKey } of keys) expect(publicKey).not.toEqual(one.publicKey);
  });

  it("[KEY-8] opens for no other request, delivery or secret, and with no bit changed", async () => {
    const { publicKey, privateKey } = await offerKeys(noise(32, "R"), place.request);
    const stranger = await offerKeys(noise(32, "other"), place.request);
    const offer = await sealOffer(publicKey, place, secret);
    const others = [
      { ...place, request: noise(16, "x") },
      { ...place, delivery: noise(16, "x") },
      { request: place.delivery, delivery: place.request },
    ];
    for (const other of others) expect(await codeOf(openOffer(privateKey, other, offer))).toBe("pack/forged");
    expect(await codeOf(openOffer(stranger.privateKey, place, offer))).toBe("pack/forged");
    for (let at = 0; at < offer.length; at++) {
      const flipped = offer.with(at, (offer[at] ?? 0) ^ 1) as Uint8Array<ArrayBuffer>;
      expect(await codeOf(openOffer(privateKey, place, flipped))).toBe("pack/forged");
    }
    for (const cut of [0, 31, 32, 48, 79])
      expect(await codeOf(openOffer(privateKey, place, offer.slice(0, cut)))).toBe("pack/forged");
    const long = new Uint8Array([...offer, 0]);
    expect(await codeOf(openOffer(privateKey, place, long))).toBe("pack/forged");
    const short = await sealOffer(publicKey, place, noise(31, "short"));
    expect(await codeOf(openOffer(privateKey, place, short))).toBe("pack/forged");
  });
});
