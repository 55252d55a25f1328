import { describe, expect, it } from "vitest";
import { measureStore } from "../../bench/faults/relay-store.ts";
import { MIB } from "../../core/units.ts";
import { rounds } from "./scale.ts";

describe("R12: rows of many portals", () => {
  const portals = rounds(200, 10_000);
  // The aims are 20,000 rows a second and 5 ms; beside the other tests the machine itself may pause for longer.
  const [leastRows, mostMs] = [rounds(300, 20_000), rounds(250, 5)];
  it(`${portals} portals of 250 packs are stored at ${leastRows} rows a second, and each is told within ${mostMs} ms`, async () => {
    const speed = await measureStore({ portals, packsPerPortal: 250 });
    expect(speed.rows).toBe(portals * 250);
    expect(speed.rowsPerSecond).toBeGreaterThan(leastRows);
    expect(speed.resumeP99Ms).toBeLessThan(mostMs);
    expect(speed.residentBytes).toBeLessThan(rounds(2048, 1024) * MIB);
  }, 600_000);
});
