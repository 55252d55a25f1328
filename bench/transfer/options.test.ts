import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

test("without arguments the bench is the one of the issue", () => {
  expect(parseOptions([])).toMatchObject({ rounds: 3, mib: 256, largeMib: 2048, only: [] });
});

test("a quick run is one small round without the memory part, unless told otherwise", () => {
  expect(parseOptions(["--quick"])).toMatchObject({ rounds: 1, mib: 32, largeMib: 0, patienceSeconds: 0 });
  expect(parseOptions(["--quick", "--rounds", "2"])).toMatchObject({ rounds: 2, mib: 32 });
});

test("what is no number, or unknown, is refused with its name", () => {
  expect(() => parseOptions(["--rounds", "0"])).toThrow("--rounds");
  expect(() => parseOptions(["--mib", "much"])).toThrow("--mib");
  expect(() => parseOptions(["--speed"])).toThrow("--speed");
});
