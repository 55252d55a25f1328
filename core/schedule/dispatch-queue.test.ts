import fc from "fast-check";
import { expect, it } from "vitest";
import type { HolderClass } from "./dispatch-holders.ts";
import { compareWanted, type Wanted, WantQueue } from "./dispatch-queue.ts";

const CLASSES: readonly HolderClass[] = [[0], [0, 1], [2]].map((edges) => ({ edges, neighbours: new Map() }));

function wantedPack(pack: number, priority: number, deadlineMs: number): Wanted {
  return { pack, priority, deadlineMs, group: undefined, failures: undefined };
}

it("gives packs by priority, deadline and number, whatever comes and goes", () =>
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.constantFrom(5, 10, Number.POSITIVE_INFINITY), fc.nat(2), fc.boolean()), {
        maxLength: 300,
      }),
      (entries) => {
        const queue = new WantQueue();
        const there: Wanted[] = [];
        for (const [pack, [priority, deadlineMs, holders, leaves]] of entries.entries()) {
          const wanted = wantedPack(entries.length - pack, priority, deadlineMs);
          queue.add(wanted, CLASSES[holders] ?? { edges: [], neighbours: new Map() });
          if (leaves) queue.remove(wanted);
          else there.push(wanted);
          queue.tidy();
        }
        expect(queue.count).toBe(there.length);
        const levels = queue.levels.filter(({ groups }) => groups.size > 0);
        expect(queue.topPriority).toBe(levels[0]?.priority ?? -1);
        const taken = levels.flatMap((level) => {
          const packs: Wanted[] = [];
          for (const group of [...level.groups.values()]) {
            let last = -1;
            for (let next = queue.take(group); next !== undefined; next = queue.take(group)) {
              expect(next.pack).toBeGreaterThan(last);
              last = next.pack;
              packs.push(next);
            }
          }
          return packs.sort(compareWanted);
        });
        expect(taken).toEqual(there.sort(compareWanted));
        expect(queue.count).toBe(0);
      },
    ),
  ));

it("gives a pack that was taken and put back once, not twice", () => {
  const queue = new WantQueue();
  const wanted = wantedPack(4, 0, 0);
  const [holders] = CLASSES;
  if (holders === undefined) throw new Error("no class");
  for (let round = 0; round < 3; round++) {
    queue.add(wanted, holders);
    queue.remove(wanted);
  }
  queue.add(wanted, holders);
  const { group } = wanted;
  if (group === undefined) throw new Error("it waits nowhere");
  expect(queue.take(group)).toBe(wanted);
  expect(queue.take(group)).toBeUndefined();
});

it("forgets empty levels once there are many", () => {
  const queue = new WantQueue();
  const [holders] = CLASSES;
  if (holders === undefined) throw new Error("no class");
  const packs = Array.from({ length: 500 }, (_, pack) => wantedPack(pack, 0, pack));
  for (const wanted of packs) queue.add(wanted, holders);
  for (const wanted of packs.slice(0, 400)) queue.remove(wanted);
  queue.tidy();
  expect(queue.levels.map(({ deadlineMs }) => deadlineMs)).toEqual(packs.slice(400).map(({ pack }) => pack));
});
