/**
 * What every store of the relay promises to senders that want the same portal, and to a scrubber.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import type { SealedObject } from "../../core/wire/object.ts";
import { random, sealed } from "../integration/relay-client.ts";
import {
  codeOf,
  newPortal,
  PACK,
  PAGE,
  readObject,
  receiveAll,
  type StoreSubject,
  storeObject,
} from "./store-suite.ts";

/** @param open makes an empty store with LIMITS */
export function describeLeases(name: string, open: () => Promise<StoreSubject>): void {
  describe(name, () => {
    it("[RELAY-35] gives each lease once, and keeps it over a restart", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const racers = Array.from({ length: 20 }, () => codeOf(subject.store.takeLease(portal.key, 2)));
      const outcomes = await Promise.all(racers);
      expect(outcomes.filter((code) => code === "nothing failed")).toHaveLength(1);
      expect(outcomes.filter((code) => code === "portal/lease-lost")).toHaveLength(19);
      const store = await subject.reopen();
      expect((await store.loadPortal(portal.key))?.lease).toBe(2);
      expect(await codeOf(store.takeLease(portal.key, 2))).toBe("portal/lease-lost");
      await store.takeLease(portal.key, 3);
      await store.endPortal(portal.key, 5_000_000, "owner");
      expect(await codeOf(store.takeLease(portal.key, 4))).toBe("portal/expired");
    });

    it.each([
      ["small", PAGE()],
      ["full", PACK()],
    ])(
      "[RELAY-36] stores no %s object whose lease was lost while it came, and no such commitment",
      async (_name, object) => {
        await using subject = await open();
        const { store } = subject;
        const portal = newPortal();
        await store.createPortal(portal);
        const incoming = await receiveAll(store, portal, object, 1);
        await store.takeLease(portal.key, 2);
        expect(await codeOf(incoming.store())).toBe("portal/lease-lost");
        expect(await codeOf(store.open(portal.key, object.header.kind, 0))).toBe("object/absent");
        expect(store.usage().bytes).toBe(0);
        const commitment = { packs: 0, pages: 0, root: random(32) };
        expect(await codeOf(store.commitPortal(portal.key, commitment, 1))).toBe("portal/lease-lost");
        expect((await store.loadPortal(portal.key))?.commitment).toBeNull();
        await (await receiveAll(store, portal, object, 2)).store();
        await readObject(store, portal, object);
        await store.commitPortal(portal.key, commitment, 2);
      },
    );

    it("[RELAY-39] lists every object once in a steady order, and remembers a place in it", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const objects = [PAGE(), sealed("pack", 2, 20_000, true), sealed("pack", 0, 300, true), sealed("page", 4, 70)];
      for (const object of objects.slice(0, 3)) await storeObject(subject.store, portal, object);
      const { from, to } = await subject.store.scrubRange();
      expect(from).toBe(0);
      await storeObject(subject.store, portal, objects[3] as SealedObject);
      const first = await subject.store.objectsAfter(0, to, 2);
      const [, second] = first;
      await subject.store.saveScrubPlace(second?.place ?? 0);
      const store = await subject.reopen();
      const range = await store.scrubRange();
      expect(range.from).toBe(second?.place);
      const rest = await store.objectsAfter(range.from, range.to, 10);
      const told = [...first, ...rest].map(({ key, kind, index, length }) => ({ key, kind, index, length }));
      const expected = objects.map(({ header: { kind, index, length } }) => ({ key: portal.key, kind, index, length }));
      expect(told).toEqual(expected);
      expect(await store.objectsAfter(range.to, range.to, 10)).toEqual([]);
      expect(await store.objectsAfter(0, to, 10)).toHaveLength(3);
    });
  });
}
