import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Failure } from "../failure.ts";
import { MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_PATH_DEPTH } from "../units.ts";
import { checkPath, numberedName, type PathFault, pathFault, sendablePath, shortenName, utf8Length } from "./path.ts";

/** Any path somebody may try: components from letters that mean something to some system. */
const LETTERS = [
  "a",
  "B",
  ".",
  "..",
  "/",
  "\\",
  ":",
  " ",
  "\0",
  "\n",
  "\u0085",
  "\u202e",
  "\ud800",
  "\u{1f600}",
  "\u00e9",
];
const hostileText = fc.oneof(
  fc.array(fc.constantFrom(...LETTERS), { maxLength: 12 }).map((letters) => letters.join("")),
  fc.string({ unit: "binary", maxLength: 300 }),
);

const CONTROLS = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index)];
const DOTTED = ["", ".", ".."];
const AROUND: readonly ((bad: string) => string)[] = [
  (bad) => `a/${bad}`,
  (bad) => `a/${bad}/b`,
  (bad) => `${bad}/b`,
  (bad) => `a\\${bad}`,
  (bad) => `${bad}\\b`,
];

const REFUSED: readonly (readonly [path: string, fault: PathFault])[] = [
  ["", "empty"],
  ["/", "absolute"],
  ["//", "absolute"],
  ["/etc/passwd", "absolute"],
  [".", "component-dots"],
  ["..", "component-dots"],
  ["\\", "component-empty"],
  ["\\\\server\\share", "component-empty"],
  ["C:\\", "component-empty"],
  ["..\\..\\windows\\system32", "component-dots"],
  ["a/..\\..\\b", "component-dots"],
  ["\ud800", "surrogate"],
  ["a/\udfff", "surrogate"],
  ["\udc00\ud800", "surrogate"],
  ["a\u2028b", "control"],
  ["a\u2029b", "control"],
  ["x".repeat(MAX_NAME_BYTES + 1), "name-long"],
  ["\u00e9".repeat(128), "name-long"],
  ["\u{1f600}".repeat(64), "name-long"],
  [
    Array(MAX_PATH_DEPTH + 1)
      .fill("d")
      .join("/"),
    "deep",
  ],
  [Array(20).fill("x".repeat(255)).join("/"), "path-long"],
  [Array(16).fill("\u00e9".repeat(127)).concat("y".repeat(20)).join("/"), "path-long"],
  ["x".repeat(100_000_000), "path-long"],
  ...CONTROLS.map((code) => [`a${String.fromCharCode(code)}b`, "control"] as const),
  ...CONTROLS.map((code) => [`folder/${String.fromCharCode(code)}`, "control"] as const),
  ...DOTTED.flatMap((bad) =>
    AROUND.map((around) => {
      const path = around(bad);
      const fault = path.startsWith("/") ? "absolute" : bad === "" ? "component-empty" : "component-dots";
      return [path, fault] as const;
    }),
  ),
];

const ACCEPTED: readonly string[] = [
  ...[
    "CON",
    "nul.txt",
    "COM\u00b9",
    "a.",
    "a ",
    " a",
    "...",
    ".hidden",
    "-rf",
    "~",
    "a:b",
    "C:",
    "a\\b",
    "%2e%2e",
    "%00",
  ],
  ...[
    "..a",
    "a..",
    ". .",
    "\u2024\u2024",
    "\uff0e\uff0e",
    "\u2215etc",
    "<script>",
    "__proto__",
    "\u202egpj.exe",
    "\u200b",
  ],
  ...[
    "cafe\u0301",
    "caf\u00e9",
    "\u{1f468}\u200d\u{1f469}",
    "\ufeff",
    "\ufffd",
    "'\"`$(x);|&*?<>",
    "desktop.ini",
    "x.lnk",
  ],
  "x".repeat(MAX_NAME_BYTES),
  "\u00e9".repeat(127),
  Array(MAX_PATH_DEPTH).fill("d").join("/"),
  Array(16).fill("x".repeat(255)).join("/"),
];

describe("a path in a manifest", () => {
  it("is tried against a corpus of more than 200 hostile entries", () => {
    expect(REFUSED.length + ACCEPTED.length).toBeGreaterThan(200);
  });

  it("is refused with the rule that it breaks", () => {
    for (const [path, fault] of REFUSED) {
      expect([JSON.stringify(path.slice(0, 80)), pathFault(path)]).toEqual([JSON.stringify(path.slice(0, 80)), fault]);
    }
  });

  it("may be any other name that some file system allows", () => {
    for (const path of ACCEPTED) expect([path, pathFault(path)]).toEqual([path, undefined]);
    for (const path of ACCEPTED) expect(checkPath(path)).toBe(path);
  });

  it("fails as path/rejected and with the rule only, never with the name", () => {
    const refused = new Failure("path/rejected", { reason: "component-dots" });
    expect(() => checkPath("secret/../name")).toThrow(refused);
    expect(refused.message).toBe("path/rejected");
  });

  it("never leads out of its folder, however a system reads it", () => {
    fc.assert(
      fc.property(hostileText, (path) => {
        if (pathFault(path) !== undefined) return;
        let depth = 0;
        for (const component of path.split(/[/\\]/)) {
          expect(component).not.toBe("");
          depth += component === ".." ? -1 : 1;
          expect(depth).toBeGreaterThan(0);
        }
        expect(utf8Length(path)).toBeLessThanOrEqual(MAX_PATH_BYTES);
        expect(new TextDecoder().decode(new TextEncoder().encode(path))).toBe(path.replace(/^\ufeff/, ""));
      }),
      { numRuns: 2000 },
    );
  });

  it("is measured as its encoding is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-composite" }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });
});

describe("the path that is sent for a name", () => {
  it("is the name itself wherever the rules allow it", () => {
    for (const path of ACCEPTED) expect(sendablePath(path)).toBe(path);
  });

  it.each([
    ["a\nb", "a\u240ab"],
    ["a\u0000", "a\u2400"],
    ["a\u007f\u0085", "a\u2421\ufffd"],
    ["half \ud83d", "half \ufffd"],
    ["..\\x", "..\u29f5x"],
    ["end\\", "end\u29f5"],
    [`${"\u00e9".repeat(200)}.tar.gz`, `${"\u00e9".repeat(124)}.tar.gz`],
  ])("makes %j visible", (name, sent) => {
    expect(sendablePath(name)).toBe(sent);
  });

  it("is always one that a manifest may carry, or there is none", () => {
    fc.assert(
      fc.property(hostileText, (path) => {
        try {
          expect(pathFault(sendablePath(path))).toBeUndefined();
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          // What no sign can stand for.
          const nameless = ["empty", "absolute", "component-empty", "component-dots", "deep", "path-long"];
          expect(nameless).toContain(error.details.reason);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a numbered name", () => {
  it.each([
    ["a.txt", "a (2).txt"],
    ["a.tar.gz", "a (2).tar.gz"],
    [".hidden", ".hidden (2)"],
    ["no extension", "no extension (2)"],
    ["v1. final words", "v1. final words (2)"],
  ])("keeps the extension of %j", (name, numbered) => {
    expect(numberedName(name, 2)).toBe(numbered);
  });

  it("never grows beyond what a name may have, and cuts no letter in two", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(name, fc.nat(1e6), (name, number) => {
        const numbered = numberedName(name, number);
        expect(utf8Length(numbered)).toBeLessThanOrEqual(MAX_NAME_BYTES);
        expect(numbered.isWellFormed()).toBe(true);
        expect(numbered).toContain(` (${number})`);
      }),
    );
    expect(shortenName("abc.txt", 6)).toBe("ab.txt");
  });
});
