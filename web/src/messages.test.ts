import { describe, expect, it } from "vitest";
import { FAILURES, type FailureCode } from "../../core/failure.ts";
import { detailSentence, FAILURE_MESSAGES } from "./messages.ts";

const codes = Object.keys(FAILURES) as FailureCode[];

describe("failure messages", () => {
  it.each(codes)("%s has a title without a full stop and two whole sentences", (code) => {
    const { title, what, next } = FAILURE_MESSAGES[code];
    expect(title).toMatch(/^[A-Z][^.]*[^.\s]$/);
    for (const text of [what, next]) expect(text).toMatch(/^[A-Z].{15,}\.$/);
  });

  it("says nothing twice: each code has its own title", () => {
    expect(new Set(codes.map((code) => FAILURE_MESSAGES[code].title)).size).toBe(codes.length);
  });

  it("shows a code to nobody", () => {
    for (const code of codes) {
      if (code.includes("/")) expect(JSON.stringify(FAILURE_MESSAGES[code])).not.toContain(code);
    }
  });

  it("adds what the failure knows, and only that", () => {
    expect(detailSentence("portal/full", { limitBytes: 2_000_000_000 })).toBe("The limit is 2\u00a0GB.");
    expect(detailSentence("portal/full", {})).toBeNull();
    expect(detailSentence("sink/full", { neededBytes: 5_000_000, freeBytes: 1_000_000 })).toContain("are free");
    expect(detailSentence("file/changed", { entry: 0 })).toContain("number 1");
    expect(detailSentence("cancelled", { entry: 3 })).toBeNull();
  });
});
