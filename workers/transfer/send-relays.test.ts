import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { UNKNOWN_DEVICE } from "../../core/edge/constraints.ts";
import { Failure } from "../../core/failure.ts";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import { createPortal, type MadePortal } from "../../core/portal/client.ts";
import { createFurther } from "../../core/portal/further.ts";
import { OPEN_LINK } from "../../core/portal/new-link.ts";
import { relayToken } from "../../core/seal/keys.ts";
import { IN_FLIGHT_PACKS } from "../../core/transfer/outgoing.ts";
import { SEALED_PACK_BYTES } from "../../core/units.ts";
import { relayInfo } from "../../platform/link/dial.ts";
import { sealed } from "../../tests/integration/relay-client.ts";
import { type TestRelay, testRelay } from "../../tests/integration/relay-fixture.ts";
import { Owner, portalHost } from "../../tests/support/portal-host.ts";
import type { Place } from "./places.ts";
import { SendRelays, type SendRelaysParts } from "./send-relays.ts";

const FREE = { invite: null, workBits: 0 };
const HOUR = { expirySeconds: 3600, idleSeconds: null, maxDownloads: null };

let home: TestRelay;
let further: TestRelay;
let relays: SendRelays | undefined;
beforeAll(async () => {
  [home, further] = await Promise.all([testRelay(), testRelay()]);
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await further[Symbol.asyncDispose]();
});
beforeEach(() => {
  // Browsers tell of another network by these.
  for (const name of ["addEventListener", "removeEventListener"]) vi.stubGlobal(name, () => {});
});
afterEach(() => relays?.close());

const makePortal = () => createPortal(portalHost(home.url), { kind: "send" }, HOUR, OPEN_LINK, FREE);

/** Gets the portal to a relay as the worker does. */
async function placeOf(origin: string, made: MadePortal): Promise<Place> {
  const info = await relayInfo(origin);
  if (origin === home.url) return { origin, info, ownerToken: made.ownerToken, lease: { lease: 1, takeOver: false } };
  const { ownerToken, lease } = await createFurther(portalHost(origin), made, info, FREE);
  return { origin, info, ownerToken, lease: { lease, takeOver: false } };
}

async function open(made: MadePortal, changes: Partial<SendRelaysParts> = {}): Promise<SendRelays> {
  relays = new SendRelays({
    portal: made.link.portal,
    home: await placeOf(home.url, made),
    further: [further.url],
    mode: "striped",
    placeAt: (origin) => placeOf(origin, made),
    isKept: Promise.resolve(true),
    path: "tcp",
    policy: undefined,
    conditions: () => ({ epochMs: Date.now(), utcOffsetMinutes: 0, here: UNKNOWN_DEVICE, there: UNKNOWN_DEVICE }),
    onChange: () => {},
    onLost: () => {},
    onWider: () => {},
    ...changes,
  });
  return relays;
}

async function ownerAt({ url }: TestRelay, { link, ownerSecret }: MadePortal): Promise<Owner> {
  const key = await crypto.subtle.importKey("raw", ownerSecret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Owner(url, link.portal, await relayToken(key, "own", url, link.portal));
}

describe("the relays of a send", () => {
  it("[KEY-13] are home alone while nothing could be made again, and others are not even asked", async () => {
    const placeAt = vi.fn();
    const { used, link, inFlightPacks } = await open(await makePortal(), { isKept: Promise.resolve(false), placeAt });
    expect(await used).toEqual([]);
    expect([placeAt.mock.calls.length, inFlightPacks]).toEqual([0, IN_FLIGHT_PACKS]);
    await link.put(sealed("page", 0, 100));
  });

  it("[KEY-13] are one link and nothing beside it where there is one", async () => {
    const opened = await open(await makePortal(), { further: [] });
    await opened.link.put(sealed("page", 0, 100));
    const { edges } = opened.link.snapshot({ disk: 0, engine: 0 });
    expect([edges.map(({ name }) => name), await opened.used]).toEqual([[new URL(home.url).host], []]);
  });

  it("[KEY-13] take packs at several, with a window for each, and home has everything when it is done", async () => {
    const made = await makePortal();
    const onWider = vi.fn();
    const opened = await open(made, { onWider });
    expect(await opened.used).toEqual([further.url]);
    expect(onWider).toHaveBeenCalledExactlyOnceWith(IN_FLIGHT_PACKS);
    expect(opened.inFlightPacks).toBe(2 * IN_FLIGHT_PACKS);
    opened.setEnd(16);
    const tree = new MerkleBuilder("packs");
    const packs = Array.from({ length: 16 }, (_, i) => sealed("pack", i, SEALED_PACK_BYTES, i === 15));
    for (const { header } of packs) tree.append(header.hash);
    await Promise.all([...packs, sealed("page", 0, 100, true)].map((object) => opened.link.put(object)));
    expect((await (await ownerAt(further, made)).details()).bytes).toBeGreaterThan(SEALED_PACK_BYTES);
    await opened.link.commit({ packs: 16, pages: 1, root: tree.root() });
    expect(await (await ownerAt(home, made)).details()).toMatchObject({ isComplete: true, receivers: 0 });
    expect(await (await ownerAt(further, made)).details()).toMatchObject({ receivers: 0 });
  });

  it("[KEY-13] leave out one that refuses, or is away", async () => {
    const placeAt = () => Promise.reject(new Failure("relay/invite"));
    const opened = await open(await makePortal(), { placeAt });
    expect(await opened.used).toEqual([]);
    expect(opened.inFlightPacks).toBe(IN_FLIGHT_PACKS);
    await opened.link.put(sealed("page", 0, 100));
  });

  it("give up on getting the portal elsewhere when the send ends", async () => {
    const placeAt = (_: string, stop: AbortSignal) =>
      new Promise<Place>((_resolve, reject) => stop.addEventListener("abort", () => reject(new Failure("cancelled"))));
    const opened = await open(await makePortal(), { placeAt });
    opened.close();
    expect(await opened.used).toEqual([]);
  });
});
