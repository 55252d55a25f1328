import { describe, expect, it } from "vitest";
import { MIB } from "../../core/units.ts";
import type { LineSample } from "./lines.ts";
import type { RecoverySample } from "./recovery.ts";
import { formatAims, formatLines, formatRecovery, isMet, lineAims, recoveryAims } from "./report.ts";

const CUT: RecoverySample = {
  fault: "cut of 5 s",
  path: "tcp",
  senderMs: 1000,
  receiverMs: 2000,
  sentTwiceBytes: 4 * MIB,
  fetchedTwiceBytes: 0,
};

const line = (loss: number, rttMs: number, variant: string, up: number, down: number): LineSample => ({
  loss,
  rttMs,
  variant,
  up,
  down,
});

describe("the report of the faults bench", () => {
  it("judges each fault by its worst round, and shows the middle one", () => {
    const samples = [CUT, { ...CUT, receiverMs: 6000 }, { ...CUT, receiverMs: 3000 }];
    const [seconds, twice] = recoveryAims(samples);
    expect(seconds).toMatchObject({ value: 6, aim: 5 });
    expect(seconds && isMet(seconds)).toBe(false);
    expect(twice).toMatchObject({ value: 4, aim: 32 });
    expect(twice && isMet(twice)).toBe(true);
    expect(formatRecovery(samples)).toMatch(/^cut of 5 s, tcp +1\.0 +3\.0 +4\.0 +0\.0$/m);
  });

  it("does not take for met what could not be measured", () => {
    const aims = recoveryAims([{ ...CUT, senderMs: Number.NaN }]);
    expect(aims[0] && isMet(aims[0])).toBe(false);
    expect(lineAims([]).some(isMet)).toBe(false);
  });

  it("compares the paths on the clean and on the bad line", () => {
    const samples = [
      line(0, 20, "webtransport", 9, 9),
      line(0, 20, "tcp cubic", 10, 12),
      line(0.02, 100, "webtransport", 1, 1),
      line(0.02, 100, "tcp cubic", 0.25, 0.5),
      line(0.02, 100, "tcp bbr", 2, 2),
    ];
    const aims = lineAims(samples);
    expect(aims.map(({ value }) => value)).toEqual([0.9, Number.NaN, 0.75, Number.NaN, 4, 0.5, 2, 0.5]);
    expect(aims.map(isMet)).toEqual([true, false, false, false, true, false, true, false]);
    expect(formatLines(samples)).toMatch(/^2 % lost, 100 ms +1\.00 +0\.25 +2\.00 +1\.00 +0\.50 +2\.00$/m);
    expect(formatAims(aims)).toContain("2 % lost, 100 ms, up: webtransport / tcp cubic");
  });
});
