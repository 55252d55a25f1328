import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { SEALED_PACK_BYTES } from "../../core/units.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { change, details, outcome, request } from "./portal-calls.ts";
import {
  addLink,
  askLease,
  base64url,
  bearer,
  createPortal,
  FIRST_LEASE,
  getObject,
  inventLink,
  inventPortal,
  leased,
  postPortal,
  putObject,
  random,
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

const ABSENT = FAILURES["object/absent"].wire;
const pack = (index: number, final = false) => sealed("pack", index, final ? 100_000 : SEALED_PACK_BYTES, final);

function commit(
  portal: TestPortal,
  counts: { packs: number; pages: number },
  root: Uint8Array,
  at = url,
): Promise<string> {
  const headers = leased(FIRST_LEASE);
  const body = { ...counts, root: base64url(root) };
  return outcome(request(at, portal, "POST", "/commit", { token: portal.ownerToken, headers, body }));
}

const put = (portal: TestPortal, object: SealedObject, lease = FIRST_LEASE) =>
  outcome(putObject(url, portal, object, portal.ownerToken, lease));
const get = (portal: TestPortal, index: number, wait = 0) => outcome(getObject(url, portal, "pack", index, wait));
const stateOf = async (portal: TestPortal) =>
  (await fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) })).json();

/** A partial portal of four packs and one page that is committed with packs 0 and 2. */
async function committed(): Promise<{ portal: TestPortal; packs: SealedObject[]; root: Uint8Array }> {
  const portal = await createPortal(url, { partial: true });
  const packs = [0, 1, 2, 3].map((index) => pack(index, index === 3));
  for (const index of [0, 2]) expect(await put(portal, packs[index] as SealedObject)).toBe("ok");
  expect(await put(portal, sealed("page", 0, 500, true))).toBe("ok");
  const root = random(32);
  expect(await commit(portal, { packs: 4, pages: 1 }, root)).toBe("ok");
  return { portal, packs, root };
}

describe("a partial portal", () => {
  it("[RELAY-76] is committed with every page and some packs, again, and otherwise never", async () => {
    const portal = await createPortal(url, { partial: true });
    const root = random(32);
    expect(await put(portal, pack(2))).toBe("ok");
    expect(await commit(portal, { packs: 3, pages: 1 }, root)).toBe("portal/incomplete");
    expect(await put(portal, sealed("page", 1, 500, true))).toBe("ok");
    expect(await commit(portal, { packs: 3, pages: 2 }, root)).toBe("portal/incomplete");
    expect(await put(portal, sealed("page", 0, 500))).toBe("ok");
    expect(await commit(portal, { packs: 2, pages: 2 }, root)).toBe("portal/incomplete");
    expect(await commit(portal, { packs: 4, pages: 1 }, root)).toBe("portal/incomplete");
    for (const _ of [1, 2]) expect(await commit(portal, { packs: 4, pages: 2 }, root)).toBe("ok");
    expect(await commit(portal, { packs: 5, pages: 2 }, root)).toBe("portal/closed");
    expect(await commit(portal, { packs: 4, pages: 2 }, random(32))).toBe("portal/closed");
    expect(await stateOf(portal)).toMatchObject({
      phase: "active",
      heldPacks: [2, 3],
      heldPages: [0, 2],
      commitment: { packs: 4, pages: 2, root: base64url(root) },
    });
  });

  it("[RELAY-76] may be committed without a single pack", async () => {
    const portal = await createPortal(url, { partial: true });
    expect(await put(portal, sealed("page", 0, 500, true))).toBe("ok");
    expect(await commit(portal, { packs: 2, pages: 1 }, random(32))).toBe("ok");
    expect((await stateOf(portal)).heldPacks).toEqual([]);
    expect(await get(portal, 0, 5)).toBe("object/absent");
  });

  it("[RELAY-76] is what its maker says, each time; another wish is another portal", async () => {
    const portal = inventPortal({ partial: true });
    const { partial: _, ...unsaid } = portal.body;
    expect(await outcome(postPortal(url, unsaid))).toBe("wire/malformed");
    expect((await postPortal(url, portal.body)).status).toBe(201);
    expect((await postPortal(url, portal.body)).status).toBe(200);
    expect(await outcome(postPortal(url, { ...portal.body, partial: false }))).toBe("portal/taken");
  });

  it("[RELAY-76] is what it was after a restart, and complete when every pack is held", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-partial-"));
    try {
      const [portal, page] = [inventPortal({ partial: true }), sealed("page", 0, 500, true)];
      {
        await using first = await testRelay({ dataDir });
        expect((await postPortal(first.url, portal.body)).status).toBe(201);
        for (const object of [page, pack(0)]) expect(await outcome(putObject(first.url, portal, object))).toBe("ok");
        expect(await commit(portal, { packs: 2, pages: 1 }, random(32), first.url)).toBe("ok");
        expect((await details(first.url, portal)).isComplete).toBe(false);
      }
      await using again = await testRelay({ dataDir });
      expect((await postPortal(again.url, portal.body)).status).toBe(200);
      expect(await outcome(getObject(again.url, portal, "pack", 1, 10))).toBe("object/absent");
      expect((await details(again.url, portal)).isComplete).toBe(false);
      expect(await outcome(putObject(again.url, portal, pack(1, true)))).toBe("ok");
      expect((await details(again.url, portal)).isComplete).toBe(true);
      expect(await again.relay.scrub()).toEqual({ objects: 3, damaged: 0 });
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it("[RELAY-77] refuses a pack that it lacks at once when it is committed, and lets wants wait before", async () => {
    const portal = await createPortal(url, { partial: true });
    const sender = await TestLink.open(url, portal, "send");
    const receiver = await TestLink.open(url, portal, "receive");
    receiver.want("pack", 0);
    receiver.want("pack", 1);
    sender.put(pack(0));
    await sender.next("ack");
    expect((await receiver.object()).header.index).toBe(0);
    sender.put(sealed("page", 0, 500, true));
    await sender.next("ack");
    expect(receiver.frames.filter(({ t }) => t === "refuse")).toEqual([]);
    sender.send({ t: "commit", packs: 3, pages: 1, root: random(32) });
    await sender.next("committed");
    // The sender is still there, and could store it: others are asked all the same.
    expect(await receiver.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 1, code: ABSENT });
    receiver.want("pack", 2);
    expect(await receiver.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 2, code: ABSENT });
    const started = performance.now();
    expect(await get(portal, 1, 10)).toBe("object/absent");
    const path = `${url}/api/v1/portals/${portal.text}/packs/1`;
    expect((await fetch(path, { method: "HEAD", headers: bearer(portal.readToken) })).status).toBe(404);
    expect(performance.now() - started).toBeLessThan(5000);
    for (const link of [sender, receiver]) await link.cut();
  });

  it("[RELAY-77] takes packs that it lacks after the commitment, under the lease and checked, and gives them", async () => {
    const { portal, packs } = await committed();
    const [first, second] = [packs[1] as SealedObject, packs[3] as SealedObject];
    expect(await put(portal, { ...first, bytes: random(SEALED_PACK_BYTES) })).toBe("object/hash");
    expect(await put(portal, first, 2)).toBe("wire/malformed");
    expect(await put(portal, pack(4))).toBe("portal/closed");
    expect(await put(portal, sealed("page", 1, 500))).toBe("portal/closed");
    expect(await put(portal, pack(0))).toBe("object/conflict");
    expect(await get(portal, 1)).toBe("object/absent");
    expect(await put(portal, first)).toBe("ok");
    expect(await get(portal, 1)).toBe("ok");
    expect(await put(portal, pack(1))).toBe("object/conflict");
    await (await askLease(url, portal, true)).json();
    expect(await put(portal, second)).toBe("portal/lease-lost");
    expect(await put(portal, second, 2)).toBe("ok");
    expect((await stateOf(portal)).heldPacks).toEqual([0, 4]);
  });

  it("[RELAY-77] refuses a pack that it lost in the same way, tells its sender, and takes it again", async () => {
    const { portal, packs } = await committed();
    const sender = await TestLink.open(url, portal, "send");
    const names = await readdir(join(relay.dataDir, "blobs"), { recursive: true, withFileTypes: true });
    const file = names.find((entry) => entry.parentPath.includes(hex(portal)) && entry.name.startsWith("2"));
    await truncate(join(file?.parentPath ?? "", file?.name ?? ""), 5000);
    expect(await get(portal, 2)).toBe("object/corrupt");
    expect(await sender.next("lost")).toEqual({ t: "lost", kind: "pack", index: 2 });
    expect(await get(portal, 2, 10)).toBe("object/absent");
    expect((await stateOf(portal)).heldPacks).toEqual([0, 1]);
    sender.put(packs[2] as SealedObject);
    await sender.next("ack");
    expect(await get(portal, 2)).toBe("ok");
    await sender.cut();
  });

  it.each([
    ["a request", { kind: "request", links: [] }],
    ["a portal whose downloads are limited", { maxDownloads: 3 }],
    [
      "a portal with a link that is limited",
      { links: [inventLink("read").body, inventLink("read", { maxUses: 1 }).body] },
    ],
  ])("[RELAY-78] cannot be %s", async (_what, body) => {
    expect(await outcome(postPortal(url, inventPortal({ ...body, partial: true }).body))).toBe("wire/malformed");
    expect(await outcome(postPortal(url, inventPortal({ ...body, partial: false }).body))).toBe("ok");
  });

  it("[RELAY-78] cannot be a delivery", async () => {
    const asked = await createPortal(url, { kind: "request" });
    const delivery = { request: asked.text, offer: base64url(random(80)) };
    const answer = (partial: boolean) =>
      outcome(postPortal(url, inventPortal({ delivery, partial }).body, bearer(asked.readToken)));
    expect(await answer(true)).toBe("wire/malformed");
    expect(await answer(false)).toBe("ok");
  });

  it("[RELAY-78] gets no limit of downloads later", async () => {
    const portal = await createPortal(url, { partial: true });
    const body = { maxDownloads: 1 };
    expect(await outcome(request(url, portal, "PATCH", "", { token: portal.ownerToken, body }))).toBe("wire/malformed");
    await expect(addLink(url, portal, inventLink("read", { maxUses: 1 }))).rejects.toThrow("wire/malformed");
    await change(url, portal, { maxDownloads: null, paused: true, expirySeconds: 7200 });
    await addLink(url, portal, inventLink("read"));
    expect(await details(url, portal)).toMatchObject({ phase: "paused", maxDownloads: null });
  });
});

function hex({ id }: TestPortal): string {
  return Buffer.from(id).toString("hex");
}
