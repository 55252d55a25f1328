import { readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import { bearer, createPortal, putObject, sealed, TestLink } from "./relay-client.ts";
import { testRelay } from "./relay-fixture.ts";

const stateOf = (url: string, portal: { text: string; readToken: Uint8Array }) =>
  fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) });

describe("stored bytes that rot", () => {
  it("[RELAY-19] are refused on every path and taken again from the sender", async () => {
    await using relay = await testRelay();
    const portal = await createPortal(relay.url);
    const pack = sealed("pack", 0, 4 * 2 ** 20);
    await putObject(relay.url, portal, pack);
    const blobs = join(relay.dataDir, "blobs");
    const files = await readdir(blobs, { recursive: true, withFileTypes: true });
    const file = files.find((entry) => entry.isFile());
    await truncate(join(file?.parentPath ?? "", file?.name ?? ""), 5000);
    const link = await TestLink.open(relay.url, portal, "receive");
    link.want("pack", 0);
    expect(await link.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 0, code: 24 });
    expect((await (await stateOf(relay.url, portal)).json()).heldPacks).toEqual([]);
    expect((await putObject(relay.url, portal, pack)).status).toBe(204);
    link.want("pack", 0);
    expect(Buffer.compare((await link.object()).bytes, pack.bytes)).toBe(0);
    await link.cut();
  });

  it("[RELAY-38] are asked for again from the sender, and reach whoever waits for them", async () => {
    await using relay = await testRelay();
    const portal = await createPortal(relay.url);
    const [pack, other] = [sealed("pack", 0, 100_000, true), sealed("page", 0, 500)];
    const sender = await TestLink.open(relay.url, portal, "send");
    sender.put(pack);
    sender.put(other);
    await sender.next("ack");
    await sender.next("ack");
    await truncate((await blobs(relay.dataDir))[0] ?? "", 5000);
    const receiver = await TestLink.open(relay.url, portal, "receive");
    receiver.want("pack", 0);
    expect(await receiver.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 0, code: 24 });
    expect(await sender.next("lost")).toEqual({ t: "lost", kind: "pack", index: 0 });
    expect((await sender.next("state", ({ state }) => state.heldPacks.length === 0)).state.heldPages).toEqual([0, 1]);
    receiver.want("pack", 0);
    receiver.send({ t: "ping", n: 1 });
    await receiver.next("pong");
    sender.put(pack);
    await sender.next("ack");
    expect(Buffer.compare((await receiver.object()).bytes, pack.bytes)).toBe(0);
    expect(receiver.frames.filter(({ t }) => t === "lost")).toEqual([]);
    await sender.cut();
    await receiver.cut();
  });

  it("[RELAY-38] are refused to those who wait for them when the last sender goes", async () => {
    await using relay = await testRelay();
    const portal = await createPortal(relay.url);
    const sender = await TestLink.open(relay.url, portal, "send");
    const pack = sealed("pack", 0, 100_000, true);
    sender.put(pack);
    sender.put(sealed("page", 0, 500, true));
    await sender.next("ack");
    await sender.next("ack");
    const tree = new MerkleBuilder("packs");
    tree.append(pack.header.hash);
    sender.send({ t: "commit", packs: 1, pages: 1, root: tree.root() });
    await sender.next("committed");
    await rm((await blobs(relay.dataDir))[0] ?? "");
    const receiver = await TestLink.open(relay.url, portal, "receive");
    receiver.want("pack", 0);
    await receiver.next("refuse");
    await sender.next("lost");
    receiver.want("pack", 0);
    receiver.send({ t: "ping", n: 1 });
    await receiver.next("pong");
    expect(receiver.frames.filter(({ t }) => t === "refuse")).toEqual([]);
    await sender.cut();
    expect(await receiver.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 0, code: 24 });
    await receiver.cut();
  });

  it("[RELAY-38, RELAY-39] are found by the scrubber, told to the sender, logged and counted", async () => {
    await using relay = await testRelay();
    const portal = await createPortal(relay.url);
    const sender = await TestLink.open(relay.url, portal, "send");
    const pack = sealed("pack", 0, 100_000, true);
    sender.put(pack);
    await sender.next("ack");
    expect(await relay.relay.scrub()).toEqual({ objects: 1, damaged: 0 });
    await truncate((await blobs(relay.dataDir))[0] ?? "", 99_999);
    expect(await relay.relay.scrub()).toEqual({ objects: 1, damaged: 1 });
    expect(await sender.next("lost")).toEqual({ t: "lost", kind: "pack", index: 0 });
    const lines = relay.log.filter((line) => line.includes("object-damaged"));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "error",
      code: "object/corrupt",
      reason: "a stored pack",
    });
    expect(lines[0]).not.toContain(Buffer.from(portal.id).toString("hex"));
    const metrics = await (await fetch(`${relay.url}/metrics`)).text();
    expect(metrics).toContain("warp_damaged_objects_total 1\n");
    expect(metrics).toContain('warp_scrubbed_objects_total{result="damaged"} 1\n');
    sender.put(pack);
    await sender.next("ack");
    expect(await relay.relay.scrub()).toEqual({ objects: 1, damaged: 0 });
    await sender.cut();
  });
});

/** Paths of all stored files. */
async function blobs(dataDir: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
