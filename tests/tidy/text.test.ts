import { describe, expect, it } from "vitest";
import { codeFiles, readText } from "./repository.ts";
import { lockFaults, MAX_LINES, markFaults, markupFaults, sizeFaults, THINK_LINES } from "./text.ts";

const OWN_FAULTS = /^tests\/tidy\//;

describe("the length of files", () => {
  it("stays below the limit everywhere", () => {
    expect(sizeFaults(codeFiles(), MAX_LINES)).toEqual([]);
  });

  it("is above the length to think at only in a few", () => {
    const files = codeFiles();
    expect(sizeFaults(files, THINK_LINES).length).toBeLessThanOrEqual(Math.ceil(files.length / 50));
  });

  it("is counted with and without a last line end", () => {
    expect(sizeFaults([{ path: "a.ts", text: "x\n".repeat(400) }], 400)).toEqual([]);
    expect(sizeFaults([{ path: "a.ts", text: `${"x\n".repeat(400)}x` }], 400)).toEqual([
      "a.ts has 401 lines, more than 400: split it by the ideas in it",
    ]);
  });
});

describe("marks for later work", () => {
  it("all name an issue", () => {
    expect(markFaults(codeFiles().filter(({ path }) => !OWN_FAULTS.test(path)))).toEqual([]);
  });

  it("are caught without a number and let through with one", () => {
    const text = "// TODO: later\n// TODO(#12): soon\n// FIXME(12)\nconst todo = 1;\n";
    expect(markFaults([{ path: "a.ts", text }])).toEqual([
      "a.ts:1 leaves work without an issue: write TODO(#12)",
      "a.ts:3 leaves work without an issue: write TODO(#12)",
    ]);
  });
});

describe("markup from strings", () => {
  it("is nowhere in the components", () => {
    expect(markupFaults(codeFiles())).toEqual([]);
  });

  it("is caught", () => {
    expect(markupFaults([{ path: "web/src/X.svelte", text: "<p>{ @html name}</p>" }])).toHaveLength(1);
    expect(markupFaults([{ path: "web/src/X.svelte", text: "<p>{html}</p>" }])).toEqual([]);
  });
});

describe("the lock file", () => {
  it("holds no download addresses", () => {
    expect(lockFaults(readText("package-lock.json"))).toEqual([]);
  });

  it("is caught with one", () => {
    const lock = { packages: { "node_modules/a": { version: "1.0.0", resolved: "https://example.org/a.tgz" } } };
    expect(lockFaults(JSON.stringify(lock))).toEqual([
      "package-lock.json: node_modules/a has a download address (see .npmrc)",
    ]);
  });
});
