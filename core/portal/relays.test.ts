import { describe, expect, it } from "vitest";
import { codeOf } from "../../tests/support/fake-http.ts";
import { MAX_FURTHER_RELAYS } from "./portal.ts";
import { asOrigins, furtherOrigins, isCounted, isOrigin, keptOrigins } from "./relays.ts";

const HOME = "https://a.example";
const FREE = { maxDownloads: null, isDelivery: false };
const told = (...origins: string[]) => ({ relays: { origins, mode: "striped" as const } });

describe("further relays of a new portal", () => {
  it("are those that home tells of, each once, and never home itself", () => {
    const info = told("https://b.example", HOME, "http://127.0.0.1:8081", "https://b.example");
    expect(furtherOrigins(info, HOME, FREE)).toEqual(["https://b.example", "http://127.0.0.1:8081"]);
    expect(furtherOrigins(told(), HOME, FREE)).toEqual([]);
  });

  it("are none where downloads are counted, or it is handed in to a request", () => {
    const info = told("https://b.example");
    expect(furtherOrigins(info, HOME, { ...FREE, maxDownloads: 1 })).toEqual([]);
    expect(furtherOrigins(info, HOME, { ...FREE, isDelivery: true })).toEqual([]);
  });

  it("are no more than there may be, and only origins, whatever home tells", () => {
    const many = Array.from({ length: 20 }, (_, i) => `https://r${i}.example`);
    expect(furtherOrigins(told(...many), HOME, FREE)).toEqual(many.slice(0, MAX_FURTHER_RELAYS));
    expect(furtherOrigins(told("javascript:alert(1)", "https://b.example/path"), HOME, FREE)).toEqual([]);
  });
});

describe("an origin", () => {
  it.each([
    ["https://relay.example", true],
    ["http://localhost:8080", true],
    ["http://[::1]:8080", true],
    ["https://", false],
    ["https://relay.example/", false],
    ["https://relay.example?x", false],
    ["https://relay.example#x", false],
    ["https://user@relay.example", false],
    ["https://relay.example\\x", false],
    ["https://relay example", false],
    ["https://relay\n.example", false],
    ["https://ä.example", false],
    ["ftp://relay.example", false],
    [`https://${"r".repeat(255)}`, false],
  ])("%j: %j", (text, is) => {
    expect(isOrigin(text)).toBe(is);
  });

  it("is read from a list only when all of it is right", async () => {
    const read = async (value: unknown, min?: number) => asOrigins(value, "o", min);
    const right = ["https://b.example", "https://c.example"];
    expect(await read(right)).toEqual(right);
    const wrong = [null, "https://b.example", [1], ["x"], ["https://b.example", "https://b.example"]];
    const many = Array.from({ length: MAX_FURTHER_RELAYS + 1 }, (_, i) => `https://r${i}.example`);
    for (const value of [...wrong, many]) expect(await codeOf(read(value))).toBe("wire/malformed");
    expect(await codeOf(read([], 1))).toBe("wire/malformed");
  });

  it("that was kept and cannot be read is none", () => {
    expect(keptOrigins(["https://b.example"])).toEqual(["https://b.example"]);
    for (const value of [undefined, null, 7, ["https://b.example/"]]) expect(keptOrigins(value)).toEqual([]);
  });
});

describe("downloads", () => {
  const link = {
    ...{ link: "l", hasPassword: false, uses: 0, notBeforeMs: null, expiresAtMs: null, createdAtMs: 0 },
    capability: "read" as const,
    maxUses: null,
  };
  it("are counted where the portal or one of its read links has a limit", () => {
    expect(isCounted({ maxDownloads: null, links: [link] })).toBe(false);
    expect(isCounted({ maxDownloads: 2, links: [link] })).toBe(true);
    expect(isCounted({ maxDownloads: null, links: [link, { ...link, maxUses: 1 }] })).toBe(true);
    expect(isCounted({ maxDownloads: null, links: [{ ...link, capability: "write", maxUses: 1 }] })).toBe(false);
  });
});
