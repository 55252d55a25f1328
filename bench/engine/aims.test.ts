import { describe, expect, it } from "vitest";
import { aimsOf } from "./aims.ts";
import type { Row, Subject } from "./contest.ts";
import { repeatedTo } from "./data.ts";

function row(subject: Subject, wall: number, device?: number): Row {
  return { ...subject, wall, device, samples: [] };
}

const ROWS = [
  row({ part: "stage", name: "hash, 64 KiB slices", data: "random" }, 100_000, 310_000),
  row({ part: "stage", name: "compress-lz4", data: "text", smaller: 2.7, smallerByProgram: 3 }, 9_000),
  row({ part: "copy", name: "upload + readback", mib: 1, inFlight: 1 }, 4_000),
  row({ part: "copy", name: "upload + readback", mib: 16, inFlight: 2 }, 8_000),
  row({ part: "pipeline", name: "cut + hash", mib: 1, inFlight: 1 }, 500),
  row({ part: "pipeline", name: "cut + hash", mib: 16, inFlight: 1 }, 3_000),
  row({ part: "pipeline", name: "cut + hash", mib: 16, inFlight: 2 }, 6_000),
  row({ part: "cpu", name: "cut + hash", data: "text" }, 1_000),
  row({ part: "cpu", name: "hash, 1 MiB slices", data: "random" }, 1_500),
  row({ part: "cpu", name: "hash, blake3-jit", data: "random" }, 1_000),
  row({ part: "cpu", name: "hash, hash-wasm", data: "random" }, 500),
];

function verdictOf(what: string, isHardware = true): [number | undefined, string] | undefined {
  const aim = aimsOf(ROWS, isHardware).find((each) => each.what === what);
  return aim && [aim.value, aim.verdict];
}

describe("aims of the engine bench", () => {
  it("take the device's clock where there is one, and the best row against its own copies", () => {
    expect(verdictOf("GPU: hash, GB/s")).toEqual([310, "met"]);
    expect(verdictOf("GPU: LZ4, text, GB/s")).toEqual([9, "NOT MET"]);
    expect(verdictOf("GPU: LZ4, text, ratio / lz4 -1")?.[0]).toBeCloseTo(0.9);
    expect(verdictOf("GPU: host to cuts and digests, GB/s")).toEqual([6, "met"]);
    expect(verdictOf("GPU: the same / copy limit")).toEqual([0.75, "met"]);
    expect(verdictOf("GPU: cut + hash / one CPU thread, from 1 MiB up")).toEqual([0.5, "NOT MET"]);
    expect(verdictOf("CPU: BLAKE3 / best package")).toEqual([1.5, "met"]);
  });

  it("are not judged without a row, nor those of a GPU without one", () => {
    expect(verdictOf("CPU: BLAKE3 / b3sum on one thread")).toEqual([undefined, "not judged"]);
    expect(verdictOf("GPU: cut candidates, GB/s")).toEqual([undefined, "not judged"]);
    expect(verdictOf("GPU: hash, GB/s", false)).toEqual([310, "not judged"]);
    expect(verdictOf("CPU: BLAKE3 / best package", false)).toEqual([1.5, "met"]);
  });
});

describe("data of the engine bench", () => {
  it("is repeated to any length", () => {
    expect([...repeatedTo(Uint8Array.of(1, 2, 3), 7)]).toEqual([1, 2, 3, 1, 2, 3, 1]);
    expect([...repeatedTo(Uint8Array.of(1, 2, 3), 2)]).toEqual([1, 2]);
  });
});
