import { describe, expect, it } from "vitest";
import { MIB } from "../units.ts";
import { CodecChoice, type CodecSample } from "./codec-choice.ts";

const PACK = 4 * MIB;

/** One pack in the time that `megabytesPerSecond` needs for it. */
function wait(choice: CodecChoice, megabytesPerSecond: number, packs = 1): void {
  for (let i = 0; i < packs; i++) choice.networkBound(PACK, PACK / megabytesPerSecond / 1000);
}

/** A batch that shrank to half at the rates of an undisturbed core; `slowness` multiplies its times. */
function sample(codec: CodecSample["codec"], slowness = 1): CodecSample {
  const [plainBytes, compressed] = [PACK, codec !== "none"];
  return {
    codec,
    plainBytes,
    shrunkBytes: compressed ? plainBytes : 0,
    storedBytes: compressed ? plainBytes / 2 : plainBytes,
    scanMs: slowness * (plainBytes / 600e3),
    compressMs: compressed ? slowness * (plainBytes / (codec === "lz4" ? 450e3 : 250e3)) : 0,
  };
}

describe("the choice of a codec while sending", () => {
  it("is none until the network was waited for", () => {
    const choice = new CodecChoice();
    expect(choice.current).toBe("none");
    choice.record(sample("none"));
    choice.networkFree();
    expect(choice.current).toBe("none");
  });

  it("is Zstandard on a slow line at once, and none on a fast one", () => {
    const slow = new CodecChoice();
    wait(slow, 12);
    expect(slow.current).toBe("zstd");
    const fast = new CodecChoice();
    wait(fast, 1200);
    expect(fast.current).toBe("none");
  });

  it("is not changed by batches that were disturbed", () => {
    const choice = new CodecChoice();
    wait(choice, 50);
    for (let i = 0; i < 8; i++) choice.record(sample("zstd", 6));
    expect(choice.current).toBe("zstd");
  });

  it("finds back soon from an estimate that was far too high", () => {
    const choice = new CodecChoice();
    wait(choice, 1200);
    for (let i = 0; i < 40; i++) choice.networkFree();
    wait(choice, 20, 4);
    expect(choice.current).toBe("zstd");
  });

  it("lets go of a codec when the network keeps up for long", () => {
    const choice = new CodecChoice();
    wait(choice, 20);
    for (let i = 0; i < 20; i++) choice.networkFree();
    expect(choice.current).toBe("zstd");
    for (let i = 0; i < 120; i++) choice.networkFree();
    expect(choice.current).toBe("none");
  });

  it("is none for data that does not shrink", () => {
    const choice = new CodecChoice();
    wait(choice, 12);
    const useless = { ...sample("zstd"), shrunkBytes: 0, storedBytes: PACK, compressMs: 1 };
    for (let i = 0; i < 30; i++) choice.record(useless);
    for (let i = 0; i < 30; i++) choice.record({ ...useless, codec: "lz4" });
    expect(choice.current).toBe("none");
  });

  it("does not take a glance at incompressible bytes for the speed of the codec", () => {
    const choice = new CodecChoice();
    wait(choice, 300);
    for (let i = 0; i < 20; i++)
      choice.record({ ...sample("zstd"), shrunkBytes: PACK / 100, storedBytes: PACK, compressMs: 0.2 });
    expect(choice.current).toBe("none");
  });
});
