import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { codeOf } from "../../tests/support/fake-http.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import { type FurtherState, fieldsOfStates, freshState, MAX_UNTOLD_LINKS, readStates } from "./further-state.ts";
import { PASSWORD_PARAMETERS } from "./password.ts";
import type { NewLink } from "./portal.ts";

const LIMITS = { maxBytes: 1 << 18, malformed: "journal/damaged", tooLarge: "journal/damaged" } as const;

function link(seed: number): NewLink {
  const text = (bytes: number, what: string) => Buffer.from(noise(bytes, `${what} ${seed}`)).toString("base64url");
  return {
    link: text(16, "name"),
    capability: "read",
    tokenHash: text(32, "token"),
    keyCommitment: text(32, "commitment"),
    grant: text(61, "grant"),
    password: seed % 2 === 0 ? null : PASSWORD_PARAMETERS,
    maxUses: null,
    notBeforeMs: null,
    expiresAtMs: 1_800_000_000_000,
  };
}

const full: FurtherState = {
  origin: "https://b.example",
  step: "AAAAAAAAAAAAAAAAAAAAAA",
  olderSecret: noise(32, "older"),
  links: [link(0), link(1)],
  untilMs: 1_800_000_000_000,
};

function comeBack(states: readonly FurtherState[]): readonly FurtherState[] {
  return readStates(decodeCanonical(encodeCanonical(fieldsOfStates(states)), LIMITS));
}

describe("what is known of further relays", () => {
  it("comes back as it was written", () => {
    const states = [full, freshState("http://127.0.0.1:8081")];
    expect(comeBack(states)).toEqual(states);
    expect(comeBack([])).toEqual([]);
  });

  it("holds no more than the newest links that wait to be told", () => {
    const links = Array.from({ length: MAX_UNTOLD_LINKS + 5 }, (_, i) => link(i));
    expect(comeBack([{ ...full, links }])[0]?.links).toEqual(links.slice(5));
  });

  it("is refused in any other form", async () => {
    const [first] = decodeCanonical(encodeCanonical(fieldsOfStates([full])), LIMITS) as [Record<string, unknown>];
    const [known] = first["l"] as [Record<string, unknown>];
    const wrong: unknown[] = [
      null,
      [null],
      [first, first],
      Array.from({ length: 8 }, (_, i) => ({ ...first, o: `https://r${i}.example` })),
      [{ ...first, o: "https://b.example/path" }],
      [{ ...first, s: "x".repeat(23) }],
      [{ ...first, w: new Uint8Array(31) }],
      [{ ...first, u: -1 }],
      [{ ...first, l: "links" }],
      [{ ...first, l: [{ ...known, capability: "root" }] }],
      [{ ...first, l: [{ ...known, link: "x".repeat(23) }] }],
      [{ ...first, l: [{ ...known, grant: "x".repeat(4096) }] }],
      [{ ...first, l: [{ ...known, password: { algorithm: "md5" } }] }],
      [{ ...first, l: [{ ...known, expiresAtMs: 0.5 }] }],
    ];
    for (const value of wrong)
      expect(await codeOf((async () => readStates(value))()), JSON.stringify(value)).toBe("wire/malformed");
  });
});
