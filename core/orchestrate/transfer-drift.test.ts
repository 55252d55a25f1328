import { describe, expect, it } from "vitest";
import { TransferDrift } from "./transfer-drift.ts";

const PLAN = { bytes: 1000, finishMs: 10_100, firstMs: 100 };

describe("TransferDrift", () => {
  it("is 1 from the first moment that it says anything to the end of a transfer that goes as planned", () => {
    const drift = new TransferDrift();
    drift.planned(PLAN, 500, 1_000_000);
    for (let ms = 0; ms <= 12_000; ms += 10) {
      const done = 500 + Math.min(1000, Math.max(0, ms - 100) / 10);
      const ratio = drift.ratio(done, 1_000_000 + ms);
      if (ms < 2100) expect(ratio).toBeUndefined();
      else expect(ratio).toBeCloseTo(1);
    }
  });

  it("follows bytes: half as fast is 0.5 at any time, twice as fast 2", () => {
    const drift = new TransferDrift();
    drift.planned(PLAN, 0, 0);
    for (const ms of [2100, 4100, 8100]) {
      expect(drift.ratio((ms - 100) / 20, ms)).toBeCloseTo(0.5);
      expect(drift.ratio((ms - 100) / 5, ms)).toBeCloseTo(2);
    }
    expect(drift.ratio(400, 60_000)).toBeCloseTo(0.4);
  });

  it("does not count time in which the transfer is paused", () => {
    const drift = new TransferDrift();
    drift.planned(PLAN, 0, 0);
    drift.pause(4100);
    drift.pause(5000);
    expect(drift.ratio(400, 60_000)).toBeCloseTo(1);
    drift.resume(64_100);
    drift.resume(70_000);
    expect(drift.ratio(600, 66_100)).toBeCloseTo(1);
  });

  it("begins anew with a new plan, which may be made during a pause", () => {
    const drift = new TransferDrift();
    drift.planned(PLAN, 0, 0);
    drift.pause(1000);
    drift.planned({ ...PLAN, bytes: 500 }, 500, 5000);
    drift.resume(9000);
    expect(drift.ratio(500, 11_000)).toBeUndefined();
    expect(drift.ratio(750, 9000 + 5100)).toBeCloseTo(1);
  });

  it("says nothing without a plan or of a plan without bytes", () => {
    const drift = new TransferDrift();
    expect(drift.ratio(5, 5)).toBeUndefined();
    drift.planned({ bytes: 0, finishMs: 0, firstMs: 0 }, 0, 0);
    expect(drift.ratio(0, 1e6)).toBeUndefined();
    expect(() => drift.planned({ ...PLAN, bytes: -1 }, 0, 0)).toThrow("assertion failed");
  });
});
