import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { findStamp, isWorked, MAX_WORK_BITS } from "./work.ts";

const portal = noise(16, "portal");
const ORIGIN = "https://relay.example";

/** Zero bits at the begin of the hash, by another implementation. */
function zeroBits(stamp: number): number {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(stamp);
  const hash = createHash("sha256").update(`warp/1 work\0${ORIGIN}\0`).update(portal).update(number).digest("hex");
  const bits = [...hash].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, "0")).join("");
  return bits.indexOf("1");
}

describe("work for a portal", () => {
  it("[KEY-12] is a number with which the hash of relay and portal begins with so many zero bits", async () => {
    for (const bits of [0, 1, 7, 8, 12]) {
      const stamp = await findStamp(portal, ORIGIN, bits);
      expect(zeroBits(stamp)).toBeGreaterThanOrEqual(bits);
      expect(isWorked(portal, ORIGIN, stamp, bits)).toBe(true);
      expect(isWorked(portal, ORIGIN, stamp, zeroBits(stamp) + 1)).toBe(false);
    }
  });

  it("[KEY-12] is worth nothing for another portal or relay, and no number is but a whole one", async () => {
    const stamp = await findStamp(portal, ORIGIN, 14);
    expect(isWorked(noise(16, "other"), ORIGIN, stamp, 14)).toBe(false);
    expect(isWorked(portal, "https://relay.example:8443", stamp, 14)).toBe(false);
    for (const odd of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, 2 ** 53, stamp + 2 ** 32])
      expect(isWorked(portal, ORIGIN, odd, 0)).toBe(false);
  });

  it("[KEY-12] ends when it is not wanted any more, and is not done where too much is asked", async () => {
    const stop = new AbortController();
    const work = findStamp(portal, ORIGIN, MAX_WORK_BITS, stop.signal);
    stop.abort(new Error("stopped"));
    await expect(work).rejects.toThrow("stopped");
    await expect(findStamp(portal, ORIGIN, MAX_WORK_BITS + 1)).rejects.toThrow(RangeError);
  });
});
