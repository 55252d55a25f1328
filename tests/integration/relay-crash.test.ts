import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PINNED_NODE, ROOT } from "../../scripts/lib/process.ts";
import { objectHash } from "../support/bytes.ts";
import { launchRelay } from "../support/launch.ts";
import { change, claim, complete, details, request } from "./portal-calls.ts";
import { addLink, bearer, createPortal, getObject, inventLink, random, sealed, TestLink } from "./relay-client.ts";

const ROUNDS = 10;
const WINDOW = 8;

describe("a relay that dies", () => {
  it("[RELAY-8] has every object that it acknowledged, over ten kills in mid-transfer, and no rest of others", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-crash-"));
    const acknowledged = new Map<number, Uint8Array>();
    let relay = await launchRelay({ dataDir });
    try {
      const portal = await createPortal(relay.url);
      let index = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const link = await TestLink.open(relay.url, portal, "send");
        const sent = new Map<number, Uint8Array>();
        const goal = 1 + ((round * 7) % 13);
        let acks = 0;
        while (acks < goal) {
          while (sent.size < acks + WINDOW) {
            const object = sealed("pack", index++, 4 * 2 ** 20);
            sent.set(object.header.index, object.header.hash);
            link.put(object);
          }
          const ack = await link.next("ack");
          acknowledged.set(ack.index, sent.get(ack.index) as Uint8Array);
          acks++;
        }
        await relay.kill();
        await link.closed;
        // What came before the connection broke was acknowledged too.
        for (const frame of link.frames)
          if (frame.t === "ack") acknowledged.set(frame.index, sent.get(frame.index) as Uint8Array);
        relay = await launchRelay({ dataDir, port: relay.port });
        const state = await (
          await fetch(`${relay.url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) })
        ).json();
        const held = new Set<number>();
        for (let at = 0; at < state.heldPacks.length; at += 2)
          for (let n = state.heldPacks[at]; n < state.heldPacks[at + 1]; n++) held.add(n);
        for (const n of acknowledged.keys()) expect(held, `round ${round}`).toContain(n);
        expect(await readdir(join(dataDir, "incoming"))).toEqual([]);
        const files = (await readdir(join(dataDir, "blobs"), { recursive: true })).filter(
          (name) => /\d+$/.test(name) && name.split("/").length === 3,
        );
        expect(files.length).toBe(held.size);
        index = 1 + Math.max(...held, index - 1);
      }
      for (const [n, hash] of acknowledged) {
        const answer = await getObject(relay.url, portal, "pack", n);
        expect(Buffer.compare(objectHash(new Uint8Array(await answer.arrayBuffer())), hash)).toBe(0);
      }
      expect(acknowledged.size).toBeGreaterThan(ROUNDS * 5);
    } finally {
      await relay.kill();
      await rm(dataDir, { recursive: true });
    }
  }, 240_000);
});

describe("what a relay decided", () => {
  it("[RELAY-53, RELAY-59] is kept over five kills: claims, counts, rules and revoked links", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-crash-"));
    let relay = await launchRelay({ dataDir });
    try {
      const downloads = 12;
      const portal = await createPortal(relay.url, { maxDownloads: downloads });
      let completed = 0;
      let held: Uint8Array[] = [];
      for (let round = 0; round < 5; round++) {
        const link = await addLink(relay.url, portal, inventLink("read"));
        // Two more download, of which one is through; all ask at once, and the relay dies with the last answer.
        const ids = [random(16), random(16)];
        expect(await Promise.all(ids.map((id) => claim(relay.url, portal, id)))).toEqual(["ok", "ok"]);
        const [done = random(16), open = random(16)] = ids;
        const paused = round % 2 === 0;
        const revoked = request(relay.url, portal, "DELETE", `/links/${link.link}`, { token: portal.ownerToken });
        const answers = await Promise.all([
          complete(relay.url, portal, done),
          change(relay.url, portal, { paused, idleSeconds: 100_000 + round }),
          revoked.then(({ status }) => status),
        ]);
        expect([answers[0], answers[2]]).toEqual(["ok", 204]);
        completed++;
        held = [...held, open];
        await relay.kill();
        relay = await launchRelay({ dataDir, port: relay.port });
        const told = await details(relay.url, portal);
        const phase = paused ? "paused" : "created";
        expect(told).toMatchObject({ downloads: completed, claims: held.length, phase, idleSeconds: 100_000 + round });
        expect(told.links.map((one) => one.link)).toEqual([portal.link]);
      }
      // Ten of twelve are gone; what two more leave is nothing.
      const racers = Array.from({ length: 20 }, () => random(16));
      const codes = await Promise.all(racers.map((id) => claim(relay.url, portal, id)));
      expect(codes.filter((code) => code === "ok")).toHaveLength(downloads - completed - held.length);
      for (const id of held) expect(await claim(relay.url, portal, id)).toBe("ok");
    } finally {
      await relay.kill();
      await rm(dataDir, { recursive: true });
    }
  }, 240_000);
});

describe("a relay that is asked to end", () => {
  it("[RELAY-23] says good-bye, keeps what it acknowledged, and ends with 0 in less than five seconds", async () => {
    await using relay = await launchRelay();
    const portal = await createPortal(relay.url);
    const sender = await TestLink.open(relay.url, portal, "send");
    const receiver = await TestLink.open(relay.url, portal, "receive");
    const waiting = getObject(relay.url, portal, "pack", 7, 25);
    sender.put(sealed("pack", 0, 4 * 2 ** 20));
    await sender.next("ack");
    await receiver.next("state", ({ state }) => state.receivers === 2);
    const started = performance.now();
    const code = await relay.stop();
    expect(code).toBe(0);
    expect(performance.now() - started).toBeLessThan(5000);
    for (const link of [sender, receiver]) expect(await link.next("bye")).toEqual({ t: "bye", code: 15 });
    expect((await waiting).status).toBe(404);
    await using again = await launchRelay({ dataDir: relay.dataDir });
    expect((await getObject(again.url, portal, "pack", 0)).status).toBe(200);
  });

  it.each([
    ["PORT", "80a", "a port number from 0 to 65535"],
    ["HOST", "example.org", "an IP address"],
    ["STORE_URL", "postgres://x", "unset it"],
    ["LOG_LEVEL", "loud", "one of debug, info, warn, error, silent"],
  ])("[RELAY-33] does not start with %s=%s, and says what is expected", async (name, value, expected) => {
    const env = { ...process.env, [name]: value, DATA_DIR: join(tmpdir(), "warp-never-made") };
    const child = spawn(PINNED_NODE, [join(ROOT, "relay-server/src/main.ts")], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(said).toContain(name);
    expect(said).toContain(expected);
    expect(said.trim().split("\n")).toHaveLength(1);
  });
});
