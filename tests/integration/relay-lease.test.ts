import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES, type FailureCode } from "../../core/failure.ts";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import { LEASE_HEADER } from "../../core/portal/portal.ts";
import {
  askLease,
  base64url,
  bearer,
  createPortal,
  getObject,
  leased,
  putObject,
  sealed,
  TestLink,
  type TestPortal,
} from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay();
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

const wire = (code: FailureCode) => FAILURES[code].wire;
const page = (index = 0) => sealed("page", index, 500);
const NEW = { lease: 0, takeOver: false };
const TAKE_OVER = { lease: 0, takeOver: true };

async function ended(link: TestLink, code: FailureCode): Promise<void> {
  expect(await link.next("bye")).toEqual({ t: "bye", code: wire(code) });
  await link.closed;
}

async function refused(portal: TestPortal, wish: { lease: number; takeOver: boolean }): Promise<number> {
  const link = await TestLink.connect(url);
  link.hello(portal, "send", undefined, wish);
  const { code } = await link.next("bye");
  await link.closed;
  return code;
}

async function codeOf(response: Response): Promise<string> {
  return response.ok ? String(response.status) : (await response.json()).code;
}

async function stateOf(portal: TestPortal): Promise<{ senders: number; heldPages: number[]; version: number }> {
  return (await fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) })).json();
}

function commitEmpty(portal: TestPortal, lease: number): Promise<Response> {
  const body = JSON.stringify({ packs: 0, pages: 1, root: base64url(new MerkleBuilder("packs").root()) });
  const headers = { ...bearer(portal.ownerToken), ...leased(lease), "Content-Type": "application/json" };
  return fetch(`${url}/api/v1/portals/${portal.text}/commit`, { method: "POST", headers, body });
}

describe("the lease of a portal", () => {
  it("[RELAY-35] lets one sender in over many links, and nobody else while it is there", async () => {
    const portal = await createPortal(url);
    const links = await Promise.all([1, 2, 3].map(() => TestLink.open(url, portal, "send", { lease: 1 })));
    expect(links.map(({ lease }) => lease)).toEqual([1, 1, 1]);
    expect(await refused(portal, NEW)).toBe(wire("portal/leased"));
    expect(await codeOf(await askLease(url, portal, false))).toBe("portal/leased");
    for (const [index, link] of links.entries()) {
      link.put(page(index));
      expect(await link.next("ack")).toEqual({ t: "ack", kind: "page", index });
      await link.cut();
    }
  });

  it("[RELAY-35] is free when its sender vanished without a word", async () => {
    const portal = await createPortal(url);
    const watcher = await TestLink.open(url, portal, "receive");
    expect(watcher.lease).toBe(0);
    const first = await TestLink.open(url, portal, "send");
    await first.cut();
    await watcher.next("state", ({ state }) => state.senders === 0);
    const second = await TestLink.open(url, portal, "send", NEW);
    expect(second.lease).toBe(2);
    await second.cut();
    await watcher.cut();
  });

  it("[RELAY-36] that is taken over ends the older links, and stores nothing of what they send", async () => {
    const portal = await createPortal(url);
    const older = await Promise.all([1, 2].map(() => TestLink.open(url, portal, "send")));
    const [one, two] = older as [TestLink, TestLink];
    one.put(page(0));
    await one.next("ack");
    const half = sealed("pack", 0, 4 * 2 ** 20);
    two.sendHeader(half.header);
    two.sendRaw(2, half.bytes.subarray(0, 100_000));
    const newer = await TestLink.open(url, portal, "send", TAKE_OVER);
    expect(newer.lease).toBe(2);
    for (const link of older) await ended(link, "portal/lease-lost");
    expect(await refused(portal, { lease: 1, takeOver: false })).toBe(wire("portal/lease-lost"));
    expect(await refused(portal, { lease: 1, takeOver: true })).toBe(wire("portal/lease-lost"));
    expect(await refused(portal, { lease: 3, takeOver: false })).toBe(wire("wire/malformed"));
    expect(await codeOf(await putObject(url, portal, page(1), portal.ownerToken, 1))).toBe("portal/lease-lost");
    expect(await codeOf(await putObject(url, portal, page(1), portal.ownerToken, 3))).toBe("wire/malformed");
    expect(await codeOf(await commitEmpty(portal, 1))).toBe("portal/lease-lost");
    expect(await stateOf(portal)).toMatchObject({ senders: 1, heldPages: [0, 1], heldPacks: [], commitment: null });
    const pack = sealed("pack", 0, 4 * 2 ** 20);
    newer.put(pack);
    expect(await newer.next("ack")).toEqual({ t: "ack", kind: "pack", index: 0 });
    expect(Buffer.compare(Buffer.from(await (await getObject(url, portal, "pack", 0)).arrayBuffer()), pack.bytes)).toBe(
      0,
    );
    await newer.cut();
  });

  it("[RELAY-36] is nothing for a receiver", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.connect(url);
    link.hello(portal, "receive", undefined, { lease: 1 });
    await ended(link, "wire/malformed");
  });

  it("[RELAY-36] is the same after a restart", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-lease-"));
    try {
      let portal: TestPortal;
      {
        await using first = await testRelay({ dataDir });
        portal = await createPortal(first.url);
        expect((await (await askLease(first.url, portal, false)).json()).lease).toBe(2);
      }
      await using again = await testRelay({ dataDir });
      expect(await codeOf(await putObject(again.url, portal, page(), portal.ownerToken, 1))).toBe("portal/lease-lost");
      expect(await codeOf(await putObject(again.url, portal, page(), portal.ownerToken, 2))).toBe("204");
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it("[RELAY-37] over plain requests is asked for, named and lost", async () => {
    const portal = await createPortal(url);
    expect(await codeOf(await putObject(url, portal, page(0), portal.ownerToken, 1))).toBe("204");
    expect(await codeOf(await askLease(url, portal, false))).toBe("portal/leased");
    expect(await refused(portal, NEW)).toBe(wire("portal/leased"));
    const path = `${url}/api/v1/portals/${portal.text}`;
    const headers = { ...bearer(portal.ownerToken), ...leased(1) };
    const { version } = await (await fetch(path, { headers })).json();
    const waiting = fetch(`${path}?after=${version}&wait=20`, { headers });
    expect(await (await askLease(url, portal, true)).json()).toEqual({ lease: 2 });
    expect(await codeOf(await waiting)).toBe("portal/lease-lost");
    expect(await codeOf(await fetch(path, { headers }))).toBe("portal/lease-lost");
    expect(await codeOf(await putObject(url, portal, page(1), portal.ownerToken, 1))).toBe("portal/lease-lost");
    expect(await stateOf(portal)).toMatchObject({ senders: 1, heldPages: [0, 1] });
    expect(await codeOf(await commitEmpty(portal, 2))).toBe("204");
  });

  it.each([
    ["no lease", {}],
    ["lease 0", { [LEASE_HEADER]: "0" }],
    ["a lease that is no number", { [LEASE_HEADER]: "one" }],
    ["a lease beyond the last", { [LEASE_HEADER]: "9999999999" }],
  ])("[RELAY-37] refuses a commitment with %s", async (_name, lease) => {
    const portal = await createPortal(url);
    const body = JSON.stringify({ packs: 0, pages: 1, root: base64url(new Uint8Array(32)) });
    const headers = { ...bearer(portal.ownerToken), "Content-Type": "application/json", ...lease };
    const answer = await fetch(`${url}/api/v1/portals/${portal.text}/commit`, { method: "POST", headers, body });
    expect(await codeOf(answer)).toBe("wire/malformed");
  });
});
