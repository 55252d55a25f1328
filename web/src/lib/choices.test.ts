import { describe, expect, it } from "vitest";
import { choicesWith, IDLE_TIMES } from "./choices.ts";

describe("choices of time", () => {
  it("are as they are for one of them and for none", () => {
    expect(choicesWith(IDLE_TIMES, null)).toBe(IDLE_TIMES);
    expect(choicesWith(IDLE_TIMES, 3600)).toBe(IDLE_TIMES);
  });

  it("take in a time that was set elsewhere, in its place", () => {
    const texts = (seconds: number) => choicesWith(IDLE_TIMES, seconds).map(({ text }) => text);
    expect(texts(5400)).toEqual(["1 hour", "1.5 hours", "1 day", "3 days", "7 days"]);
    expect(texts(120)[0]).toBe("2 minutes");
  });
});
