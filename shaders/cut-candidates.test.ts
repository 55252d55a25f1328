/**
 * The cut candidates of the GPU, on a software GPU, against the reference in plain TypeScript.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import { cutRule, cutSizesFor } from "../core/chunk/cut-sizes.ts";
import { gearFinder } from "../core/chunk/gear.ts";
import { STRICT_CANDIDATE } from "../core/chunk/select-cuts.ts";
import { noise, prose } from "../tests/support/bytes.ts";
import { openTestGpu, POISON, runShader } from "../tests/support/gpu.ts";
import { cutCandidates, cutCandidatesWorkgroups } from "./cut-candidates.ts";

/** Positions below it have a state that depends on fewer than 32 bytes. */
const FIRST_POSITION = 31;
const WORKGROUP_BYTES = 64 * 256;

interface Bits {
  readonly looseBits: number;
  readonly strictBits: number;
}

/** What the reference finds, in order. */
function expectedIn(piece: Uint8Array, { looseBits, strictBits }: Bits): number[] {
  const find = gearFinder(piece);
  const found: number[] = [];
  for (let at = FIRST_POSITION; ; at++) {
    at = find(at, piece.length, looseBits);
    if (at < 0) return found;
    found.push(find(at, at + 1, strictBits) === at ? at + STRICT_CANDIDATE : at);
  }
}

const byPosition = (a: number, b: number): number => (a % STRICT_CANDIDATE) - (b % STRICT_CANDIDATE);

describe("cut-candidates shader", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });

  /** The count and everything behind it, for the piece of `length` bytes from `base` on. */
  async function run(data: Uint8Array, base: number, length: number, bits: Bits, capacity: number, columns?: number) {
    const before = new Uint32Array(1 + capacity + 5).fill(POISON);
    before[0] = 0;
    const params = Uint32Array.of(base, length, capacity, 0, bits.looseBits, bits.strictBits, 0, 0);
    const workgroups = cutCandidatesWorkgroups(length);
    const grid = columns ? ([columns, Math.ceil(workgroups / columns) + 1] as const) : workgroups;
    const [[count = 0, ...rest] = []] = await runShader(device, cutCandidates, [data, before, params], grid);
    const room = Math.min(count, capacity);
    expect(rest.slice(room).every((word) => word === POISON)).toBe(true);
    return { count, listed: rest.slice(0, room) };
  }

  async function sorted(data: Uint8Array, base: number, length: number, bits: Bits, columns?: number) {
    const { count, listed } = await run(data, base, length, bits, Math.min(length, 16_384), columns);
    expect(listed).toHaveLength(count);
    return listed.sort(byPosition);
  }

  it("finds what the reference finds at every length and base around its steps, strips and workgroups", async () => {
    const bits = { looseBits: 3, strictBits: 5 };
    const data = noise(3 * WORKGROUP_BYTES, "gpu candidates");
    const lengths = [0, 1, 31, 32, 33, 63, 64, 65, 255, 256, 257];
    for (const base of [0, 1, 2, 3, 4, 5, 6, 7, 15, 16, 63, 64, 300]) {
      for (const length of base % 7 === 0 ? [...lengths, WORKGROUP_BYTES - 1, WORKGROUP_BYTES + 1] : lengths) {
        const expected = expectedIn(data.subarray(base, base + length), bits);
        expect(await sorted(data, base, length, bits), `${length} bytes from ${base}`).toEqual(expected);
      }
    }
    const length = 2 * WORKGROUP_BYTES;
    for (const base of [0, 5, 63]) {
      const expected = expectedIn(data.subarray(base, base + length), bits);
      expect(await sorted(data, base, length, bits), `${length} bytes from ${base}`).toEqual(expected);
      expect(await sorted(data, base, length, bits, 2), `${length} bytes from ${base}, a grid`).toEqual(expected);
    }
  });

  it("finds the product's own candidates in noise, text and zeros", async () => {
    const rule = cutRule(cutSizesFor(0));
    for (const data of [
      noise(2 ** 20, 1),
      prose(2 ** 20, 2),
      new Uint8Array(2 ** 18),
      new Uint8Array(2 ** 18).fill(7),
    ]) {
      const base = 11;
      const piece = data.subarray(base);
      const loose = { looseBits: 8, strictBits: 11 };
      expect(await sorted(data, base, piece.length, rule)).toEqual(expectedIn(piece, rule));
      expect(await sorted(data, base, piece.length, loose)).toEqual(expectedIn(piece, loose));
    }
  });

  it("does not look beyond the ends of its piece", async () => {
    const bits = { looseBits: 3, strictBits: 5 };
    const data = noise(2000, "edges");
    const before = await sorted(data, 700, 600, bits);
    data.fill(9, 0, 700);
    data.fill(200, 1300);
    expect(await sorted(data, 700, 600, bits)).toEqual(before);
    expect(await sorted(data.slice(0, 1300), 700, 600, bits)).toEqual(before);
  });

  it("counts on when there is no more room, and writes nothing there", async () => {
    const bits = { looseBits: 2, strictBits: 31 };
    const data = noise(40_000, "overflow");
    const expected = expectedIn(data, bits);
    for (const capacity of [0, 1, 100, expected.length - 1, expected.length]) {
      const { count, listed } = await run(data, 0, data.length, bits, capacity);
      expect(count).toBe(expected.length);
      expect(new Set(listed).size).toBe(capacity);
      expect(expected).toEqual(expect.arrayContaining(listed.slice(0, 50)));
    }
  });
});
