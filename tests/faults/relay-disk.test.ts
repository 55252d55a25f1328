import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { SEALED_PACK_BYTES } from "../../core/units.ts";
import { FILE_CALLS, type FileCalls } from "../../relay-server/src/store/file-calls.ts";
import {
  bearer,
  createPortal,
  getObject,
  inventPortal,
  postPortal,
  putObject,
  sealed,
  TestLink,
  type TestPortal,
} from "../integration/relay-client.ts";
import { testRelay } from "../integration/relay-fixture.ts";
import { objectHash } from "../support/bytes.ts";
import { launchRelay } from "../support/launch.ts";
import { rounds } from "./scale.ts";
import { type DiskKind, mountableDisks, type SmallDisk, smallDisk } from "./small-disk.ts";

const MIB = 2 ** 20;
const FULL = 507;

/** A relay whose disk can be filled. */
interface Subject extends AsyncDisposable {
  url: string;
  readonly dataDir: string;
  fill(): Promise<void>;
  empty(): Promise<void>;
  /** Stops the relay, takes what that gave back, and starts another. */
  restart(): Promise<void>;
}

async function onDisk(kind: DiskKind): Promise<Subject> {
  const disk: SmallDisk = await smallDisk(kind, 64 * MIB);
  const options = { dataDir: disk.folder, env: { MIN_FREE_BYTES: "8MiB", LOG_LEVEL: "info" } };
  let relay = await launchRelay(options);
  const subject: Subject = {
    url: relay.url,
    dataDir: disk.folder,
    fill: () => disk.fill(),
    empty: () => disk.empty(),
    async restart() {
      await relay.stop();
      await disk.fill();
      relay = await launchRelay({ ...options, port: relay.port, mustBeReady: false });
      await disk.fill();
      subject.url = relay.url;
    },
    async [Symbol.asyncDispose]() {
      await relay.kill();
      await disk[Symbol.asyncDispose]();
    },
  };
  return subject;
}

/** Without the right to mount: every call that takes space fails. */
async function injected(): Promise<Subject> {
  const disk = { isFull: false };
  const failing = (call: (...args: never[]) => Promise<unknown>, takes: (...args: never[]) => boolean) =>
    (async (...args: never[]) => {
      if (disk.isFull && takes(...args)) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      return call(...args);
    }) as never;
  const files: FileCalls = {
    ...FILE_CALLS,
    open: failing(FILE_CALLS.open as never, (_path: never, flags: never) => flags === "wx+"),
    writev: failing(FILE_CALLS.writev as never, () => true),
    mkdir: failing(FILE_CALLS.mkdir as never, () => true),
  };
  const relay = await testRelay({}, { files });
  return {
    url: relay.url,
    dataDir: relay.dataDir,
    fill: async () => {
      disk.isFull = true;
    },
    empty: async () => {
      disk.isFull = false;
    },
    restart: async () => undefined,
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

const kinds = mountableDisks();
const subjects: [string, () => Promise<Subject>][] =
  kinds.length > 0
    ? kinds.map((kind) => [`an ${kind} of 64 MiB`, () => onDisk(kind)])
    : [["an injected ENOSPC (no right to mount here)", injected]];

const stateOf = (url: string, portal: TestPortal, token = portal.readToken) =>
  fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(token) });

const remove = (url: string, portal: TestPortal) =>
  fetch(`${url}/api/v1/portals/${portal.text}`, { method: "DELETE", headers: bearer(portal.ownerToken) });

async function filesOf(dataDir: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** Stores packs until the relay is full; gives those that it acknowledged. */
async function storeUntilFull(url: string, portal: TestPortal, most = 20): Promise<Map<number, Uint8Array>> {
  const stored = new Map<number, Uint8Array>();
  for (let index = 0; index < most; index++) {
    const pack = sealed("pack", index, SEALED_PACK_BYTES);
    const { status } = await putObject(url, portal, pack);
    if (status === FULL) break;
    expect(status).toBe(204);
    stored.set(index, pack.header.hash);
  }
  return stored;
}

async function expectAll(url: string, portal: TestPortal, stored: ReadonlyMap<number, Uint8Array>): Promise<void> {
  const state = await (await stateOf(url, portal)).json();
  expect(state.heldPacks).toEqual(stored.size === 0 ? [] : [0, stored.size]);
  for (const [index, hash] of stored) {
    const answer = await getObject(url, portal, "pack", index);
    expect(answer.status).toBe(200);
    expect(Buffer.compare(objectHash(new Uint8Array(await answer.arrayBuffer())), hash)).toBe(0);
  }
}

describe.each(subjects)("R9: a relay on %s", (_name, make) => {
  it("[RELAY-40] refuses uploads when it is full, serves and deletes all the same, and takes uploads again by itself", async () => {
    await using subject = await make();
    const isMounted = kinds.length > 0;
    const portal = await createPortal(subject.url);
    const stored = await storeUntilFull(subject.url, portal, isMounted ? 20 : 5);
    expect(stored.size).toBeGreaterThan(4);
    for (let round = 0; round < rounds(1, 10); round++) {
      const { url } = subject;
      const other = await vi.waitUntil(() => createPortal(url).catch(() => undefined), { timeout: 10_000 });
      const page = sealed("page", 0, 20 * 1024);
      const isPageStored = async () => (await putObject(url, other, page)).status === 204;
      await vi.waitUntil(isPageStored, { timeout: 10_000, interval: 250 });
      // Somebody else takes the rest, to the last byte; the database's log has no room either.
      await subject.fill();
      await subject.restart();
      const more = sealed("pack", stored.size, SEALED_PACK_BYTES);
      expect((await putObject(url, portal, more)).status).toBe(FULL);
      if (isMounted) expect((await postPortal(url, inventPortal().body)).status).toBe(FULL);
      expect((await postPortal(url, portal.body)).status).toBe(200);
      await expectAll(url, portal, stored);
      expect(await filesOf(subject.dataDir, "incoming")).toEqual([]);
      const link = await TestLink.open(url, portal, "send");
      link.put(more);
      expect(await link.next("refuse")).toMatchObject({ index: more.header.index, code: FAILURES["relay/full"].wire });
      await link.cut();
      expect((await remove(url, other)).status).toBe(204);
      if (isMounted) expect(await readdir(subject.dataDir)).not.toContain("ballast");
      expect((await stateOf(url, other, other.ownerToken)).status).toBe(410);
      expect((await filesOf(subject.dataDir, "blobs")).length).toBe(stored.size);
      await subject.empty();
      await vi.waitUntil(async () => (await fetch(`${url}/readyz`)).ok, { timeout: 10_000, interval: 100 });
      await expectAll(url, portal, stored);
      if (isMounted) expect(await readdir(subject.dataDir)).toContain("ballast");
    }
  }, 120_000);
});
