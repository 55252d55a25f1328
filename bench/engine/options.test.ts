import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("options of the engine bench", () => {
  it("stay in Node unless a browser is asked for, which may get switches", () => {
    expect(parseOptions(["--chromium-args=--a"]).chromiumArgs).toBeUndefined();
    expect(parseOptions(["--browser"]).chromiumArgs).toEqual([]);
    expect(parseOptions(["--browser", "--chromium-args=--a  --b=c"]).chromiumArgs).toEqual(["--a", "--b=c"]);
  });

  it("measure less when it must be quick, and no more than fits", () => {
    expect(parseOptions(["--quick"])).toMatchObject({ rounds: 1, cpuMib: 4, gpuMib: { hardware: 4, software: 1 } });
    expect(parseOptions(["--mib", "60"])).toMatchObject({ rounds: 3, gpuMib: { hardware: 60, software: 60 } });
    expect(() => parseOptions(["--mib", "61"])).toThrow("--mib takes a whole number from 1 to 60");
  });
});
