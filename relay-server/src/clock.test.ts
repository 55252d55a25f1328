import { describe, expect, it } from "vitest";
import { SlewedDate } from "./clock.ts";

function fakeClocks() {
  const at = { wall: 1_000_000, steady: 0 };
  return { at, clocks: { wall: () => at.wall, steady: () => at.steady } };
}

describe("the relay's date", () => {
  it("follows a clock that runs normally", () => {
    const { at, clocks } = fakeClocks();
    const date = new SlewedDate(clocks);
    at.wall += 5000;
    at.steady += 5000;
    expect(date.now()).toBe(1_005_000);
  });

  it("[RELAY-30] takes a jump of three days ahead at ten times real speed at the most", () => {
    const { at, clocks } = fakeClocks();
    const date = new SlewedDate(clocks);
    at.wall += 3 * 86_400_000;
    expect(date.now()).toBe(1_000_000);
    at.steady += 1000;
    at.wall += 1000;
    expect(date.now()).toBe(1_010_000);
  });

  it("[RELAY-30] keeps going forward at half speed after a jump back", () => {
    const { at, clocks } = fakeClocks();
    const date = new SlewedDate(clocks);
    at.wall -= 7_200_000;
    at.steady += 1000;
    expect(date.now()).toBe(1_000_500);
  });
});
