import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES, type FailureCode } from "../../core/failure.ts";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import { UPLOAD_WINDOW_BYTES } from "../../core/units.ts";
import { PROTOCOL_VERSION } from "../../core/wire/frame.ts";
import { encodeHeader, type SealedObject, STREAM_OBJECTS } from "../../core/wire/object.ts";
import { MAX_WANTS } from "../../relay-server/src/link/link.ts";
import { bearer, createPortal, getObject, putObject, random, sealed, TestLink } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay();
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

const pack = (index = 0) => sealed("pack", index, 4 * 2 ** 20);
const wire = (code: FailureCode) => FAILURES[code].wire;

/** Waits for the good-bye and for the end of the connection, which the relay brings about itself. */
async function ended(link: TestLink, code: FailureCode): Promise<void> {
  expect(await link.next("bye")).toEqual({ t: "bye", code: wire(code) });
  await link.closed;
}

function same(a: SealedObject, b: SealedObject): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0 && Buffer.compare(encodeHeader(a.header), encodeHeader(b.header)) === 0;
}

describe("hello", () => {
  it("[RELAY-1] is answered with limits and state", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.connect(url);
    link.hello(portal, "send");
    const welcome = await link.next("welcome");
    expect(welcome.v).toBe(PROTOCOL_VERSION);
    expect(welcome.limits).toEqual({ windowBytes: UPLOAD_WINDOW_BYTES, maxWants: MAX_WANTS });
    expect(welcome.state).toMatchObject({
      phase: "created",
      heldPacks: [],
      heldPages: [],
      commitment: null,
      senders: 1,
      receivers: 0,
    });
    await link.cut();
  });

  it.each([
    ["send", "readToken", "portal/unknown"],
    ["send", "foreign", "portal/unknown"],
    ["receive", "foreign", "portal/unknown"],
    ["send", "ownerToken", "welcome"],
    ["receive", "readToken", "welcome"],
    ["receive", "ownerToken", "welcome"],
  ] as const)("[RELAY-2] to %s with %s gives %s", async (role, token, outcome) => {
    const portal = await createPortal(url);
    const link = await TestLink.connect(url);
    link.hello(portal, role, token === "foreign" ? random(32) : portal[token]);
    if (outcome === "welcome") await link.next("welcome");
    else await ended(link, outcome);
    await link.cut();
  });

  it("[RELAY-3] to an ended portal says so to its owner, and to nobody else", async () => {
    const portal = await createPortal(url);
    await fetch(`${url}/api/v1/portals/${portal.text}`, { method: "DELETE", headers: bearer(portal.ownerToken) });
    const owner = await TestLink.connect(url);
    owner.hello(portal, "send");
    await ended(owner, "portal/expired");
    const link = await TestLink.connect(url);
    link.hello(portal, "receive");
    await ended(link, "portal/unknown");
  });

  it("[RELAY-1] must be the first frame, must come once, and must be of this version", async () => {
    const portal = await createPortal(url);
    const early = await TestLink.connect(url);
    early.send({ t: "ping", n: 1 });
    await ended(early, "wire/malformed");
    const twice = await TestLink.open(url, portal, "send");
    twice.hello(portal, "send");
    await ended(twice, "wire/malformed");
    const old = await TestLink.connect(url);
    const who = { portal: portal.id, role: "send", token: portal.ownerToken } as const;
    old.send({ t: "hello", v: 2, ...who, lease: 1, takeOver: false });
    await ended(old, "relay/version");
  });

  it("[RELAY-1] must come within five seconds", async () => {
    const link = await TestLink.connect(url);
    const started = performance.now();
    await ended(link, "wire/malformed");
    expect(performance.now() - started).toBeGreaterThan(3000);
  });

  it("[RELAY-1] may be followed by objects before the welcome came", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.connect(url);
    link.hello(portal, "send");
    link.put(pack());
    expect(await link.next("ack")).toEqual({ t: "ack", kind: "pack", index: 0 });
    await link.cut();
  });
});

describe("objects up", () => {
  it("[RELAY-5, RELAY-8] are acknowledged, in any slices, again when they come again", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "send");
    const page = sealed("page", 0, 5000, true);
    const stream = Buffer.concat([encodeHeader(page.header), page.bytes]);
    for (let at = 0; at < stream.length; at += 17) link.sendRaw(STREAM_OBJECTS, stream.subarray(at, at + 17));
    expect(await link.next("ack")).toEqual({ t: "ack", kind: "page", index: 0 });
    link.put(page);
    expect(await link.next("ack")).toEqual({ t: "ack", kind: "page", index: 0 });
    const two = [pack(0), pack(1)];
    const joined = Buffer.concat(two.flatMap(({ header, bytes }) => [encodeHeader(header), bytes]));
    for (let at = 0; at < joined.length; at += 200_000) link.sendRaw(STREAM_OBJECTS, joined.subarray(at, at + 200_000));
    await link.next("ack", ({ index }) => index === 0);
    await link.next("ack", ({ index }) => index === 1);
    for (const object of two) {
      const answer = await getObject(url, portal, "pack", object.header.index);
      expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), object.bytes)).toBe(0);
    }
    await link.cut();
  });

  it("[RELAY-5] with other bytes for a held index are refused, and the stream stays in step", async () => {
    const portal = await createPortal(url);
    await putObject(url, portal, pack());
    const link = await TestLink.open(url, portal, "send");
    link.put(pack());
    link.put(sealed("page", 0, 100));
    expect(await link.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 0, code: wire("object/conflict") });
    expect(await link.next("ack")).toEqual({ t: "ack", kind: "page", index: 0 });
    await link.cut();
  });

  it("[RELAY-6] without their hash are refused, nothing is kept, and the right ones are taken", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "send");
    const right = pack();
    link.put({ header: right.header, bytes: pack().bytes });
    expect(await link.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 0, code: wire("object/hash") });
    expect((await getObject(url, portal, "pack", 0)).status).toBe(404);
    link.put(right);
    await link.next("ack");
    await link.cut();
  });

  it("[RELAY-5] over two links at once are stored once and acknowledged on both", async () => {
    const portal = await createPortal(url);
    const links = await Promise.all([1, 2, 3].map(() => TestLink.open(url, portal, "send")));
    const object = pack();
    for (const link of links) link.put(object);
    for (const link of links) await link.next("ack");
    for (const link of links) await link.cut();
  });

  it("[RELAY-16] of a receiver end its link", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "receive");
    link.put(sealed("page", 0, 100));
    await ended(link, "wire/malformed");
  });

  it("leave nothing behind when the link is cut in the middle", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "send");
    const object = pack();
    link.sendHeader(object.header);
    link.sendRaw(STREAM_OBJECTS, object.bytes.subarray(0, 200_000));
    link.send({ t: "ping", n: 1 });
    await link.next("pong");
    await link.cut();
    const other = await TestLink.open(url, portal, "send");
    other.put(object);
    await other.next("ack");
    expect(await (await fetch(`${url}/metrics`)).text()).toContain("warp_upload_buffer_bytes 0\n");
    await other.cut();
  });
});

describe("objects down", () => {
  it("[RELAY-9] reach a receiver before the commitment, as they are stored", async () => {
    const portal = await createPortal(url);
    const receiver = await TestLink.open(url, portal, "receive");
    for (const index of [0, 1]) receiver.want("pack", index);
    receiver.want("page", 0);
    const sender = await TestLink.open(url, portal, "send");
    for (const object of [pack(1), sealed("page", 0, 999, true), pack(0)]) {
      sender.put(object);
      expect(same(await receiver.object(), object)).toBe(true);
    }
    await sender.cut();
    await receiver.cut();
  });

  it("[RELAY-10] come at once when held, and are refused when they will never come", async () => {
    const portal = await createPortal(url);
    const [held, page] = [sealed("pack", 0, 70_000, true), sealed("page", 0, 64, true)];
    await putObject(url, portal, held);
    await putObject(url, portal, page);
    const link = await TestLink.open(url, portal, "receive");
    link.want("pack", 0);
    expect(same(await link.object(), held)).toBe(true);
    link.want("pack", 1);
    const sender = await TestLink.open(url, portal, "send");
    const tree = new MerkleBuilder("packs");
    tree.append(held.header.hash);
    sender.send({ t: "commit", packs: 1, pages: 1, root: tree.root() });
    await sender.next("committed");
    expect(await link.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 1, code: wire("object/absent") });
    link.want("page", 7);
    expect(await link.next("refuse")).toEqual({ t: "refuse", kind: "page", index: 7, code: wire("object/absent") });
    await sender.cut();
    await link.cut();
  });

  it("[RELAY-10] that are not wanted any more do not come", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "receive");
    link.want("pack", 0);
    link.send({ t: "unwant", kind: "pack", index: 0 });
    link.want("page", 0);
    await putObject(url, portal, pack());
    const page = sealed("page", 0, 100);
    await putObject(url, portal, page);
    expect(same(await link.object(), page)).toBe(true);
    link.send({ t: "ping", n: 5 });
    await link.next("pong");
    expect(link.objects).toEqual([]);
    await link.cut();
  });

  it("[RELAY-7] wanted beyond the limit are refused and end the link", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "receive");
    for (let index = 0; index <= MAX_WANTS; index++) link.want("pack", index);
    expect(await link.next("refuse")).toEqual({
      t: "refuse",
      kind: "pack",
      index: MAX_WANTS,
      code: wire("wire/window"),
    });
    await ended(link, "wire/window");
  });
});

describe("life", () => {
  it("[RELAY-11] commits, again, and answers a commitment that fails with a good-bye", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "send");
    link.put(sealed("page", 0, 100, true));
    await link.next("ack");
    const root = new MerkleBuilder("packs").root();
    for (const _ of [1, 2]) {
      link.send({ t: "commit", packs: 0, pages: 1, root });
      await link.next("committed");
    }
    const state = await link.next("state", (frame) => frame.state.commitment !== null);
    expect(state.state.commitment).toEqual({ packs: 0, pages: 1, root });
    link.send({ t: "commit", packs: 1, pages: 1, root });
    await ended(link, "portal/closed");
    const late = await TestLink.open(url, portal, "send");
    late.put(pack());
    expect(await late.next("refuse")).toEqual({ t: "refuse", kind: "pack", index: 0, code: wire("portal/closed") });
    await late.cut();
  });

  it("[RELAY-15] tells everybody who comes, who goes, and how the phase changes", async () => {
    const portal = await createPortal(url);
    const receiver = await TestLink.open(url, portal, "receive");
    const sender = await TestLink.open(url, portal, "send");
    await receiver.next("state", ({ state }) => state.senders === 1 && state.phase === "created");
    const second = await TestLink.open(url, portal, "receive");
    await sender.next("state", ({ state }) => state.receivers === 2);
    sender.put(pack());
    await sender.next("ack");
    await receiver.next("state", ({ state }) => state.phase === "active");
    await sender.cut();
    const left = await receiver.next("state", ({ state }) => state.senders === 0);
    expect(left.state).toMatchObject({ phase: "active", heldPacks: [0, 1], receivers: 2 });
    await second.cut();
    await receiver.next("state", ({ state }) => state.receivers === 1);
    await receiver.cut();
  });

  it("[RELAY-12] confirms a completed download, and ends the portal with the last one", async () => {
    const portal = await createPortal(url, { maxDownloads: 2 });
    const link = await TestLink.open(url, portal, "receive");
    const other = await TestLink.open(url, portal, "receive");
    const claim = random(16);
    for (const _ of [1, 2]) {
      link.send({ t: "complete", claim });
      await link.next("completed");
    }
    link.send({ t: "complete", claim: random(16) });
    await link.next("completed");
    expect((await other.next("state", ({ state }) => state.phase === "expired")).state.phase).toBe("expired");
    await ended(link, "portal/expired");
    await ended(other, "portal/expired");
  });

  it("[RELAY-13] ends links of a portal that is deleted", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "receive");
    link.want("pack", 0);
    await fetch(`${url}/api/v1/portals/${portal.text}`, { method: "DELETE", headers: bearer(portal.ownerToken) });
    await ended(link, "portal/expired");
  });

  it("[RELAY-17] answers a ping and a good-bye", async () => {
    const portal = await createPortal(url);
    const link = await TestLink.open(url, portal, "receive");
    link.send({ t: "ping", n: 42 });
    expect(await link.next("pong")).toEqual({ t: "pong", n: 42 });
    link.send({ t: "bye", code: 0 });
    expect(await link.next("bye")).toEqual({ t: "bye", code: 0 });
    await link.closed;
  });
});
