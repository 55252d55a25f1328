import { base64urlnopad } from "@scure/base";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { callApi } from "../../core/edge/http-link.ts";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { merkleRoot } from "../../core/hash/merkle.ts";
import type { CreatePortal } from "../../core/portal/portal.ts";
import type { LinkRole } from "../../core/ports/link.ts";
import { tokenHash } from "../../core/seal/keys.ts";
import { SEALED_PACK_BYTES } from "../../core/units.ts";
import type { ObjectKind, SealedObject } from "../../core/wire/object.ts";
import { systemClock } from "../../platform/clock.ts";
import { createDial, relayInfo } from "../../platform/link/dial.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import { noise, objectHash } from "../support/bytes.ts";
import { type ProxyHabits, type RunningProxy, startProxy } from "../support/http-proxy.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { rounds } from "./scale.ts";

const PACKS = rounds(3, 40);
const LIMIT_MS = 120_000;

let relay: RunningRelay;
beforeAll(async () => {
  relay = await launchRelay();
});
afterAll(async () => {
  await relay[Symbol.asyncDispose]();
});

function object(kind: ObjectKind, index: number, length: number): SealedObject {
  const bytes = noise(length, `${kind} ${index}`);
  return { header: { kind, index, final: false, length, hash: objectHash(bytes) }, bytes };
}

/** Makes a portal that nobody has keys of; gives who may write and who may read. */
async function createPortal(): Promise<{ owner: LinkRole; reader: LinkRole; lease: number }> {
  const [portal, readToken, ownerToken] = [16, 32, 32].map((length) => crypto.getRandomValues(new Uint8Array(length)));
  if (portal === undefined || readToken === undefined || ownerToken === undefined) throw new Error("unreachable");
  const body: CreatePortal = {
    portal: base64urlnopad.encode(portal),
    kind: "send",
    ownerTokenHash: base64urlnopad.encode(tokenHash(ownerToken)),
    expirySeconds: 3600,
    idleSeconds: null,
    maxDownloads: null,
    links: [
      {
        link: base64urlnopad.encode(noise(16, "link")),
        capability: "read",
        tokenHash: base64urlnopad.encode(tokenHash(readToken)),
        keyCommitment: base64urlnopad.encode(noise(32, "commitment")),
        grant: base64urlnopad.encode(noise(60, "grant")),
        password: null,
        maxUses: null,
        notBeforeMs: null,
        expiresAtMs: null,
      },
    ],
    delivery: null,
    partial: false,
  };
  const { lease } = await callApi<{ lease: number }>(fetchFrom(relay.url), {
    method: "POST",
    path: "/api/v1/portals",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return {
    owner: { portal, role: "send", token: ownerToken },
    reader: { portal, role: "receive", token: readToken },
    lease,
  };
}

/** The product's link over the product's carriers, as a browser without WebTransport has them, through the proxy. */
async function open(proxy: RunningProxy, role: LinkRole, lease: number): Promise<SteadyLink> {
  return new SteadyLink({
    dial: createDial(proxy.url, role, await relayInfo(relay.url)),
    clock: systemClock,
    forced: undefined,
    webtransportAbsent: "webtransport-absent",
    random: Math.random,
    onChange: () => {},
    ...(role.role === "send" && { lease: { lease, takeOver: false } }),
  });
}

/** Sends a page and some packs while they are received, and compares. `during` runs when the receiver waits. */
async function transfer(proxy: RunningProxy, during: (links: readonly SteadyLink[]) => Promise<void> = async () => {}) {
  const { owner, reader, lease } = await createPortal();
  const [sender, receiver] = [await open(proxy, owner, lease), await open(proxy, reader, 0)];
  try {
    const page = object("page", 0, 1000);
    const packs = Array.from({ length: PACKS }, (_, index) => object("pack", index, SEALED_PACK_BYTES));
    const received = Promise.all(
      [page, ...packs].map(({ header, bytes }) =>
        receiver.get(header.kind, header.index, async (got) => Buffer.compare(got.bytes, bytes) === 0),
      ),
    );
    received.catch(() => {}); // met below
    await during([sender, receiver]);
    await Promise.all([page, ...packs].map((each) => sender.put(each)));
    const root = merkleRoot("packs", Buffer.concat(packs.map(({ header }) => header.hash)));
    await sender.commit({ packs: PACKS, pages: 1, root });
    expect(await received).toEqual(Array(PACKS + 1).fill(true));
    return { sender: sender.status, receiver: receiver.status };
  } finally {
    for (const link of [sender, receiver]) link.close();
  }
}

describe("a transfer through a proxy", () => {
  const proxies: readonly (readonly [string, ProxyHabits])[] = [
    ["that refuses WebSockets", { webSockets: "refused" }],
    ["that swallows WebSockets", { webSockets: "swallowed" }],
    ["that takes no body above one pack", { webSockets: "refused", maxBodyBytes: SEALED_PACK_BYTES }],
    ["that hands on bodies and answers only when they are whole", { webSockets: "refused", isBuffering: true }],
  ];
  for (const [what, habits] of proxies)
    it(
      `[EDGE-24] ${what} arrives, over plain requests`,
      async () => {
        await using proxy = await startProxy(relay.url, habits);
        const { sender, receiver } = await transfer(proxy);
        for (const status of [sender, receiver])
          expect(status).toEqual({ carrier: "http", reason: "websocket-blocked", nextTryAtMs: null, failure: null });
        expect(proxy.largestBodyBytes).toBe(SEALED_PACK_BYTES);
        expect(proxy.webSocketWishes).toBeGreaterThan(0);
      },
      LIMIT_MS,
    );

  it(
    "[EDGE-24] that cuts answers which take long arrives, though each of its waits is cut",
    async () => {
      await using proxy = await startProxy(relay.url, { webSockets: "refused", maxAnswerMs: 2_000 });
      await transfer(proxy, async () => {
        await vi.waitFor(() => expect(proxy.cuts).toBeGreaterThan(6), { timeout: 60_000 });
      });
    },
    LIMIT_MS,
  );

  it(
    "[EDGE-24] with a limit below one pack ends, and says what is too large",
    async () => {
      await using proxy = await startProxy(relay.url, { webSockets: "refused", maxBodyBytes: 1024 * 1024 });
      await expect(transfer(proxy)).rejects.toMatchObject({ code: "wire/too-large", details: { status: 413 } });
    },
    LIMIT_MS,
  );
});

describe("a network that wants a login", () => {
  const pages: readonly (readonly [string, NonNullable<ProxyHabits["instead"]>])[] = [
    ["a page", (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>Sign in</html>")],
    ["a redirect", (response) => response.writeHead(302, { Location: "https://login.example/" }).end()],
    ["status 511", (response) => response.writeHead(511, { "Content-Type": "text/html" }).end("<html>Sign in</html>")],
    ["no content", (response) => response.writeHead(204).end()],
    ["JSON of its own", (response) => response.writeHead(200).end('{"code":"portal/expired","details":{}}')],
  ];
  it(
    "[EDGE-22] is waited for, whatever it answers, and the transfer goes on",
    async () => {
      await using proxy = await startProxy(relay.url, { webSockets: "refused" });
      await transfer(proxy, async (links) => {
        await vi.waitFor(() => expect(links.every(({ status }) => status.carrier === "http")).toBe(true), 30_000);
        for (const [what, instead] of pages) {
          const before = proxy.foreignAnswers;
          proxy.habits.instead = instead;
          await vi.waitFor(() => {
            expect(proxy.foreignAnswers, what).toBeGreaterThan(before + 1);
            for (const { status } of links)
              expect(status, what).toMatchObject({ carrier: null, failure: "relay/foreign" });
          }, LIMIT_MS);
        }
        delete proxy.habits.instead;
      });
    },
    LIMIT_MS,
  );
});
