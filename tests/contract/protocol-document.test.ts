import { describe, expect, it } from "vitest";
import { cutRule, cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import { GEAR } from "../../core/chunk/gear.ts";
import { FAILURES } from "../../core/failure.ts";
import * as units from "../../core/units.ts";
import { readText } from "../tidy/repository.ts";

const document = readText("docs/protocol.md");

/** Cells of the table rows that match, first column first. */
function rows(pattern: RegExp): string[][] {
  return document
    .split("\n")
    .filter((line) => pattern.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe("docs/protocol.md", () => {
  it("[WIRE-7] has the failures of core/failure.ts, with their numbers, in order", () => {
    const expected = Object.entries(FAILURES).map(([code, { wire, status, retry }]) => [
      String(wire),
      `\`${code}\``,
      String(status),
      retry ? "yes" : "",
    ]);
    expect(rows(/^\| \d+ \| `[a-z/-]+` \| \d+ \|/)).toEqual(expected);
    expect(expected.map(([wire]) => Number(wire))).toEqual(expected.map((_, i) => i + 1));
  });

  it("has the constants of core/units.ts", () => {
    const told = rows(/^\| `[A-Z_]+` \|/).map(([name = "", value = ""]) => [
      name.slice(1, -1),
      Number(value.replaceAll(",", "")),
    ]);
    const { KIB, MIB, GIB, ...constants } = units;
    expect(Object.fromEntries(told)).toEqual(constants);
    expect([KIB, MIB, GIB]).toEqual([2 ** 10, 2 ** 20, 2 ** 30]);
    expect(document).toContain("P = 4,194,076");
  });

  it("has the sizes of chunks that are cut", () => {
    const size = (bytes: number) => (bytes >= units.MIB ? `${bytes / units.MIB} MiB` : `${bytes / units.KIB} KiB`);
    const expected = [units.GIB, 50 * units.GIB, 500 * units.GIB].map((totalBytes) => {
      const sizes = cutSizesFor(totalBytes);
      const { strictBits, looseBits, normalBytes } = cutRule(sizes);
      const { minBytes, averageBytes, maxBytes } = sizes;
      return [size(minBytes), size(averageBytes), size(maxBytes), `${strictBits}, ${looseBits}`, size(normalBytes)];
    });
    expect(rows(/^\| (up to \d+ GiB|more) \|/).map((cells) => cells.slice(1))).toEqual(expected);
    expect(GEAR.length).toBe(256);
  });
});
