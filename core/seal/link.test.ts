import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { effortMs } from "../../tests/support/fake-effort.ts";
import { Failure } from "../failure.ts";
import { createLink, formatLink, parseLink } from "./link.ts";

const link = { portal: noise(16, "portal"), secret: noise(32, "secret") };
const text = formatLink(link);

function codeOf(link: string): string {
  try {
    parseLink(link);
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("share links", () => {
  it("[LINK-1] hold portal, version, secret and check, the secret behind the # only", () => {
    const [path = "", fragment = ""] = text.split("#");
    expect(path).toBe(`/p/${Buffer.from(link.portal).toString("base64url")}`);
    const [version, secret, check] = fragment.split(".");
    expect(version).toBe("1");
    expect(secret).toBe(Buffer.from(link.secret).toString("base64url"));
    const hash = createHash("sha256").update("warp/1 link\0").update(link.portal).update(link.secret).digest();
    expect(check).toBe(hash.subarray(0, 3).toString("base64url"));
  });

  it("[LINK-1] come back as they were, with or without an origin, a slash and a query", () => {
    for (let run = 0; run < 50; run++) {
      const fresh = createLink();
      const path = formatLink(fresh);
      expect(parseLink(path)).toEqual(fresh);
      expect(parseLink(`https://warp.example:8443${path}`)).toEqual(fresh);
      expect(parseLink(path.replace("#", "/?engine=cpu#"))).toEqual(fresh);
    }
  });

  it("[LINK-2] cut at any place are known to be cut", () => {
    for (let end = 0; end < text.length; end++) expect(codeOf(text.slice(0, end))).toBe("link/cut");
    for (let start = 1; start < text.length; start++) expect(codeOf(text.slice(start))).toBe("link/cut");
  });

  it("[LINK-2] with one letter changed, dropped or added are known to be damaged", () => {
    for (let at = 3; at < text.length; at++) {
      if (at === text.indexOf("#") + 1) continue;
      for (const letter of ["A", "z", "_", "=", " ", "\n"]) {
        if (letter !== text[at]) expect(codeOf(text.slice(0, at) + letter + text.slice(at + 1))).toMatch(/^link\//);
        expect(codeOf(text.slice(0, at) + letter + text.slice(at))).toMatch(/^link\//);
      }
      expect(codeOf(text.slice(0, at) + text.slice(at + 1))).toMatch(/^link\//);
    }
    expect(codeOf(`${text}.more`)).toBe("link/cut");
    expect(codeOf(`${text} `)).toBe("link/cut");
  });

  it("[LINK-3] of a later version say so", () => {
    expect(codeOf(text.replace("#1.", "#2."))).toBe("link/version");
    expect(codeOf(text.replace("#1.", "#12."))).toBe("link/version");
  });

  it("[LINK-4] that are hostile are refused quickly", () => {
    const hostile = [
      "/p/?".repeat(100_000),
      `/p/${"A".repeat(1_000_000)}`,
      `${"/p/A?".repeat(400)}#`,
      `/p/A#1.${".".repeat(2000)}`,
    ];
    for (const input of hostile) {
      expect(codeOf(input)).toBe("link/cut");
      expect(effortMs(() => codeOf(input))).toBeLessThan(50);
    }
  });
});
