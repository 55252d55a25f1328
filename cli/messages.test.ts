import { expect, test } from "vitest";
import { FAILURES, Failure, type FailureCode } from "../core/failure.ts";
import { sentenceOf } from "./messages.ts";
import { NamedFailure, quoted } from "./named-failure.ts";

test("every failure code has a sentence", () => {
  for (const code of Object.keys(FAILURES) as FailureCode[])
    expect(sentenceOf(new Failure(code))).toMatch(/^[A-Z].*\.$/);
});

test("a full disk tells how much is needed and how much is free", () => {
  const sentence = sentenceOf(new Failure("sink/full", { neededBytes: 2048, freeBytes: 1024 }));
  expect(sentence).toContain("2.0 KiB are needed, 1.0 KiB are free.");
});

test("a failure about a path names it, with nothing in it that a terminal would obey", () => {
  const failure = new NamedFailure("file/changed", `${quoted("a\u001b]0;x\u0007\u202eb")} changed.`);
  expect(sentenceOf(failure)).toBe('"a⟨U+001B⟩]0;x⟨U+0007⟩⟨U+202E⟩b" changed.');
});
