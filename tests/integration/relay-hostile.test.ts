import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES, type FailureCode } from "../../core/failure.ts";
import { LINK_ROUTE } from "../../core/portal/portal.ts";
import { encodeFrame } from "../../core/wire/frame.ts";
import { encodeHeader, STREAM_CONTROL, STREAM_OBJECTS } from "../../core/wire/object.ts";
import { readConfig } from "../../relay-server/src/config.ts";
import { createPortal, random, TestLink } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay();
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

/** Waits for the good-bye and for the end of the connection, which the relay brings about itself. */
async function ended(link: TestLink, code: FailureCode): Promise<void> {
  expect(await link.next("bye")).toEqual({ t: "bye", code: FAILURES[code].wire });
  await link.closed;
}

describe("malformed input", () => {
  const hostile: Record<string, readonly [number, Uint8Array, FailureCode]> = {
    "a frame that is not MessagePack": [STREAM_CONTROL, Uint8Array.of(0xc1, 0xc1), "wire/malformed"],
    "a frame with an unknown field": [
      STREAM_CONTROL,
      encodeFrame({ t: "ping", n: 1, x: 1 } as never),
      "wire/malformed",
    ],
    "a frame of a kind that does not exist": [STREAM_CONTROL, encodeFrame({ t: "nothing" } as never), "wire/malformed"],
    "a frame that is too large": [STREAM_CONTROL, new Uint8Array(65_537), "wire/too-large"],
    "an empty message": [STREAM_CONTROL, new Uint8Array(0), "wire/malformed"],
    "a message of an unknown kind": [9, Uint8Array.of(1, 2, 3), "wire/malformed"],
    "a header of no kind": [STREAM_OBJECTS, new Uint8Array(44), "wire/malformed"],
    "a header of an object that is too large": [STREAM_OBJECTS, header({ length: 4 * 2 ** 20 + 1 }), "wire/too-large"],
    "a header of a pack that is too small": [STREAM_OBJECTS, header({ length: 100 }), "object/size"],
    "a header with an index beyond the last": [STREAM_OBJECTS, header({ index: 2 ** 20 }), "wire/malformed"],
    "a message larger than any": [STREAM_OBJECTS, new Uint8Array(300_000), "wire/too-large"],
  };

  function header(change: { length?: number; index?: number }): Uint8Array {
    return encodeHeader({ kind: "pack", final: false, index: 0, length: 4 * 2 ** 20, hash: random(32), ...change });
  }

  it.each(Object.keys(hostile))("[RELAY-16] %s ends its link with a code and harms nobody else", async (name) => {
    const [kind, bytes, code] = hostile[name] ?? [0, new Uint8Array(0), "wire/malformed"];
    const portal = await createPortal(url);
    const neighbour = await TestLink.open(url, portal, "receive");
    const link = await TestLink.open(url, portal, "send");
    link.sendRaw(kind, bytes);
    await ended(link, code);
    neighbour.send({ t: "ping", n: 1 });
    await neighbour.next("pong");
    await neighbour.cut();
  });

  it("[RELAY-16] refuses text messages", async () => {
    const link = await TestLink.open(url, await createPortal(url), "send");
    link.socket.send("hello");
    await ended(link, "wire/malformed");
  });

  it("[RELAY-16] upgrades only at the link's route", async () => {
    const status = await new Promise((resolve) => {
      const headers = {
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      };
      request(`${url}${LINK_ROUTE}/x`, { headers }, (answer) => resolve(answer.statusCode)).end();
    });
    expect(status).toBe(404);
  });
});

describe("limits on links", () => {
  it("[RELAY-22] hold per address and in all, and give room again", async () => {
    await using small = await testRelay({ maxLinks: 3, maxLinksPerAddress: 2 });
    const portal = await createPortal(small.url);
    const first = await TestLink.open(small.url, portal, "receive");
    const second = await TestLink.open(small.url, portal, "receive");
    await ended(await TestLink.connect(small.url), "relay/busy");
    await first.cut();
    await second.next("state", ({ state }) => state.receivers === 1);
    const third = await TestLink.open(small.url, portal, "receive");
    await third.cut();
    await second.cut();
  });

  it("[RELAY-22] count the address that a trusted proxy tells", async () => {
    const { trustedProxies } = readConfig({ TRUST_PROXY: "127.0.0.0/8" });
    await using small = await testRelay({ maxLinksPerAddress: 1, trustedProxies });
    const from = (address: string) => TestLink.connect(small.url, { "x-forwarded-for": `6.6.6.6, ${address}` });
    const [a, b] = [await from("1.2.3.4"), await from("2001:db8::1")];
    await ended(await from("1.2.3.4"), "relay/busy");
    await ended(await from("2001:db8::2"), "relay/busy");
    await a.cut();
    await b.cut();
  });
});
