import { createHmac, createSecretKey, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { Failure } from "../failure.ts";
import { deriveIdentity, entryName, PHRASE_WORDS, parsePhrase, phraseOf } from "./identity.ts";

const entropy = noise(32, "entropy");
const hex = (bytes: Uint8Array | ArrayBuffer) => Buffer.from(bytes as Uint8Array).toString("hex");

function detailsOf(text: string): unknown {
  try {
    parsePhrase(text);
  } catch (error) {
    if (error instanceof Failure && error.code === "phrase/wrong") return error.details;
    throw error;
  }
  throw new Error("it is a phrase");
}

describe("a recovery phrase", () => {
  it("is the 24 words of BIP-39", () => {
    // The first and the last vector for 256 bits in the standard's own list.
    expect(phraseOf(new Uint8Array(32)).join(" ")).toBe(`${"abandon ".repeat(23)}art`);
    expect(phraseOf(new Uint8Array(32).fill(255)).join(" ")).toBe(`${"zoo ".repeat(23)}vote`);
    expect(phraseOf(entropy)).toHaveLength(PHRASE_WORDS);
  });

  it("is read back however it is typed", () => {
    const words = phraseOf(entropy);
    for (const text of [words.join(" "), `\n ${words.join("\t\n").toUpperCase()}  `, words.join("\u00a0\u3000")])
      expect(hex(parsePhrase(text))).toBe(hex(entropy));
  });

  it("that is wrong says which word, or how many there are", () => {
    const words = phraseOf(entropy);
    expect(detailsOf(words.with(6, "warp").join(" "))).toEqual({ word: 7 });
    expect(detailsOf(words.with(6, "warp").with(2, "portal1").join(" "))).toEqual({ word: 3 });
    expect(detailsOf(words.slice(1).join(" "))).toEqual({ words: 23 });
    expect(detailsOf([...words, "zoo"].join(" "))).toEqual({ words: 25 });
    expect(detailsOf("")).toEqual({ words: 0 });
    const exchanged = words.with(0, words[0] === "zoo" ? "zone" : "zoo");
    expect(detailsOf(exchanged.join(" "))).toEqual({});
  });
});

describe("an identity", () => {
  it("is HKDF-SHA-256 of the entropy, and no key of it can be taken out", async () => {
    const derived = (info: string, bytes: number) =>
      Buffer.from(hkdfSync("sha256", createSecretKey(entropy), "warp/1 identity", info, bytes));
    const { vault, seal, names, root } = await deriveIdentity(entropy);
    expect(hex(vault)).toBe(hex(derived("vault", 16)));
    const portal = noise(16, "portal");
    const mac = createHmac("sha256", derived("names", 32))
      .update(Buffer.concat([Buffer.from("warp/1 entry\0"), portal]))
      .digest();
    expect(hex(await entryName(names, portal))).toBe(hex(mac.subarray(0, 16)));
    for (const key of [seal, names, root]) expect(key.extractable).toBe(false);
    const message = noise(9, 1);
    const signed = createHmac("sha256", derived("root", 32)).update(message).digest("hex");
    expect(hex(await crypto.subtle.sign("HMAC", root, message))).toBe(signed);
  });

  it("names the entry of a portal alike on each device, and telling nothing", async () => {
    const [one, same, other] = await Promise.all([
      deriveIdentity(entropy),
      deriveIdentity(entropy),
      deriveIdentity(noise(32, "other")),
    ]);
    const portal = noise(16, "portal");
    const names = await Promise.all([one, same, other].map(({ names: key }) => entryName(key, portal)));
    expect(hex(names[0] as Uint8Array)).toBe(hex(names[1] as Uint8Array));
    expect(hex(names[2] as Uint8Array)).not.toBe(hex(names[0] as Uint8Array));
  });
});
