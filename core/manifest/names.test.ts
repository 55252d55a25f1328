import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_NAME_BYTES } from "../units.ts";
import { displayPath } from "./display-path.ts";
import { pathFault, utf8Length } from "./path.ts";
import { portableName } from "./portable-name.ts";
import { uniquePaths } from "./unique-paths.ts";

/** Names from the letters that Windows refuses, escapes, and reserved words. */
const AWKWARD = [
  "a",
  "%",
  "%25",
  "%3A",
  ":",
  "\\",
  "?",
  "*",
  '"',
  "<",
  "|",
  ".",
  " ",
  "CON",
  "nul",
  ".lnk",
  "1",
  "\u00e9",
];
const component = fc
  .oneof(
    fc.array(fc.constantFrom(...AWKWARD), { minLength: 1, maxLength: 8 }).map((each) => each.join("")),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 255 }),
  )
  .filter((name) => !name.includes("/") && pathFault(name) === undefined);

// biome-ignore lint/suspicious/noControlCharactersInRegex: what Windows refuses
const WINDOWS_REFUSES = /[\u0000-\u001f"*:<>?|\\]|[. ]$|^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;

describe("a portable name", () => {
  it.each([
    ["plain.txt", "plain.txt"],
    ["100%.txt", "100%.txt"],
    ["a:b", "a%3Ab"],
    ["a%3Ab", "a%253Ab"],
    ["CON", "%43ON"],
    ["com1.tar.gz", "%63om1.tar.gz"],
    ["conference", "conference"],
    ["end.", "end%2E"],
    ["end ", "end%20"],
    ["x.lnk", "x%2Elnk"],
    ["caf\u00e9", "caf\u00e9"],
  ])("for %j is %j", (name, portable) => {
    expect(portableName(name)).toBe(portable);
  });

  it("is one that Windows takes, within the bounds of a name", () => {
    fc.assert(
      fc.property(component, (name) => {
        expect(portableName(name)).not.toMatch(WINDOWS_REFUSES);
        expect(pathFault(portableName(name))).toBeUndefined();
        expect(utf8Length(portableName(name))).toBeLessThanOrEqual(MAX_NAME_BYTES);
      }),
      { numRuns: 2000 },
    );
  });

  it("differs for different names", () => {
    fc.assert(
      fc.property(component, component, (a, b) => {
        expect(portableName(a) === portableName(b)).toBe(a === b);
      }),
      { numRuns: 5000 },
    );
    // Also where both had to be cut.
    const long = ":".repeat(254);
    expect(portableName(`${long}a`)).not.toBe(portableName(`${long}b`));
  });
});

describe("a path as it is shown", () => {
  it.each([
    ["plain/\u65e5\u672c\u8a9e \u3000.txt", "plain/\u65e5\u672c\u8a9e \u3000.txt"],
    ["\u202egnp.exe", "\u27e8U+202E\u27e9gnp.exe"],
    ["\u2066a\u2069", "\u27e8U+2066\u27e9a\u27e8U+2069\u27e9"],
    ["a\u200bb", "a\u27e8U+200B\u27e9b"],
    ["a\u00a0b", "a\u27e8U+00A0\u27e9b"],
    ["a\u00adb", "a\u27e8U+00AD\u27e9b"],
    ["a\ufeff", "a\u27e8U+FEFF\u27e9"],
    ["a\u3164", "a\u27e8U+3164\u27e9"],
    ["a\u200db", "a\u27e8U+200D\u27e9b"],
    ["a\nb", "a\u27e8U+000A\u27e9b"],
    ["a\u{e0041}", "a\u27e8U+E0041\u27e9"],
    ["\u{1f468}\u200d\u{1f469}\u200d\u{1f467}", "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}"],
    ["\u2764\ufe0f.txt", "\u2764\ufe0f.txt"],
    ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"],
    ["\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"],
    ["\u0641\u0627\u0631\u0633\u06cc", "\u0641\u0627\u0631\u0633\u06cc"],
    ["1\ufe0f\u20e3 \u845b\u{e0100} \u1820\u180b", "1\ufe0f\u20e3 \u845b\u{e0100} \u1820\u180b"],
    ["a\u{e0100}b", "a\u27e8U+E0100\u27e9b"],
    ["\u845b\u{e0100}\u{e0101}", "\u845b\u{e0100}\u27e8U+E0101\u27e9"],
    ["\u1820\u180b\u180b", "\u1820\u180b\u27e8U+180B\u27e9"],
    ["a1\u200db", "a1\u27e8U+200D\u27e9b"],
    ["file1\ufe0f.txt", "file1\u27e8U+FE0F\u27e9.txt"],
    ["\u{1f600}\u200d.txt", "\u{1f600}\u27e8U+200D\u27e9.txt"],
    ["\u0645\u06cc\u200c.txt", "\u0645\u06cc\u27e8U+200C\u27e9.txt"],
  ])("of %j hides nothing and turns nothing round", (path, shown) => {
    expect(displayPath(path)).toBe(shown);
  });

  it("never holds a letter that reorders others", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (path) => {
        expect(displayPath(path)).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/);
      }),
    );
  });
});

const file = (path: string) => ({ kind: "file", path }) as const;
const folder = (path: string) => ({ kind: "directory", path }) as const;

describe("unique paths", () => {
  it("number later equals, and give way to paths that are really there", () => {
    const given = [file("a.txt"), file("a.txt"), file("a (2).txt"), file("a.txt")];
    expect(uniquePaths(given).map(({ path }) => path)).toEqual(["a.txt", "a (2).txt", "a (2) (2).txt", "a (3).txt"]);
  });

  it("keep a folder's name for the folder, wherever it stands in the list", () => {
    const given = [file("x"), file("x/y"), folder("z"), file("z"), folder("z"), folder("z/deep")];
    expect(uniquePaths(given).map(({ path }) => path)).toEqual(["x (2)", "x/y", "z", "z (2)", "z/deep"]);
  });

  it("hold each path once, lose no file and keep the order", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "a (2)"), { minLength: 1, maxLength: 3 })
      .map((names) => names.join("/"));
    const entries = fc.array(fc.oneof(path.map(file), path.map(folder)), { maxLength: 30 });
    fc.assert(
      fc.property(entries, (entries) => {
        const unique = uniquePaths(entries);
        const paths = unique.map(({ path }) => path);
        expect(new Set(paths).size).toBe(paths.length);
        const files = unique.filter(({ kind }) => kind === "file");
        expect(files).toHaveLength(entries.filter(({ kind }) => kind === "file").length);
        for (const { path } of files) expect(paths.some((other) => other.startsWith(`${path}/`))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it("take time in proportion to the entries, also when all are equal", () => {
    const many = Array.from({ length: 100_000 }, () => file("same/name.txt"));
    const start = performance.now();
    expect(new Set(uniquePaths(many).map(({ path }) => path)).size).toBe(many.length);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
