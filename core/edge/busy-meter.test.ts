import { describe, expect, it } from "vitest";
import { BusyMeter } from "./busy-meter.ts";

describe("BusyMeter", () => {
  it("counts the time in which the edge had something to carry, not the time between", () => {
    const meter = new BusyMeter();
    meter.started(0);
    meter.carried(1000, 100);
    meter.ended(100);
    meter.started(60_000);
    meter.carried(1000, 60_100);
    meter.ended(60_100);
    expect(meter.take(120_000)).toEqual({ bytes: 2000, busyMs: 200 });
  });

  it("counts time once where several packs are under way at once", () => {
    const meter = new BusyMeter();
    meter.started(0);
    meter.started(50);
    meter.carried(500, 100);
    meter.ended(100);
    meter.carried(500, 150);
    meter.ended(150);
    expect(meter.take(150)).toEqual({ bytes: 1000, busyMs: 150 });
  });

  it("leaves out the round trip before the first byte, once for a stretch of work", () => {
    const meter = new BusyMeter();
    meter.started(0, 80);
    meter.started(10, 80);
    meter.carried(300, 120);
    meter.carried(400, 150);
    expect(meter.take(150)).toEqual({ bytes: 700, busyMs: 70 });
    meter.ended(150);
    meter.carried(300, 200);
    meter.carried(400, 220);
    meter.ended(220);
    expect(meter.take(220)).toEqual({ bytes: 700, busyMs: 70 });
  });

  it("counts all of the time where bytes come sooner than a round trip, so that no rate is infinite", () => {
    const meter = new BusyMeter();
    meter.started(0, 500);
    meter.carried(600, 60);
    expect(meter.take(60)).toEqual({ bytes: 600, busyMs: 60 });
  });

  it("takes whole bursts, so that packs which share a line and end together do not look slow and then fast", () => {
    const meter = new BusyMeter();
    const rates: number[] = [];
    for (let i = 0; i < 4; i++) meter.started(0);
    for (let burst = 1; burst <= 20; burst++) {
      for (let i = 0; i < 4; i++) {
        const nowMs = burst * 800 + i;
        meter.carried(4_000_000, nowMs);
        meter.ended(nowMs);
        meter.started(nowMs);
        const sample = meter.take(nowMs);
        if (sample !== undefined) rates.push(sample.bytes / sample.busyMs);
      }
    }
    expect(rates).toHaveLength(20);
    for (const rate of rates) expect(Math.abs(rate / 20_000 - 1)).toBeLessThan(0.01);
  });

  it("gives no sample of less than 50 ms or without bytes, and keeps what it has for the next", () => {
    const meter = new BusyMeter();
    meter.started(0);
    meter.carried(100, 49);
    expect(meter.take(49)).toBeUndefined();
    meter.carried(100, 60);
    expect(meter.take(60)).toEqual({ bytes: 200, busyMs: 60 });
    expect(meter.take(1060)).toBeUndefined();
    meter.carried(100, 1100);
    expect(meter.take(1100)).toEqual({ bytes: 100, busyMs: 1040 });
  });

  it("refuses an end without a start", () => {
    expect(() => new BusyMeter().ended(0)).toThrow("assertion failed");
  });
});
