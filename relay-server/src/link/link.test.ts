import { describe, expect, it, vi } from "vitest";
import { FAILURES } from "../../../core/failure.ts";
import { LINK_SILENCE_MS, MIB, SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../../../core/units.ts";
import { MAX_SIGNAL_BYTES } from "../../../core/wire/frame.ts";
import { encodeHeader } from "../../../core/wire/object.ts";
import { sealed } from "../../../tests/integration/relay-client.ts";
import type { FakeCarrier } from "../../../tests/support/fake-carrier.ts";
import { stage } from "../../../tests/support/link-stage.ts";
import type { Link } from "./link.ts";
import { SLAB_BYTES, SlabPool } from "./slab-pool.ts";

const MINUTE = 60_000;
const pack = (index: number) => sealed("pack", index, SEALED_PACK_BYTES);

/** Gives what sets the clock to so many seconds from now; the peer is heard then. */
function steer(carrier: FakeCarrier, link: Link): (seconds: number) => void {
  const start = performance.now();
  const clock = vi.spyOn(performance, "now");
  return (seconds) => {
    clock.mockImplementation(() => start + seconds * 1000);
    void carrier.frame({ t: "ping", n: seconds });
    link.tick(performance.now());
  };
}

describe("a link", () => {
  it("[RELAY-7] refuses an object beyond the window of what is not acknowledged, and ends", async () => {
    const gate = Promise.withResolvers<void>();
    await using at = await stage(gate.promise);
    const { carrier } = await at.connect("send");
    const fitting = UPLOAD_WINDOW_BYTES / SEALED_PACK_BYTES;
    for (let index = 0; index < fitting; index++) await carrier.put(pack(index));
    const beyond = sealed("page", 0, 100);
    await carrier.put(beyond);
    expect(await carrier.next("refuse")).toEqual({
      t: "refuse",
      kind: "page",
      index: 0,
      code: FAILURES["wire/window"].wire,
    });
    expect(await carrier.next("bye")).toEqual({ t: "bye", code: FAILURES["wire/window"].wire });
    expect(carrier.isClosed).toBe(true);
    gate.resolve();
  });

  it("[RELAY-9] delivers an object that is verified and not durable yet", async () => {
    const gate = Promise.withResolvers<void>();
    await using at = await stage(gate.promise);
    const receiver = (await at.connect("receive")).carrier;
    receiver.openOutput();
    void receiver.frame({ t: "want", kind: "pack", index: 0 });
    const sender = (await at.connect("send")).carrier;
    const object = pack(0);
    await sender.put(object);
    await receiver.until(() => receiver.objects.length > 0);
    expect(Buffer.compare(receiver.objects[0]?.bytes ?? new Uint8Array(0), object.bytes)).toBe(0);
    gate.resolve();
    expect(await sender.next("ack")).toEqual({ t: "ack", kind: "pack", index: 0 });
  });

  it("[RELAY-36] of a new sender is welcomed when nothing of the older one is on its way to the disk any more", async () => {
    const gate = Promise.withResolvers<void>();
    await using at = await stage(gate.promise);
    const older = (await at.connect("send")).carrier;
    await older.put(pack(0));
    const { carrier: newer } = at.hello("send", { lease: 0, takeOver: true });
    expect(await older.next("bye")).toEqual({ t: "bye", code: FAILURES["portal/lease-lost"].wire });
    gate.resolve();
    expect(await newer.next("welcome")).toMatchObject({ lease: 2, state: { heldPacks: [], senders: 1 } });
    await newer.put(pack(0));
    expect(await newer.next("ack")).toEqual({ t: "ack", kind: "pack", index: 0 });
  });

  it("[RELAY-17] ends after 15 seconds of silence, and not while it is heard", async () => {
    await using at = await stage();
    const { carrier, link } = await at.connect("send");
    const now = performance.now();
    link.tick(now + LINK_SILENCE_MS - 1000);
    expect(carrier.isClosed).toBe(false);
    link.tick(now + LINK_SILENCE_MS + 1000);
    expect(await carrier.next("bye")).toEqual({ t: "bye", code: FAILURES["relay/unreachable"].wire });
    expect(carrier.isClosed).toBe(true);
  });

  it("[RELAY-43] ends when a sender stops inside an object, whatever else it says, and not between two", async () => {
    await using at = await stage();
    const { carrier, link } = await at.connect("send");
    await carrier.put(pack(0));
    await carrier.next("ack");
    const passTo = steer(carrier, link);
    passTo(16);
    expect(carrier.isClosed).toBe(false);
    await carrier.handler?.objectBytes(0, encodeHeader(pack(1).header));
    passTo(32);
    expect(await carrier.next("bye")).toEqual({ t: "bye", code: FAILURES["relay/unreachable"].wire });
  });

  it("[RELAY-43] ends when a receiver takes nothing for five minutes, and not while it takes something", async () => {
    await using at = await stage();
    const sender = (await at.connect("send")).carrier;
    await sender.put(pack(0));
    await sender.next("ack");
    const { carrier, link } = await at.connect("receive");
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    carrier.stalled = first.promise;
    carrier.openOutput();
    void carrier.frame({ t: "want", kind: "pack", index: 0 });
    await carrier.until(() => carrier.sentSlices === 1);
    const passTo = steer(carrier, link);
    passTo(290);
    carrier.stalled = second.promise;
    first.resolve();
    await carrier.until(() => carrier.sentSlices === 2);
    passTo(580);
    expect(carrier.isClosed).toBe(false);
    passTo(600);
    expect(await carrier.next("bye")).toEqual({ t: "bye", code: FAILURES["relay/unreachable"].wire });
    second.resolve();
  });

  it("[RELAY-52] keeps its claim as long as it is connected, and 15 minutes longer", async () => {
    await using at = await stage();
    const { carrier, link } = await at.connect("receive", at.readToken);
    const { access } = at.store;
    void carrier.frame({ t: "claim", claim: at.download.claim });
    expect(await carrier.next("claimed")).toEqual({ t: "claimed", code: 0 });
    const begun = 2_000_000;
    expect(await access.findClaim(at.download)).toBe(begun + 15 * MINUTE);
    at.pass(4 * MINUTE);
    link.tick(performance.now());
    expect(await access.findClaim(at.download)).toBe(begun + 15 * MINUTE);
    for (let minute = 5; minute < 30; minute += 5) {
      at.pass(5 * MINUTE);
      link.tick(performance.now());
      await vi.waitUntil(async () => (await access.findClaim(at.download)) === begun + (minute + 4 + 15) * MINUTE);
    }
    at.pass(2 * MINUTE);
    carrier.handler?.closed();
    await vi.waitUntil(async () => (await access.findClaim(at.download)) === begun + (31 + 15) * MINUTE);
  });

  it("[RELAY-52] takes no claim for an owner, whose reading is not counted", async () => {
    await using at = await stage();
    const { carrier } = await at.connect("receive");
    void carrier.frame({ t: "claim", claim: at.download.claim });
    expect(await carrier.next("claimed")).toEqual({ t: "claimed", code: 0 });
    expect(await at.store.access.findClaim(at.download)).toBeUndefined();
  });

  it("[RELAY-32] reads no more of an object than a slow peer takes, on each of its streams", async () => {
    const slabs = new SlabPool(2 * SLAB_BYTES);
    await using at = await stage(Promise.resolve(), slabs);
    const sender = (await at.connect("send")).carrier;
    for (const index of [0, 1, 2]) {
      await sender.put(pack(index));
      await sender.next("ack");
    }
    const { carrier } = await at.connect("receive");
    const gate = Promise.withResolvers<void>();
    carrier.stalled = gate.promise;
    for (let stream = 0; stream < 3; stream++) carrier.openOutput();
    for (const index of [0, 1, 2]) void carrier.frame({ t: "want", kind: "pack", index });
    await carrier.until(() => carrier.sentSlices === 3);
    carrier.stalled = undefined;
    gate.resolve();
    await carrier.until(() => carrier.objects.length === 3);
    expect(carrier.objects.map(({ header }) => header.index).sort()).toEqual([0, 1, 2]);
  });

  it("[RELAY-16] drops a peer that does not read its frames", async () => {
    await using at = await stage();
    const { carrier } = await at.connect("send");
    carrier.controlBacklog = 2 * MIB;
    void carrier.frame({ t: "ping", n: 1 });
    expect(carrier.isClosed).toBe(true);
  });

  it("[RELAY-72] drops signals for a peer that does not read, which they never end", async () => {
    await using at = await stage();
    const live = (await at.services.portals.find(at.download.key))?.live;
    if (live === undefined) throw new Error("no portal");
    await at.services.portals.rules.change(live, { maxDownloads: null });
    const [from, to] = [(await at.connect("send")).carrier, (await at.connect("receive")).carrier];
    const body = new Uint8Array(MAX_SIGNAL_BYTES).fill(7);
    to.controlBacklog = 256 * 1024 + 1;
    for (let i = 0; i < 50; i++) void from.frame({ t: "signal", to: 2, body });
    expect(to.isClosed).toBe(false);
    to.controlBacklog = 256 * 1024;
    void from.frame({ t: "signal", to: 2, body: Uint8Array.of(9) });
    expect(await to.next("signal")).toEqual({ t: "signal", from: 1, body: Uint8Array.of(9) });
    expect(from.isClosed).toBe(false);
  });

  it("[RELAY-15] tells a slow peer only the latest state", async () => {
    await using at = await stage();
    const { carrier, link } = await at.connect("receive");
    carrier.controlBacklog = 512 * 1024;
    const visitors = [await at.connect("send"), await at.connect("receive")];
    for (const visitor of visitors) visitor.carrier.handler?.closed();
    const last = await at.connect("send");
    carrier.controlBacklog = 0;
    link.tick(performance.now());
    expect(await carrier.next("state")).toMatchObject({ state: { senders: 1, receivers: 1 } });
    last.carrier.handler?.closed();
  });

  it("[RELAY-32] gives back what a cut upload held in memory", async () => {
    await using at = await stage();
    const { carrier } = await at.connect("send");
    const object = pack(0);
    await carrier.handler?.objectBytes(0, encodeHeader(object.header));
    await carrier.handler?.objectBytes(0, object.bytes.subarray(0, 100_000));
    expect(at.budget.used).toBe(100_000);
    carrier.handler?.closed();
    expect(at.budget.used).toBe(0);
  });
});
