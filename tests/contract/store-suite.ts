/**
 * What every store of the relay promises, as one suite.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import { Failure } from "../../core/failure.ts";
import type { Capability } from "../../core/portal/portal.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { linkKey, portalKey, toHex } from "../../relay-server/src/bytes.ts";
import type { LinkEntry } from "../../relay-server/src/store/access.ts";
import type { IncomingObject, NewPortal, Store } from "../../relay-server/src/store/store.ts";
import { random, sealed } from "../integration/relay-client.ts";

/** A store under test, which can be closed and opened again. */
export interface StoreSubject extends AsyncDisposable {
  readonly store: Store;
  /** Closes the store and opens it again over the same data. */
  reopen(): Promise<Store>;
}

/** Limits that a subject is made with. */
export interface StoreLimits {
  readonly maxPortalBytes: number;
  readonly maxStoreBytes: number;
  readonly maxPortals: number;
}

export const LIMITS: StoreLimits = { maxPortalBytes: 10 * 2 ** 20, maxStoreBytes: 14 * 2 ** 20, maxPortals: 3 };

export function newPortal(changes: Partial<NewPortal> = {}): NewPortal {
  return {
    key: portalKey(random(16)),
    kind: "send",
    requestHash: random(32),
    ownerTokenHash: random(32),
    maxDownloads: 3,
    expirySeconds: 3600,
    idleSeconds: null,
    createdAtMs: 1_000_000,
    expiresAtMs: 4_600_000,
    links: [newLink("read")],
    isPartial: false,
    delivery: null,
    ...changes,
  };
}

export function newLink(capability: Capability, changes: Partial<LinkEntry> = {}): LinkEntry {
  return {
    link: linkKey(random(16)),
    capability,
    tokenHash: random(32),
    keyCommitment: random(32),
    grant: random(60),
    password: { algorithm: "argon2id", memory: 65_536, iterations: 3, parallelism: 1 },
    maxUses: null,
    notBeforeMs: null,
    expiresAtMs: null,
    ...changes,
  };
}

/** Receives and stores an object whose hash is right. */
export async function storeObject(store: Store, portal: NewPortal, object: SealedObject): Promise<void> {
  const incoming = await receiveAll(store, portal, object);
  await incoming.store();
}

export async function receiveAll(
  store: Store,
  portal: NewPortal,
  { header, bytes }: SealedObject,
  lease = 1,
): Promise<IncomingObject> {
  const incoming = await store.receive(portal.key, header, lease);
  const half = bytes.length >> 1;
  await incoming.append([bytes.subarray(0, half)]);
  await incoming.append([bytes.subarray(half), new Uint8Array(0)]);
  return incoming;
}

/** Reads an object whole, in two uneven reads. */
export async function readObject(store: Store, portal: NewPortal, { header }: SealedObject): Promise<Uint8Array> {
  const source = await store.open(portal.key, header.kind, header.index);
  const out = new Uint8Array(source.header.length);
  const views = [out.subarray(0, 10), out.subarray(10, 25)];
  await source.read(views, 0);
  await source.read([out.subarray(25)], 25);
  source.close();
  expect(source.header).toEqual(header);
  return out;
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing failed",
    (error: unknown) => (error instanceof Failure ? error.code : `no failure: ${String(error)}`),
  );
}

export const PAGE = () => sealed("page", 0, 300);
export const PACK = (index = 0) => sealed("pack", index, 4 * 2 ** 20);

/** @param open makes an empty store with LIMITS */
export function describeStore(name: string, open: () => Promise<StoreSubject>): void {
  describe(name, () => {
    it("[RELAY-4] creates a portal once and gives it back as it was", async () => {
      await using subject = await open();
      const portal = newPortal();
      expect(await subject.store.loadPortal(portal.key)).toBeUndefined();
      expect((await subject.store.createPortal(portal)).created).toBe(true);
      const again = await subject.store.createPortal({ ...portal, createdAtMs: 2_000_000, expiresAtMs: 9_000_000 });
      expect(again.created).toBe(false);
      expect(again.portal.expiresAtMs).toBe(portal.expiresAtMs);
      expect(await codeOf(subject.store.createPortal({ ...portal, requestHash: random(32) }))).toBe("portal/taken");
      const links = portal.links.map((link) => ({ ...link, uses: 0, createdAtMs: 1_000_000 }));
      const fresh = { downloads: 0, bytes: 0, lease: 1, commitment: null, endedAtMs: null, endReason: null };
      const expected = { ...portal, ...fresh, usedAtMs: 1_000_000, isPaused: false, links };
      expect(await (await subject.reopen()).loadPortal(portal.key)).toEqual(expected);
    });

    it.each([
      ["small", PAGE()],
      ["full", PACK()],
      ["last and odd", sealed("pack", 7, 123_457, true)],
    ])("[RELAY-8] keeps a %s object over a restart", async (_name, object) => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      await storeObject(subject.store, portal, object);
      const store = await subject.reopen();
      expect(Buffer.compare(await readObject(store, portal, object), object.bytes)).toBe(0);
      const { kind, index } = object.header;
      expect(await store.heldIndexes(portal.key, kind)).toEqual([index]);
      expect(await store.find(portal.key, kind, index)).toMatchObject({ header: object.header, corrupt: false });
      expect(store.usage()).toEqual({ portals: 1, bytes: object.bytes.length });
    });

    it("[RELAY-9] gives an object to readers before it is durable, also while it becomes durable", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const pack = PACK();
      const incoming = await receiveAll(subject.store, portal, pack);
      const early = incoming.source();
      const stored = incoming.store();
      const out = new Uint8Array(pack.bytes.length);
      await early.read([out.subarray(0, 1000)], 0);
      await stored;
      await early.read([out.subarray(1000)], 1000);
      early.close();
      expect(Buffer.compare(out, pack.bytes)).toBe(0);
    });

    it("forgets what was discarded and gives its room back", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      for (let round = 0; round < 5; round++) {
        const incoming = await receiveAll(subject.store, portal, PACK());
        await incoming.discard();
      }
      expect(await subject.store.heldIndexes(portal.key, "pack")).toEqual([]);
      expect(subject.store.usage().bytes).toBe(0);
      expect(await codeOf(subject.store.open(portal.key, "pack", 0))).toBe("object/absent");
    });

    it("[RELAY-18] holds the limits of a portal, of the store and on portals, also for what is on its way", async () => {
      await using subject = await open();
      const { store } = subject;
      const [one, two, three] = [newPortal(), newPortal(), newPortal()];
      for (const portal of [one, two, three]) await store.createPortal(portal);
      expect(await codeOf(store.createPortal(newPortal()))).toBe("relay/full");
      await storeObject(store, one, PACK(0));
      const onItsWay = await receiveAll(store, one, PACK(1));
      expect(await codeOf(store.receive(one.key, PACK(2).header, 1))).toBe("portal/full");
      const other = await receiveAll(store, two, PACK(0));
      expect(await codeOf(store.receive(two.key, PACK(1).header, 1))).toBe("relay/full");
      await onItsWay.discard();
      await other.discard();
      await storeObject(store, two, PACK(1));
    });

    it("takes the first objects of a fresh store all at once", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const objects = [PACK(0), PACK(1), sealed("page", 0, 20_000), sealed("page", 1, 300)];
      await Promise.all(objects.map((object) => storeObject(subject.store, portal, object)));
      for (const object of objects) await readObject(subject.store, portal, object);
    });

    it("[RELAY-11] keeps a commitment and tells the packs' hashes in order", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const packs = [2, 0, 1].map((index) => sealed("pack", index, 1000 + index));
      for (const pack of packs) await storeObject(subject.store, portal, pack);
      const commitment = { packs: 3, pages: 1, root: random(32) };
      await subject.store.commitPortal(portal.key, commitment, 1);
      const store = await subject.reopen();
      expect((await store.loadPortal(portal.key))?.commitment).toEqual(commitment);
      const inOrder = packs.toSorted((a, b) => a.header.index - b.header.index).map(({ header }) => toHex(header.hash));
      expect([...store.packHashes(portal.key)].map(toHex)).toEqual(inOrder);
    });

    it("[RELAY-13] leaves a tombstone and no bytes of an ended portal, and forgets it later", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      await storeObject(subject.store, portal, PACK());
      await storeObject(subject.store, portal, PAGE());
      await subject.store.endPortal(portal.key, 5_000_000, "owner");
      await subject.store.endPortal(portal.key, 6_000_000, "time");
      const store = await subject.reopen();
      expect(await store.loadPortal(portal.key)).toMatchObject({ endedAtMs: 5_000_000, endReason: "owner" });
      expect(store.usage()).toEqual({ portals: 0, bytes: 0 });
      expect(await codeOf(store.open(portal.key, "pack", 0))).toBe("object/absent");
      expect(await codeOf(store.receive(portal.key, PACK().header, 1))).toBe("portal/expired");
      expect(await codeOf(store.createPortal(portal))).toBe("portal/expired");
      await store.forgetEnded(5_000_000);
      expect(await store.loadPortal(portal.key)).toBeDefined();
      await store.forgetEnded(5_000_001);
      expect(await store.loadPortal(portal.key)).toBeUndefined();
    });

    it("[RELAY-13] refuses an object whose portal ended while it came, and keeps nothing of it", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const incoming = await receiveAll(subject.store, portal, PACK());
      await subject.store.endPortal(portal.key, 5_000_000, "owner");
      expect(await codeOf(incoming.store())).toBe("portal/expired");
      expect(subject.store.usage().bytes).toBe(0);
    });

    it("[RELAY-14] lists portals whose time is over, without ended ones", async () => {
      await using subject = await open();
      const [early, late, ended] = [
        newPortal({ expiresAtMs: 10 }),
        newPortal({ expiresAtMs: 20 }),
        newPortal({ expiresAtMs: 5 }),
      ];
      for (const portal of [early, late, ended]) await subject.store.createPortal(portal);
      await subject.store.endPortal(ended.key, 7, "owner");
      expect(await subject.store.overdue(9, 0)).toEqual([]);
      expect(await subject.store.overdue(10, 0)).toEqual([early.key]);
      expect(new Set(await subject.store.overdue(20, 0))).toEqual(new Set([early.key, late.key]));
    });

    it("is writable when probed", async () => {
      await using subject = await open();
      await subject.store.probe();
    });

    it("[RELAY-23] finishes what is being stored before it closes", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const incoming = await receiveAll(subject.store, portal, PACK());
      const stored = incoming.store();
      const store = await subject.reopen();
      await stored;
      expect(await store.heldIndexes(portal.key, "pack")).toEqual([0]);
    });
  });
}
