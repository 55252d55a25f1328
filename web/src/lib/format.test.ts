import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatChange,
  formatCount,
  formatDuration,
  formatEntries,
  formatLimit,
  formatMoment,
  formatPart,
  formatPercent,
  formatPlural,
  formatRate,
  formatRoundTrip,
  formatSpeed,
  nameOf,
  ratioOf,
  splitPath,
} from "./format.ts";

/** No-break spaces read as spaces here. */
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("parts", () => {
  it.each([
    [1.2e9, 2.7e9, "1.20 of 2.70 GB"],
    [980e6, 2.7e9, "980.0 MB of 2.70 GB"],
    [0, 5e6, "0 B of 5.0 MB"],
    [3, 12, "3 of 12 B"],
  ])("of %d in %d are %j", (bytes, totalBytes, text) => {
    expect(plain(formatPart(bytes, totalBytes))).toBe(text);
  });
});

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1536, "2 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [12_340_000, "12.3 MB"],
    [999_960_000, "1.00 GB"],
    [4_300_000_000, "4.30 GB"],
    [1_500_000_000_000, "1.50 TB"],
    [9_007_199_254_740_991, "9007.20 TB"],
  ])("shows %d bytes as %s", (bytes, text) => {
    expect(plain(formatBytes(bytes))).toBe(text);
  });
});

describe("speeds", () => {
  it.each([
    [0, "0.00 MB/s"],
    [1_234_000, "1.23 MB/s"],
    [12_340_000, "12.3 MB/s"],
    [523_400_000, "523 MB/s"],
  ])("shows %d bytes per second as %s", (rate, text) => {
    expect(plain(formatSpeed(rate))).toBe(text);
  });
});

describe("what the dashboard shows of edges", () => {
  it("shows rates without places, and small ones with two digits that say something", () => {
    const shown = [0, 84.4e6, 8.42e6, 0.0812e6, 1234e6, 99.6e6].map((rate) => plain(formatRate(rate)));
    expect(shown).toEqual(["0 MB/s", "84 MB/s", "8.4 MB/s", "0.081 MB/s", "1,234 MB/s", "100 MB/s"]);
  });

  it("shows a ratio as a signed change", () => {
    const shown = [1.12, 0.45, 1, 0.999, 12].map((ratio) => plain(formatChange(ratio)));
    expect(shown).toEqual(["+12 %", "\u221255 %", "0 %", "0 %", "+1,100 %"]);
  });

  it("does not tell very short round trips apart", () => {
    expect([0.2, 18.4, 1204].map((ms) => plain(formatRoundTrip(ms)))).toEqual(["under 1 ms", "18 ms", "1,204 ms"]);
  });
});

describe("durations", () => {
  it.each([
    [0, "0 s"],
    [0.4, "0 s"],
    [8.2, "8 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3600, "1 h"],
    [7500, "2 h 5 min"],
    [273_600, "3 d 4 h"],
    [-5, "0 s"],
  ])("shows %d seconds as %s", (seconds, text) => {
    expect(plain(formatDuration(seconds))).toBe(text);
  });
});

describe("counts and shares", () => {
  it("groups thousands and picks the right number of the word", () => {
    expect(formatCount(100_000)).toBe("100,000");
    expect(plain(formatPlural(1, "file"))).toBe("1 file");
    expect(plain(formatPlural(0, "file"))).toBe("0 files");
    expect(plain(formatPlural(1200, "entry", "entries"))).toBe("1,200 entries");
    expect(plain(formatEntries(12, 1))).toBe("12 files and 1 empty folder");
    expect(plain(formatEntries(1, 0))).toBe("1 file");
    expect(plain(formatEntries(0, 2))).toBe("2 empty folders");
  });

  it("shows 100 % only when every byte is done", () => {
    expect(plain(formatPercent(ratioOf(999_999, 1_000_000, false)))).toBe("99 %");
    expect(plain(formatPercent(ratioOf(1_000_000, 1_000_000, false)))).toBe("100 %");
  });

  it("counts an empty transfer as whole only at its end", () => {
    expect(ratioOf(0, 0, false)).toBe(0);
    expect(ratioOf(0, 0, true)).toBe(1);
  });

  it("never leaves the range from 0 to 1", () => {
    expect(ratioOf(12, 10, false)).toBe(1);
    expect(ratioOf(-1, 10, false)).toBe(0);
  });
});

describe("moments and paths", () => {
  it("shows a moment with its day and a 24-hour time", () => {
    const noon = new Date(2026, 2, 5, 13, 7).getTime();
    expect(formatMoment(noon)).toContain("13:07");
    expect(formatMoment(noon)).toContain("Mar");
  });

  it("splits a path so that a name's end can stay", () => {
    expect(splitPath("a/b/c.txt")).toEqual({ folder: "a/b/", head: "", tail: "c.txt" });
    expect(splitPath("shard-0000123.parquet")).toEqual({ folder: "", head: "shard-000", tail: "0123.parquet" });
  });

  it.each([
    "a/b/c.txt",
    "",
    "x/",
    "e\u0301".repeat(40),
    "photo \u{1F469}\u200D\u{1F680}\u{1F469}\u200D\u{1F680} of the whole crew.jpg",
  ])("loses nothing of %j in splitting", (path) => {
    const { folder, head, tail } = splitPath(path);
    expect(folder + head + tail).toBe(path);
    expect(tail).not.toMatch(/^[\u0301\u200D]/);
  });

  it("takes the name off a path, and the zeros off a limit", () => {
    expect(nameOf("a/b/c.txt")).toBe("c.txt");
    expect(nameOf("c.txt")).toBe("c.txt");
    expect(plain(formatLimit(100e9))).toBe("100 GB");
    expect(plain(formatLimit(1_500_000_000))).toBe("1.50 GB");
  });
});
