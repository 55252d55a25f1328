import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { effortMs, sequence, withoutStacks } from "../../tests/support/fake-effort.ts";
import { Failure } from "../failure.ts";
import { decodeCanonical, encodeCanonical, MAX_DEPTH } from "./codec.ts";

const LIMITS = { maxBytes: 65_536, malformed: "wire/malformed", tooLarge: "wire/too-large" } as const;

function codeOf(bytes: Uint8Array): string {
  try {
    decodeCanonical(bytes, LIMITS);
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

function text(value: string): string {
  return Buffer.from(encode(value)).toString("hex");
}

describe("canonical MessagePack", () => {
  it("[WIRE-1] gives back what was encoded", () => {
    const scalar = fc.oneof(
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.string({ unit: "binary" }).filter((value) => value.isWellFormed()),
      fc.uint8Array({ maxLength: 300 }),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 3 }, scalar, tie("list"), tie("map")),
      list: fc.array(tie("any"), { maxLength: 4 }),
      map: fc.dictionary(
        fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== "__proto__"),
        tie("any"),
        {
          maxKeys: 4,
          noNullPrototype: true,
        },
      ),
    })).any;
    fc.assert(
      fc.property(value, (plain) => {
        const encoded = encodeCanonical(plain);
        expect(decodeCanonical(encoded, LIMITS)).toEqual(Object.is(plain, -0) ? 0 : plain);
        expect(encoded.buffer.byteLength).toBe(encoded.length);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ["nothing", ""],
    ["bytes after the value", "c0 c0"],
    ["an integer longer than needed", "cc 01"],
    ["a negative integer longer than needed", "d0 ff"],
    ["a 16-bit integer that fits 8", "cd 00 ff"],
    ["a 64-bit integer that fits 32", "cf 00 00 00 00 ff ff ff ff"],
    ["an integer past 2^53", "cf ff ff ff ff ff ff ff ff"],
    ["2^53 exactly", "cf 00 20 00 00 00 00 00 00"],
    ["a negative integer past -2^53", "d3 80 00 00 00 00 00 00 00"],
    ["negative zero", "cb 80 00 00 00 00 00 00 00"],
    ["an integer as a double", "cb 3f f0 00 00 00 00 00 00"],
    ["a single-precision number", "ca 3f c0 00 00"],
    ["a key twice", "82 a1 61 01 a1 61 02"],
    ["a number as a key", "81 01 01"],
    ["nothing as a key", "81 c0 01"],
    ["a list as a key", "81 90 01"],
    ["__proto__ as a key", `81 ${text("__proto__")} 80`],
    ["an extension", "d4 01 00"],
    ["a timestamp", "d6 ff 00 00 00 00"],
    ["the reserved byte", "c1"],
    ["a string longer than needed", "d9 01 61"],
    ["bytes with a length too long", "c5 00 01 61"],
    ["an array with a length too long", "dc 00 01 c0"],
    ["a map with a length too long", "de 00 01 a1 61 c0"],
    ["text that is not UTF-8", "a2 c3 28"],
    ["overlong text", "a2 c0 80"],
    ["a string of 4 GiB", "db ff ff ff ff 61"],
    ["bytes of 4 GiB", "c6 ff ff ff ff 00"],
    ["an array of 4 G entries", "dd ff ff ff ff c0"],
    ["a map of 4 G entries", "df ff ff ff ff c0"],
    ["a cut string", "a5 61 62"],
    ["a cut array", "93 01 02"],
    ["a cut integer", "ce 00 01"],
  ])("[WIRE-2] refuses %s", (_what, hex) => {
    expect(codeOf(bytes(hex))).toBe("wire/malformed");
  });

  it("[WIRE-2] refuses a map with more fields than any message has", () => {
    const fields = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i]));
    expect(codeOf(encode(fields))).toBe("wire/malformed");
  });

  it("[WIRE-3] refuses nesting before it descends", () => {
    const nested = (depth: number) => Uint8Array.from([...Array<number>(depth).fill(0x91), 0xc0]);
    expect(codeOf(nested(MAX_DEPTH))).toBe("accepted");
    expect(codeOf(nested(MAX_DEPTH + 1))).toBe("wire/malformed");
    expect(codeOf(nested(60_000))).toBe("wire/malformed");
    expect(codeOf(Uint8Array.from([...Array<number>(60_000).fill(0x81), 0xc0]))).toBe("wire/malformed");
  });

  it("[WIRE-3] refuses more lists and maps than its bytes could be entries", () => {
    const lists = (count: number, each: readonly number[]) =>
      encodeCanonical(Array.from({ length: count }, () => each));
    expect(codeOf(lists(256, []))).toBe("accepted");
    expect(codeOf(lists(400, []))).toBe("wire/malformed");
    expect(codeOf(lists(2000, [1, 2, 3]))).toBe("wire/malformed");
    expect(codeOf(lists(2000, [1, 2, 3, 4]))).toBe("accepted");
    expect(codeOf(encodeCanonical(Array.from({ length: 400 }, () => ({}))))).toBe("wire/malformed");
  });

  it("[WIRE-3] refuses an input above the limit without looking at it", () => {
    expect(codeOf(new Uint8Array(65_537))).toBe("wire/too-large");
  });

  it("[WIRE-4] survives 200,000 hostile inputs: only failures, none slow, nothing left behind", () => {
    const random = sequence(1);
    const seeds = [
      encodeCanonical({ t: "want", kind: "pack", index: 7 }),
      encodeCanonical({ t: "hello", v: 1, portal: new Uint8Array(16), role: "send", token: new Uint8Array(32) }),
      encodeCanonical({ a: [1, [2, [3, { b: null }]]], c: "text", d: new Uint8Array(40) }),
    ];
    withoutStacks(() => {
      for (let run = 0; run < 200_000; run++) {
        const input = mutate(seeds[run % seeds.length] as Uint8Array, random);
        const before = performance.now();
        const code = codeOf(input);
        const isSlow = performance.now() - before > 50 && effortMs(() => codeOf(input)) > 50;
        if (isSlow || (code !== "accepted" && code !== "wire/malformed"))
          throw new Error(`${isSlow ? "slow" : code} for ${Buffer.from(input).toString("hex")}`);
      }
    });
    expect(Object.keys(Object.prototype)).toEqual([]);
  }, 120_000);

  it.each([
    ["nils", Uint8Array.from([0xdc, 0xff, 0x00, ...Array<number>(0xff00).fill(0xc0)])],
    ["empty maps", Uint8Array.from([0xdc, 0xff, 0x00, ...Array<number>(0xff00).fill(0x80)])],
    ["a long list in a list", Uint8Array.from([0x91, 0xdc, 0xff, 0x00, ...Array<number>(0xff00).fill(0x01)])],
    ["a map of numbers", Uint8Array.from([0xde, 0x7f, 0x00, ...Array<number>(0xfe00).fill(0x01)])],
  ])("[WIRE-4] takes less than 50 ms for a full frame of %s", (_what, input) => {
    expect(effortMs(() => codeOf(input))).toBeLessThan(50);
  });
});

/** Flips, cuts, repeats or replaces bytes of `seed`. */
function mutate(seed: Uint8Array, random: () => number): Uint8Array {
  if (random() % 8 === 0) return Uint8Array.from({ length: random() % 48 }, () => random());
  const out = Array.from(seed);
  for (let count = 1 + (random() % 4); count > 0; count--) {
    const at = random() % (out.length + 1);
    switch (random() % 4) {
      case 0:
        out[at] = random() & 255;
        break;
      case 1:
        out.splice(at, 1 + (random() % 8));
        break;
      case 2:
        out.splice(at, 0, ...out.slice(at, at + (random() % 16)));
        break;
      default:
        out[at] = (out[at] ?? 0) ^ (1 << (random() % 8));
    }
  }
  return Uint8Array.from(out);
}
