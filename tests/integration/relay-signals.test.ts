import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { MAX_SIGNAL_BYTES } from "../../core/wire/frame.ts";
import { change } from "./portal-calls.ts";
import { addLink, createPortal, inventLink, random, TestLink } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay();
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

/** Resolves when what the link sent before was dealt with; what came to `others` until then has been read. */
async function settled(...links: readonly TestLink[]): Promise<void> {
  for (const link of links) {
    link.send({ t: "ping", n: 7 });
    await link.next("pong");
  }
}

const signalsOf = (link: TestLink) => link.frames.filter(({ t }) => t === "signal");

describe("signals between the connections of a portal", () => {
  it("[RELAY-71] go to one by its number, or to all others, whether they send or receive", async () => {
    const portal = await createPortal(url);
    const sender = await TestLink.open(url, portal, "send");
    const [first, second] = [await TestLink.open(url, portal, "receive"), await TestLink.open(url, portal, "receive")];
    expect([sender.member, first.member, second.member]).toEqual([1, 2, 3]);
    const body = random(MAX_SIGNAL_BYTES);
    first.send({ t: "signal", to: 0, body });
    for (const link of [sender, second]) {
      const { from, body: came } = await link.next("signal");
      expect([from, Buffer.compare(came, body)]).toEqual([2, 0]);
    }
    sender.send({ t: "signal", to: 3, body: Uint8Array.of(5) });
    expect(await second.next("signal")).toEqual({ t: "signal", from: 1, body: Uint8Array.of(5) });
    await settled(sender, first, second);
    expect([sender, first, second].flatMap(signalsOf)).toEqual([]);
    for (const link of [sender, first, second]) await link.cut();
  });

  it("[RELAY-71] never reach another portal, nor anybody who is gone, and nobody is told", async () => {
    const [portal, other] = [await createPortal(url), await createPortal(url)];
    const [a, b] = [await TestLink.open(url, portal, "send"), await TestLink.open(url, portal, "receive")];
    const stranger = await TestLink.open(url, other, "receive");
    const second = await TestLink.open(url, other, "receive");
    expect([stranger.member, second.member]).toEqual([1, 2]);
    await b.cut();
    for (const to of [0, 1, 2, 3, 2 ** 31 - 1]) a.send({ t: "signal", to, body: random(10) });
    await settled(a, stranger, second);
    expect([a, stranger, second].flatMap(signalsOf)).toEqual([]);
    const next = await TestLink.open(url, portal, "receive");
    expect(next.member).toBe(3);
    for (const link of [a, stranger, second, next]) await link.cut();
  });

  it("[RELAY-16] that are no signals end the link", async () => {
    const portal = await createPortal(url);
    for (const body of [new Uint8Array(0), random(MAX_SIGNAL_BYTES + 1)]) {
      const link = await TestLink.open(url, portal, "receive");
      link.send({ t: "signal", to: 0, body });
      expect(await link.next("bye")).toEqual({ t: "bye", code: FAILURES["wire/malformed"].wire });
      await link.closed;
    }
  });

  it("[RELAY-72] pass 64 at once; the connection goes on without the others, which are counted", async () => {
    const portal = await createPortal(url);
    const [a, b] = [await TestLink.open(url, portal, "send"), await TestLink.open(url, portal, "receive")];
    const started = performance.now();
    for (let i = 0; i < 200; i++) a.send({ t: "signal", to: b.member, body: random(16) });
    await settled(a, b);
    const passed = signalsOf(b).length;
    expect(passed).toBeGreaterThanOrEqual(64);
    expect(passed).toBeLessThanOrEqual(64 + Math.ceil((performance.now() - started) / 250));
    b.send({ t: "signal", to: a.member, body: random(16) });
    await a.next("signal");
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(`warp_signals_total{result="limited"} ${200 - passed}\n`);
    for (const link of [a, b]) await link.cut();
  });

  it("[RELAY-72, RELAY-28] leave nothing in the log or in the data directory", async () => {
    const portal = await createPortal(url);
    const [a, b] = [await TestLink.open(url, portal, "send"), await TestLink.open(url, portal, "receive")];
    const body = random(600);
    a.send({ t: "signal", to: 0, body });
    await b.next("signal");
    await settled(a, b);
    const needles = [
      Buffer.from(body.subarray(100, 116)),
      ...(["base64", "base64url", "hex"] as const).map((encoding) =>
        Buffer.from(Buffer.from(body).toString(encoding).slice(120, 160)),
      ),
    ];
    const names = await readdir(relay.dataDir, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile() && entry.name !== "ballast");
    const contents = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name))));
    expect(contents.length).toBeGreaterThan(0);
    for (const needle of needles) {
      expect(relay.log.join("\n")).not.toContain(needle.toString("latin1"));
      for (const content of contents) expect(content.includes(needle)).toBe(false);
    }
    for (const link of [a, b]) await link.cut();
  });

  it("[RELAY-73] stop when downloads are counted, by a limit of the portal or of any link, and go on without one", async () => {
    const portal = await createPortal(url);
    const [a, b] = [await TestLink.open(url, portal, "send"), await TestLink.open(url, portal, "receive")];
    const heard = async () => {
      a.send({ t: "signal", to: b.member, body: random(16) });
      await settled(a, b);
      const count = signalsOf(b).length;
      b.frames.length = 0;
      return count;
    };
    expect(await heard()).toBe(1);
    await change(url, portal, { maxDownloads: 3 });
    expect(await heard()).toBe(0);
    await change(url, portal, { maxDownloads: null });
    expect(await heard()).toBe(1);
    await addLink(url, portal, inventLink("read", { maxUses: 1 }));
    expect(await heard()).toBe(0);
    for (const link of [a, b]) await link.cut();
  });
});
