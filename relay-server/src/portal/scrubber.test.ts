import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../../../core/failure.ts";
import type { PlacedObject, Store } from "../store/store.ts";
import type { Portals } from "./portals.ts";
import { Scrubber, type ScrubberOptions } from "./scrubber.ts";

const PERIOD_MS = 100_000;

/** A store of so many packs that only lists; `checked` holds the places that the scrubber read. */
class Shelf {
  readonly checked: number[] = [];
  readonly passes: number[] = [];
  readonly bugs: unknown[] = [];
  readonly results: string[] = [];
  saved = 0;
  count: number;
  listing: () => void = () => {};
  check: (place: number) => boolean = () => true;

  constructor(count: number) {
    this.count = count;
  }

  scrubber(): Scrubber {
    const store: Pick<Store, "objectsAfter" | "scrubRange" | "saveScrubPlace" | "usage"> = {
      objectsAfter: async (from, to, limit) => {
        this.listing();
        const places = Array.from({ length: this.count }, (_, i) => i + 1).filter((n) => n > from && n <= to);
        return places
          .slice(0, limit)
          .map((place) => ({ place, kind: "pack", index: place, length: 10 }) as PlacedObject);
      },
      scrubRange: async () => ({ from: this.saved, to: this.count }),
      saveScrubPlace: async (place) => {
        this.saved = place;
      },
      usage: () => ({ portals: 1, bytes: this.count * 10 }),
    };
    const portals: Pick<Portals, "check"> = {
      check: async (_key, _kind, index) => {
        this.checked.push(index);
        return this.check(index);
      },
    };
    const options: ScrubberOptions = {
      store: store as Store,
      portals: portals as Portals,
      periodMs: PERIOD_MS,
      onChecked: (result) => this.results.push(result),
      onPass: ({ objects }) => this.passes.push(objects),
      onBug: (error) => this.bugs.push(error),
    };
    return new Scrubber(options);
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** Lets time pass in steps, each with its turn of the event loop. */
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 100) {
    await vi.advanceTimersByTimeAsync(100);
    await new Promise(setImmediate);
  }
}

describe("a scrubber", () => {
  it("[RELAY-39] spreads a pass over its period, and begins again", async () => {
    const shelf = new Shelf(100);
    const scrubber = shelf.scrubber();
    scrubber.start();
    await pass(PERIOD_MS / 2);
    expect(shelf.checked.length).toBeGreaterThan(40);
    expect(shelf.checked.length).toBeLessThan(60);
    await pass(PERIOD_MS);
    expect(shelf.passes).toEqual([100]);
    expect(shelf.checked.slice(0, 102)).toEqual([...Array.from({ length: 100 }, (_, i) => i + 1), 1, 2]);
    await scrubber.stop();
  });

  it("[RELAY-39] goes on where it was after a restart, and takes new objects in the next pass", async () => {
    const shelf = new Shelf(100);
    const first = shelf.scrubber();
    first.start();
    await pass(PERIOD_MS * 0.9);
    await first.stop();
    expect(shelf.saved).toBeGreaterThan(50);
    const [last, before] = [shelf.saved, shelf.checked.length];
    shelf.count = 110;
    const second = shelf.scrubber();
    second.start();
    await pass(PERIOD_MS * 0.2);
    expect(shelf.checked[before]).toBe(last + 1);
    await pass(PERIOD_MS * 0.5);
    expect(shelf.passes).toEqual([110 - last]);
    await second.stop();
  });

  it("stops at once, however long it would rest", async () => {
    const shelf = new Shelf(2);
    const scrubber = shelf.scrubber();
    scrubber.start();
    await pass(1000);
    await scrubber.stop();
    expect(shelf.checked).toEqual([1]);
  });

  it("reads the others when one cannot be read, and tries again when the store cannot list", async () => {
    const shelf = new Shelf(3);
    shelf.check = (place) => {
      if (place === 1) throw new Failure("relay/storage");
      if (place === 2) throw new Failure("object/absent");
      return false;
    };
    shelf.listing = () => {
      shelf.listing = () => {};
      throw new Failure("relay/storage");
    };
    const scrubber = shelf.scrubber();
    scrubber.start();
    await pass(PERIOD_MS * 2);
    expect(shelf.bugs).toHaveLength(1);
    expect(shelf.results.slice(0, 2)).toEqual(["unreadable", "damaged"]);
    expect(shelf.passes[0]).toBe(2);
    await scrubber.stop();
  });

  it("reads everything at once when it is asked to", async () => {
    const shelf = new Shelf(1000);
    shelf.check = (place) => place % 10 !== 0;
    expect(await shelf.scrubber().pass()).toEqual({ objects: 1000, damaged: 100 });
  });
});
