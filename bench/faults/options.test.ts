import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("the options of the faults bench", () => {
  it("have values when nothing is said, and fewer rounds when it shall be quick", () => {
    expect(parseOptions([])).toEqual({
      rounds: 3,
      seconds: 15,
      isQuick: false,
      parts: ["recovery", "lines", "relay"],
    });
    expect(parseOptions(["--quick"])).toMatchObject({ rounds: 1, seconds: 5, isQuick: true });
  });

  it("leave out parts that are not asked for", () => {
    expect(parseOptions(["--only", "lines", "--seconds=9"])).toMatchObject({
      parts: ["lines"],
      seconds: 9,
    });
  });

  it("refuse what makes no sense", () => {
    expect(() => parseOptions(["--rounds", "0"])).toThrow("--rounds takes a whole number");
    expect(() => parseOptions(["--only", "speed"])).toThrow("--only takes names out of recovery, lines, relay");
  });
});
