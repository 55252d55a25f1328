import { copyFile, mkdtemp, open, rename, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, vi } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import {
  createPortal,
  getObject,
  putObject,
  random,
  sealed,
  TestLink,
  type TestPortal,
} from "../integration/relay-client.ts";
import { type TestRelay, testRelay } from "../integration/relay-fixture.ts";
import { rounds } from "./scale.ts";

/** Objects of each kind of damage. */
const DAMAGED = rounds(5, 50);

/** Files of a portal's packs, as the relay names them. */
type PathOf = (portal: TestPortal, index: number) => string;

interface Damage {
  readonly name: string;
  /** How many objects one of it damages. */
  readonly victims: number;
  apply(pathOf: PathOf, portal: TestPortal, index: number, older: TestPortal): Promise<void>;
}

const DAMAGES: readonly Damage[] = [
  { name: "one bit flipped", victims: 1, apply: (pathOf, portal, index) => flipBit(pathOf(portal, index)) },
  {
    name: "truncated",
    victims: 1,
    // From nothing left up to a single byte that is missing.
    apply: (pathOf, portal, index) => truncate(pathOf(portal, index), index % 8 === 0 ? index : lengthOf(index) - 1),
  },
  {
    name: "two swapped",
    victims: 2,
    async apply(pathOf, portal, index) {
      const [a, b] = [pathOf(portal, index), pathOf(portal, index + 1)];
      await rename(a, `${a}.x`);
      await rename(b, a);
      await rename(`${a}.x`, b);
    },
  },
  {
    name: "an older version put back",
    victims: 1,
    apply: (pathOf, portal, index, older) => copyFile(pathOf(older, index), pathOf(portal, index)),
  },
  { name: "file missing", victims: 1, apply: (pathOf, portal, index) => rm(pathOf(portal, index)) },
];

/** Lengths differ, but those of two neighbours do not: a swap must not be found by its length alone. */
function lengthOf(index: number): number {
  return 20_000 + 1000 * ((index >> 1) % 7);
}

async function flipBit(path: string): Promise<void> {
  const file = await open(path, "r+");
  const { size } = await file.stat();
  const at = Math.floor(Math.random() * size);
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  await file.write(Buffer.of((byte[0] ?? 0) ^ (1 << (at % 8))), 0, 1, at);
  await file.close();
}

/** Stores packs of one portal over one link. */
async function storeAll(link: TestLink, packs: readonly SealedObject[]): Promise<void> {
  for (const pack of packs) {
    link.put(pack);
    await link.next("ack", ({ index }) => index === pack.header.index);
  }
}

/** Reads an object as often as it takes to be sure what the relay makes of it; never gives wrong bytes. */
async function isServed(url: string, portal: TestPortal, { header, bytes }: SealedObject): Promise<boolean> {
  const answer = await getObject(url, portal, header.kind, header.index);
  if (answer.status !== 200) {
    expect((await answer.json()).code).toBe("object/corrupt");
    return false;
  }
  expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), bytes), `${header.kind} ${header.index}`).toBe(0);
  return true;
}

function damagedLines(relay: TestRelay): number {
  return relay.log.filter((line) => line.includes('"event":"object-damaged"')).length;
}

describe("damage to stored objects", () => {
  it.each(DAMAGES)(
    `[RELAY-19, RELAY-38, RELAY-39] R8: $name, ${DAMAGED} times: one pass finds all, nothing bad is served, the sender repairs`,
    async ({ apply, victims }) => {
      await using relay = await testRelay({ scrubPeriodSeconds: 0 });
      const { url } = relay;
      const pathOf: PathOf = ({ id }, index) => {
        const key = Buffer.from(id).toString("hex");
        return join(relay.dataDir, "blobs", key.slice(0, 2), key, String(index));
      };
      const portal = await createPortal(url);
      const older = await createPortal(url);
      // Every damaged one has neighbours that nobody touches.
      const stride = 4;
      const makePacks = () =>
        Array.from({ length: DAMAGED * stride }, (_, index) => sealed("pack", index, lengthOf(index), true));
      const packs = makePacks();
      const sender = await TestLink.open(url, portal, "send");
      await storeAll(sender, packs);
      const other = await TestLink.open(url, older, "send");
      await storeAll(other, makePacks());

      const damaged = new Set<number>();
      for (let index = 0; index < packs.length; index += stride) {
        await apply(pathOf, portal, index, older);
        for (let i = 0; i < victims; i++) damaged.add(index + i);
      }
      // Half of them are read while the scrubber walks: whoever comes first finds the damage.
      const read = packs.filter((_, at) => at % 8 < stride).map((pack) => isServed(url, portal, pack));
      const [pass, served] = await Promise.all([relay.relay.scrub(), Promise.all(read)]);
      expect(pass.objects).toBeGreaterThan(packs.length);
      expect(served.filter((good) => !good).length).toBe([...damaged].filter((index) => index % 8 < stride).length);
      expect(damagedLines(relay)).toBe(damaged.size);

      const lost = new Set<number>();
      while (lost.size < damaged.size) {
        const { index } = await sender.next("lost");
        expect(damaged).toContain(index);
        lost.add(index);
      }
      for (const pack of packs) expect(await isServed(url, portal, pack)).toBe(!damaged.has(pack.header.index));
      // Other bytes cannot slip in where the old ones were.
      const [first = 0] = damaged;
      sender.put(sealed("pack", first, lengthOf(first), true));
      expect(await sender.next("refuse")).toMatchObject({ index: first, code: FAILURES["object/conflict"].wire });
      await storeAll(
        sender,
        packs.filter(({ header }) => damaged.has(header.index)),
      );
      expect(await relay.relay.scrub()).toEqual({ objects: 2 * packs.length, damaged: 0 });
      for (const pack of packs) expect(await isServed(url, portal, pack)).toBe(true);
      expect(sender.frames.filter(({ t }) => t === "lost")).toEqual([]);
      await sender.cut();
      await other.cut();
    },
    240_000,
  );

  it(`[RELAY-19, RELAY-39] R8: bytes inside the database, ${DAMAGED} times each: found in one pass after the restart`, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-damage-"));
    try {
      let portal: TestPortal;
      const pages = Array.from({ length: 4 * DAMAGED }, (_, index) => sealed("page", index, 100 + index));
      {
        await using relay = await testRelay({ dataDir, scrubPeriodSeconds: 0 });
        portal = await createPortal(relay.url);
        const link = await TestLink.open(relay.url, portal, "send");
        for (const page of pages) link.put(page);
        for (const _ of pages) await link.next("ack");
        await link.cut();
      }
      const db = new DatabaseSync(join(dataDir, "relay.db"));
      const bytesOf = (index: number) => Uint8Array.from(pages[index]?.bytes ?? []);
      const update = db.prepare("UPDATE objects SET bytes = ? WHERE number = ?");
      for (let index = 0; index < pages.length; index += 4) {
        const flipped = bytesOf(index);
        const at = random(1)[0] ?? 0;
        flipped[at % flipped.length] = (flipped[at % flipped.length] ?? 0) ^ (1 << (at % 8));
        update.run(flipped, index);
        update.run(bytesOf(index + 1).subarray(0, 50), index + 1);
        update.run(Buffer.concat([bytesOf(index + 2), Buffer.of(0)]), index + 2);
      }
      db.close();
      await using relay = await testRelay({ dataDir, scrubPeriodSeconds: 0 });
      // Bytes behind the end belong to no object and are never read.
      expect(await relay.relay.scrub()).toEqual({ objects: pages.length, damaged: 2 * DAMAGED });
      for (const [at, page] of pages.entries()) expect(await isServed(relay.url, portal, page)).toBe(at % 4 > 1);
      for (const page of pages) expect((await putObject(relay.url, portal, page)).status).toBe(204);
      for (const page of pages) expect(await isServed(relay.url, portal, page)).toBe(true);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it("[RELAY-38, RELAY-39] R8: a full pack is found in the background, repaired by its sender and given to who waits", async () => {
    await using relay = await testRelay({ scrubPeriodSeconds: 1 });
    const portal = await createPortal(relay.url);
    const sender = await TestLink.open(relay.url, portal, "send");
    const pack = sealed("pack", 0, 4 * 2 ** 20);
    await storeAll(sender, [pack]);
    const key = Buffer.from(portal.id).toString("hex");
    await flipBit(join(relay.dataDir, "blobs", key.slice(0, 2), key, "0"));
    expect(await sender.next("lost")).toEqual({ t: "lost", kind: "pack", index: 0 });
    const receiver = await TestLink.open(relay.url, portal, "receive");
    receiver.want("pack", 0);
    receiver.send({ t: "ping", n: 1 });
    await receiver.next("pong");
    await storeAll(sender, [pack]);
    expect(Buffer.compare((await receiver.object()).bytes, pack.bytes)).toBe(0);
    await vi.waitUntil(async () => (await metricsOf(relay)).includes('scrubbed_objects_total{result="intact"}'));
    await sender.cut();
    await receiver.cut();
  });
});

async function metricsOf(relay: TestRelay): Promise<string> {
  return (await fetch(`${relay.url}/metrics`)).text();
}
