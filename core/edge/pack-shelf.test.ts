import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { GIB, SEALED_PACK_BYTES } from "../units.ts";
import type { SealedObject } from "../wire/object.ts";
import { PackShelf, SHELF_BYTES, SMALL_SHELF_BYTES, shelfBytes } from "./pack-shelf.ts";

const MEMORY = noise(SEALED_PACK_BYTES, "pack");

/** A pack of which only the first bytes are looked at. */
function pack(index: number, length = SEALED_PACK_BYTES): SealedObject {
  const header = { kind: "pack" as const, final: length < SEALED_PACK_BYTES, index, length, hash: noise(32, index) };
  return { header, bytes: MEMORY.subarray(0, length) };
}

function openShelf(places: number): PackShelf {
  const shelf = new PackShelf(places * SEALED_PACK_BYTES);
  shelf.open();
  return shelf;
}

describe("the shelf", () => {
  it("[PEER-12] holds nothing while nobody is there, and lets go of everything when everybody left", () => {
    const shelf = new PackShelf();
    shelf.put(pack(1));
    expect(shelf.held.count).toBe(0);
    shelf.open();
    shelf.put(pack(1));
    expect(shelf.held.toArray()).toEqual([1, 2]);
    shelf.shut();
    shelf.put(pack(2));
    expect(shelf.held.count).toBe(0);
    expect(shelf.lend(1)).toBeUndefined();
  });

  it("[PEER-12] copies what it is given", () => {
    const shelf = openShelf(2);
    const object = { header: { ...pack(3, 5000).header }, bytes: noise(5000, "fresh") };
    shelf.put(object);
    object.bytes.fill(0);
    object.header.hash.fill(0);
    const lent = shelf.lend(3);
    expect(lent?.object.bytes).toEqual(noise(5000, "fresh"));
    expect(lent?.object.header).toEqual(pack(3, 5000).header);
  });

  it("[PEER-12] keeps those that were used last, and tells what it holds", () => {
    const shelf = openShelf(3);
    let told = 0;
    const stop = shelf.onChange(() => {
      told += 1;
    });
    for (const index of [1, 2, 3]) shelf.put(pack(index));
    shelf.lend(1)?.giveBack();
    shelf.put(pack(2));
    const before = shelf.held;
    expect(before.toArray()).toEqual([1, 4]);
    shelf.put(pack(4));
    expect(shelf.held.toArray()).toEqual([1, 3, 4, 5]);
    expect(before.toArray()).toEqual([1, 4]);
    expect(told).toBe(4);
    stop();
    shelf.put(pack(5));
    expect(told).toBe(4);
    expect(shelf.held.toArray()).toEqual([2, 3, 4, 6]);
  });

  it("keeps those that will be wanted when others have to go, and these too when there is nothing else", () => {
    const shelf = openShelf(3);
    for (const index of [1, 2, 3]) shelf.put(pack(index));
    shelf.favour(new Set([1, 3]));
    shelf.put(pack(4));
    expect(shelf.held.toArray()).toEqual([1, 2, 3, 5]);
    shelf.favour(new Set([1, 3, 4]));
    shelf.put(pack(5));
    expect(shelf.held.toArray()).toEqual([3, 6]);
  });

  it("[PEER-12] never writes over a pack that is lent, and takes nothing more while all are", () => {
    const shelf = openShelf(2);
    shelf.put(pack(1));
    shelf.put(pack(2));
    const [one, two] = [shelf.lend(1), shelf.lend(2)];
    shelf.put(pack(3));
    expect(shelf.held.toArray()).toEqual([1, 3]);
    two?.giveBack();
    shelf.put(pack(3));
    expect(shelf.held.toArray()).toEqual([1, 2, 3, 4]);
    expect(one?.object.header.index).toBe(1);
    one?.giveBack();
  });

  it("[PEER-12] counts what was lent when it was shut until that is given back", () => {
    const shelf = openShelf(2);
    shelf.put(pack(1));
    const lent = shelf.lend(1);
    shelf.shut();
    shelf.open();
    shelf.put(pack(2));
    shelf.put(pack(3));
    expect(shelf.held.count).toBe(1);
    expect(lent?.object.bytes.subarray(0, 9)).toEqual(MEMORY.subarray(0, 9));
    lent?.giveBack();
    shelf.put(pack(4));
    expect(shelf.held.count).toBe(2);
  });

  it("holds no pages", () => {
    const shelf = openShelf(2);
    const { header, bytes } = pack(1, 16_384);
    shelf.put({ header: { ...header, kind: "page" }, bytes });
    expect(shelf.held.count).toBe(0);
  });

  it("[PEER-12] has 128 MiB, and 64 on a device with little memory", () => {
    expect([undefined, 8, 4.5].map((gib) => shelfBytes(gib && gib * GIB))).toEqual(Array(3).fill(SHELF_BYTES));
    expect([4, 2, 0.25].map((gib) => shelfBytes(gib * GIB))).toEqual(Array(3).fill(SMALL_SHELF_BYTES));
    expect([SHELF_BYTES, SMALL_SHELF_BYTES]).toEqual([2 ** 27, 2 ** 26]);
  });

  it("[PEER-12] never holds more than it may, whatever is put, lent, given back or shut", () => {
    const step = fc.tuple(fc.constantFrom("put", "lend", "giveBack", "shut"), fc.integer({ min: 0, max: 5 }));
    return fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const shelf = openShelf(3);
        const lent: { giveBack(): void }[] = [];
        for (const [what, index] of steps) {
          if (what === "put") shelf.put(pack(index, 100));
          else if (what === "shut") {
            shelf.shut();
            shelf.open();
          } else if (what === "giveBack") lent.splice(index, 1)[0]?.giveBack();
          else {
            const taken = shelf.lend(index);
            if (taken !== undefined) lent.push(taken);
            expect(taken !== undefined).toBe(shelf.held.has(index));
          }
          expect(shelf.held.count).toBeLessThanOrEqual(3);
        }
      }),
      { numRuns: 50 },
    );
  });
});
