/**
 * The shader counts what the CPU kernel counts, to the last repeat.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { Kernels } from "../kernels/loader.ts";
import { noise, prose } from "../tests/support/bytes.ts";
import { openTestGpu, POISON, runShader } from "../tests/support/gpu.ts";
import { loadKernels } from "../tests/support/kernels.ts";
import { PROBE_WORDS, probeEntropy, sampledBytes } from "./probe-entropy.ts";

const LENGTHS = [
  1, 2, 3, 4, 5, 63, 64, 65, 66, 67, 68, 1000, 1023, 1024, 1025, 4095, 4096, 4097, 65_535, 65_536, 81_919, 81_920,
  100_003, 200_001, 262_143, 262_144, 300_001,
];

/** Words of two letters: many repeats, and many different words with the same hash. */
function letters(length: number, count: number): Uint8Array {
  return noise(length, `letters ${length}`).map((byte) => 97 + (byte % count));
}

describe("probe-entropy", () => {
  let device: GPUDevice;
  let kernels: Kernels;
  beforeAll(async () => {
    device = await openTestGpu("least");
    kernels = await loadKernels();
  });

  const twin = (range: Uint8Array): { words: Uint32Array; sampled: number } => {
    const { bytes, call, input, table } = kernels;
    bytes.set(range, input);
    const sampled = call.probeEntropy(input, range.length, table);
    return { words: new Uint32Array(bytes.slice(table, table + 4 * PROBE_WORDS).buffer), sampled };
  };

  const samples = {
    noise: noise(400_000, "probe"),
    text: prose(400_000, "probe"),
    zeros: new Uint8Array(400_000),
    "two letters": letters(400_000, 2),
    "eleven letters": letters(400_000, 11),
    period: Uint8Array.from({ length: 400_000 }, (_, i) => (i % 67) * 3),
  };

  it.each(Object.entries(samples))("equals the CPU kernel: %s", async (_name, data) => {
    const ranges = LENGTHS.map((length, i) => [(i * 1013) % (data.length - length), length] as const);
    const params = Uint32Array.of(ranges.length, 0, 0, 0);
    const table = Uint32Array.from(ranges.flat());
    const room = 4 * (PROBE_WORDS * ranges.length + 10);
    const [probes] = await runShader(device, probeEntropy, [data, table, room, params], [5, 6]);
    for (const [i, [offset, length]] of ranges.entries()) {
      const { words, sampled } = twin(data.subarray(offset, offset + length));
      expect(probes?.subarray(i * PROBE_WORDS, (i + 1) * PROBE_WORDS), `${length} bytes`).toEqual(words);
      expect(sampledBytes(length)).toBe(sampled);
    }
    expect(probes?.subarray(PROBE_WORDS * ranges.length).every((word) => word === POISON)).toBe(true);
  });
});
