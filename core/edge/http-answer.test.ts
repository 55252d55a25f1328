import { describe, expect, it } from "vitest";
import { MAX_WORK_BITS } from "../portal/work.ts";
import { readRelayInfo } from "./http-answer.ts";

describe("answers over plain HTTP", () => {
  it("[EDGE-28] that tell of a relay are taken only in their form", () => {
    const info = {
      version: 1,
      name: "relay",
      webtransport: null,
      webtransportReason: "off",
      limits: { maxPortalBytes: 1, maxExpirySeconds: 1, defaultExpirySeconds: 1 },
      creation: { invite: false, workBits: 0 },
      relays: { origins: ["https://b.example", "http://127.0.0.1:8081"], mode: "striped" },
    };
    expect(readRelayInfo(info)).toBe(info);
    const odd = [
      undefined,
      null,
      {},
      { invite: true },
      { invite: 1, workBits: 0 },
      { invite: true, workBits: MAX_WORK_BITS + 1 },
      { invite: true, workBits: -1 },
      { invite: true, workBits: 0.5 },
    ];
    for (const creation of odd)
      expect(() => readRelayInfo({ ...info, creation })).toThrow(expect.objectContaining({ code: "relay/foreign" }));
    const mode = "striped";
    const origin = "https://b.example";
    const oddRelays = [
      undefined,
      null,
      [],
      { mode },
      { origins: [origin] },
      { origins: origin, mode },
      { origins: [origin], mode: "mirrored" },
      { origins: [`${origin}/`], mode },
      { origins: ["javascript:alert(1)"], mode },
      { origins: [7], mode },
      { origins: [origin, origin], mode },
      { origins: Array.from({ length: 8 }, (_, i) => `https://${i}.example`), mode },
    ];
    for (const relays of oddRelays)
      expect(() => readRelayInfo({ ...info, relays })).toThrow(expect.objectContaining({ code: "relay/foreign" }));
  });
});
