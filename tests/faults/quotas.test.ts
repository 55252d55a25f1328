import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { KIB, MIB, SEALED_PACK_BYTES } from "../../core/units.ts";
import { encodeHeader, OBJECT_HEADER_BYTES, STREAM_OBJECTS } from "../../core/wire/object.ts";
import { readConfig } from "../../relay-server/src/config.ts";
import { OPERATOR_TOKEN, operate } from "../integration/guarded-relay.ts";
import {
  base64url,
  bearer,
  createPortal,
  inventPortal,
  leased,
  postPortal,
  putObject,
  sealed,
  TestLink,
  type TestPortal,
} from "../integration/relay-client.ts";
import { type TestRelay, testRelay } from "../integration/relay-fixture.ts";
import { rounds } from "./scale.ts";

const CLIENTS = 100;
const PAGE_BYTES = 64 * KIB;
const PORTAL_BYTES = 6 * MIB;
const STORE_BYTES = 10 * MIB;
const LOOK_MS = 5;
const LONG_MS = rounds(60_000, 600_000);
const { operatorTokenHash } = readConfig({ OPERATOR_TOKEN });

let dataDir: string;
let relay: TestRelay;
let url: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "warp-quotas-"));
  relay = await testRelay({ dataDir, operatorTokenHash, maxPortalBytes: PORTAL_BYTES, maxStoreBytes: STORE_BYTES });
  url = relay.url;
});
afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  expectSound(dataDir);
  await rm(dataDir, { recursive: true });
});

/** What the store says at its end: sums are the sums, and none is above its limit. */
function expectSound(folder: string): void {
  const db = new DatabaseSync(join(folder, "relay.db"), { readOnly: true });
  try {
    const wrong = db
      .prepare(
        `SELECT key FROM portals WHERE bytes > ? OR bytes <> coalesce((SELECT sum(length) FROM objects WHERE portal = key), 0)`,
      )
      .all(PORTAL_BYTES);
    expect(wrong).toEqual([]);
    const sum = db.prepare("SELECT coalesce(sum(length), 0) AS bytes FROM objects").get()?.["bytes"];
    expect(db.prepare("SELECT bytes FROM usage").get()?.["bytes"]).toBe(sum);
    expect(Number(sum)).toBeLessThanOrEqual(STORE_BYTES);
  } finally {
    db.close();
  }
}

async function storeBytes(): Promise<number> {
  return ((await (await operate(url, "GET", "/usage")).json()) as { bytes: number }).bytes;
}

async function portalBytes({ text, ownerToken }: TestPortal): Promise<number> {
  const details = await fetch(`${url}/api/v1/portals/${text}/details`, { headers: bearer(ownerToken) });
  return ((await details.json()) as { bytes: number }).bytes;
}

async function endPortal({ text, ownerToken }: TestPortal): Promise<void> {
  await fetch(`${url}/api/v1/portals/${text}`, { method: "DELETE", headers: bearer(ownerToken) });
}

/** Looks at what is used again and again while something runs; gives the most. */
async function mostWhile(work: Promise<unknown>, look: () => Promise<number>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  let most = 0;
  while (!isOver) {
    most = Math.max(most, await look());
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await over;
  return Math.max(most, await look());
}

/** Sends a request as it is, and gives what came back before the connection ended or `ms` passed. */
function sendRaw(text: string, bytes: Uint8Array, ms = 2000): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port: relay.relay.port });
    let answer = "";
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(done, ms);
    socket.setEncoding("latin1").on("error", done).on("close", done);
    socket.on("data", (data: string) => {
      answer += data;
      if (answer.includes("\r\n\r\n")) done();
    });
    socket.write(text);
    socket.write(bytes);
  });
}

function putHead(portal: TestPortal, kind: "pack" | "page", index: number, hash: Uint8Array, length: string): string {
  return [
    `PUT /api/v1/portals/${portal.text}/${kind}s/${index}?final=1 HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${base64url(portal.ownerToken)}`,
    "Warp-Lease: 1",
    `Warp-Hash: ${base64url(hash)}`,
    `Content-Length: ${length}`,
    "\r\n",
  ].join("\r\n");
}

describe("S6: quotas", () => {
  const times = rounds(1, 20);

  it(
    `[RELAY-69] hold for a portal that ${CLIENTS} clients fill at once with many objects, ${times} times`,
    async () => {
      for (let time = 0; time < times; time++) {
        const portal = await createPortal(url);
        const put = async (index: number) => (await putObject(url, portal, sealed("page", index, PAGE_BYTES))).status;
        const work = Promise.all(Array.from({ length: CLIENTS }, (_, index) => put(index)));
        expect(await mostWhile(work, () => portalBytes(portal))).toBe(PORTAL_BYTES);
        const statuses = await work;
        expect(statuses.filter((status) => status === 204)).toHaveLength(PORTAL_BYTES / PAGE_BYTES);
        expect(statuses.filter((status) => status === 413)).toHaveLength(CLIENTS - PORTAL_BYTES / PAGE_BYTES);
        await endPortal(portal);
      }
    },
    LONG_MS,
  );

  it(
    `[RELAY-69] hold for the store that ${CLIENTS} clients fill at once in portals of their own, ${times} times`,
    async () => {
      for (let time = 0; time < times; time++) {
        const portals = await Promise.all(Array.from({ length: CLIENTS }, () => createPortal(url)));
        const put = async (portal: TestPortal, index: number) =>
          (await putObject(url, portal, sealed("page", index, PAGE_BYTES))).status;
        const work = Promise.all(portals.flatMap((portal) => [0, 1].map((index) => put(portal, index))));
        expect(await mostWhile(work, storeBytes)).toBe(STORE_BYTES);
        const statuses = await work;
        expect(statuses.filter((status) => status === 204)).toHaveLength(STORE_BYTES / PAGE_BYTES);
        expect(statuses.filter((status) => status === 507)).toHaveLength(2 * CLIENTS - STORE_BYTES / PAGE_BYTES);
        await Promise.all(portals.map(endPortal));
        expect(await storeBytes()).toBe(0);
      }
    },
    LONG_MS,
  );

  it(`[RELAY-18] hold for the number of portals that ${CLIENTS} clients create at once`, async () => {
    await using small = await testRelay({ operatorTokenHash, maxPortals: 7 });
    const work = Promise.all(Array.from({ length: CLIENTS }, () => postPortal(small.url, inventPortal().body)));
    const most = await mostWhile(work, async () => {
      const usage = await operate(small.url, "GET", "/usage");
      return ((await usage.json()) as { portals: number }).portals;
    });
    expect(most).toBe(7);
    const statuses = (await work).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(7);
    expect(statuses.filter((status) => status === 507)).toHaveLength(CLIENTS - 7);
  }, 60_000);

  it(
    `[RELAY-69] hold over several links of one sender, ${times} times`,
    async () => {
      for (let time = 0; time < times; time++) {
        const portal = await createPortal(url);
        const links = await Promise.all(Array.from({ length: 10 }, () => TestLink.open(url, portal, "send")));
        for (const [at, link] of links.entries())
          for (let n = 0; n < CLIENTS / 10; n++) link.put(sealed("page", at * 10 + n, PAGE_BYTES));
        const settled = () =>
          links.reduce((sum, link) => sum + link.frames.filter(({ t }) => t === "ack" || t === "refuse").length, 0);
        const work = vi.waitUntil(() => settled() === CLIENTS, { timeout: 20_000 });
        expect(await mostWhile(work, () => portalBytes(portal))).toBe(PORTAL_BYTES);
        const acks = links.flatMap((link) => link.frames.filter(({ t }) => t === "ack"));
        expect(acks).toHaveLength(PORTAL_BYTES / PAGE_BYTES);
        await Promise.all(links.map((link) => link.cut()));
        await endPortal(portal);
      }
    },
    LONG_MS,
  );

  it(
    "[RELAY-69] give room back that was reserved and abandoned, over links and HTTP",
    async () => {
      const portal = await createPortal(url);
      const pack = sealed("pack", 0, SEALED_PACK_BYTES);
      const at = (index: number) => ({ header: { ...pack.header, index }, bytes: pack.bytes });
      const takesAPack = (into: TestPortal, index: number) =>
        vi.waitFor(async () => expect((await putObject(url, into, at(index))).status).toBe(204), { timeout: 10_000 });
      const links = await Promise.all(Array.from({ length: CLIENTS / 2 }, () => TestLink.open(url, portal, "send")));
      for (const [index, link] of links.entries()) {
        link.sendHeader(at(index).header);
        link.sendRaw(STREAM_OBJECTS, pack.bytes.subarray(0, 100 * KIB));
      }
      // One of them has the room of a pack, and nobody else has.
      const refused = () => links.filter((link) => link.frames.some(({ t }) => t === "refuse")).length;
      await vi.waitUntil(() => refused() === links.length - 1, { timeout: 10_000 });
      expect((await putObject(url, portal, at(2000))).status).toBe(413);
      await Promise.all(links.map((link) => link.cut()));
      await takesAPack(portal, 3000);
      expect(await storeBytes()).toBe(SEALED_PACK_BYTES);
      await endPortal(portal);

      const second = await createPortal(url);
      const heads = Array.from({ length: CLIENTS / 2 }, (_, index) =>
        putHead(second, "pack", index, pack.header.hash, String(SEALED_PACK_BYTES)),
      );
      await Promise.all(heads.map((head) => sendRaw(head, pack.bytes.subarray(0, 1000), 300)));
      await takesAPack(second, 4000);
      const pages = Array.from({ length: 40 }, (_, index) => putObject(url, second, sealed("page", index, PAGE_BYTES)));
      const kept = (await Promise.all(pages)).filter(({ status }) => status === 204);
      expect(kept).toHaveLength((PORTAL_BYTES - SEALED_PACK_BYTES) / PAGE_BYTES);
      await endPortal(second);
    },
    LONG_MS,
  );

  it("[RELAY-18] refuse more or less than was declared, and keep nothing of it", async () => {
    const portal = await createPortal(url);
    const { header, bytes } = sealed("page", 0, 20_000);
    const declaredLess = await sendRaw(putHead(portal, "page", 0, header.hash, "10000"), bytes);
    expect(declaredLess).toMatch(/^HTTP\/1\.1 4\d\d /);
    const chunked = await fetch(`${url}/api/v1/portals/${portal.text}/pages/0`, {
      method: "PUT",
      headers: { ...bearer(portal.ownerToken), ...leased(1), "Warp-Hash": base64url(header.hash) },
      body: new Blob([bytes]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(chunked.status).toBe(400);
    const link = await TestLink.open(url, portal, "send");
    link.sendHeader({ ...header, length: 10_000 });
    link.sendRaw(STREAM_OBJECTS, bytes);
    await link.next("bye");
    await link.closed;
    expect(await storeBytes()).toBe(0);
    await endPortal(portal);
  });

  it.each([
    "-1",
    "NaN",
    "Infinity",
    "1e3",
    "0x10",
    "9007199254740992",
    "9007199254740993",
    "18446744073709551616",
    "+5",
    "",
  ])("[RELAY-18] refuse a body that is said to have %j bytes", async (length) => {
    const portal = await createPortal(url);
    const { header } = sealed("page", 0, 100);
    // More than a page has: who is still sending would not read an answer.
    const bytes = new Uint8Array(300 * KIB);
    expect(await sendRaw(putHead(portal, "page", 0, header.hash, length), bytes)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await portalBytes(portal)).toBe(0);
  });

  it.each([0, 1, 2 ** 31, 2 ** 32 - 1])("[RELAY-18] refuse an object of %i bytes on a link", async (length) => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "send");
    const head = encodeHeader(sealed("page", 0, 100).header);
    expect(head).toHaveLength(OBJECT_HEADER_BYTES);
    new DataView(head.buffer).setUint32(8, length, true);
    link.sendRaw(STREAM_OBJECTS, head);
    await link.next("bye");
    await link.closed;
    expect(await portalBytes(portal)).toBe(0);
  });

  it.each(["expirySeconds", "maxDownloads", "idleSeconds"])(
    "[RELAY-18] refuse a creation whose %s is no size",
    async (name) => {
      const values = ["-1", "0.5", "1e400", "-1e400", "9007199254740992", "18446744073709551616", '"60"', "[]", "true"];
      const { portals } = (await (await operate(url, "GET", "/usage")).json()) as { portals: number };
      for (const value of values) {
        const text = JSON.stringify(inventPortal({ [name]: "VALUE" }).body).replace('"VALUE"', value);
        const headers = { "Content-Type": "application/json" };
        const answer = await fetch(`${url}/api/v1/portals`, { method: "POST", headers, body: text });
        expect([value, answer.status]).toEqual([value, 400]);
      }
      expect((await postPortal(url, { ...inventPortal().body, [name]: Number.NaN })).status).toBe(
        name === "expirySeconds" ? 400 : 201,
      );
      const after = (await (await operate(url, "GET", "/usage")).json()) as { portals: number };
      expect(after.portals).toBe(portals + (name === "expirySeconds" ? 0 : 1));
    },
  );
});
