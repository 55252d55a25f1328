import { describe, expect, it } from "vitest";
import { Failure } from "../../../core/failure.ts";
import { appPolicy } from "./headers.ts";
import { originOf, webtransportName } from "./origin.ts";

describe("the relay's origin", () => {
  it.each([
    ["localhost:8080", "http:", "localhost", "localhost:8080"],
    ["127.0.0.1", "http:", "127.0.0.1", "127.0.0.1"],
    ["warp.example:08080", "http:", "warp.example", "warp.example:8080"],
    ["[::1]:8080", "http:", "::1", "[::1]:8080"],
  ])("is what the Host header %s says", (header, scheme, name, host) => {
    expect(originOf(header, false, null)).toEqual({ scheme, name, host });
  });

  it("is the public address where that is set", () => {
    const origin = originOf("10.0.0.5:8080", false, new URL("https://warp.example"));
    expect(origin).toEqual({ scheme: "https:", name: "warp.example", host: "warp.example" });
  });

  it.each([
    undefined,
    "",
    "a b",
    "x; script-src *",
    "x\ny",
    "[::1",
    "[x]",
    "-",
    "a:99999999",
    "a/b",
    "user@host",
    "x,y",
  ])("[RELAY-26] refuses %j", (header) => {
    expect(() => originOf(header, false, null)).toThrow(Failure);
  });

  it("names WebTransport by an address where the page says localhost", () => {
    const origin = originOf("localhost:8080", false, null);
    expect(webtransportName(origin, "127.0.0.1")).toBe("127.0.0.1");
    expect(webtransportName(origin, "0.0.0.0")).toBe("127.0.0.1");
    expect(webtransportName(origin, "::1")).toBe("[::1]");
    expect(webtransportName(originOf("warp.example", true, null), "0.0.0.0")).toBe("warp.example");
  });

  it("[RELAY-29] allows connections to itself only", () => {
    const policy = appPolicy(originOf("warp.example:8443", true, null), "0.0.0.0", []);
    expect(policy).toContain("connect-src 'self' wss://warp.example:8443 https://warp.example:*;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe-inline");
  });

  it("[RELAY-75] allows connections to further relays by each carrier, and to nobody else", () => {
    const relays = ["https://b.example:8443", "http://localhost:8081", "http://127.0.0.1:8082"];
    const policy = appPolicy(originOf("localhost:8080", false, null), "127.0.0.1", relays);
    expect(/connect-src ([^;]*);/.exec(policy)?.[1]?.split(" ")).toEqual([
      "'self'",
      "ws://localhost:8080",
      "https://127.0.0.1:*",
      "https://b.example:8443",
      "wss://b.example:8443",
      "https://b.example:*",
      "http://localhost:8081",
      "ws://localhost:8081",
      "https://127.0.0.1:*",
      "http://127.0.0.1:8082",
      "ws://127.0.0.1:8082",
      "https://127.0.0.1:*",
    ]);
  });
});
