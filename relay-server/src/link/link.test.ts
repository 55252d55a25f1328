import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAILURES } from "../../../core/failure.ts";
import { LINK_SILENCE_MS, MIB, SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../../../core/units.ts";
import {
  type ClientFrame,
  decodeRelayFrame,
  encodeFrame,
  PROTOCOL_VERSION,
  type RelayFrame,
} from "../../../core/wire/frame.ts";
import { encodeHeader, ObjectReader, type SealedObject } from "../../../core/wire/object.ts";
import { newPortal } from "../../../tests/contract/store-suite.ts";
import { random, sealed, sha256 } from "../../../tests/integration/relay-client.ts";
import { ByteBudget } from "../byte-budget.ts";
import { fromHex } from "../bytes.ts";
import { Logger } from "../log.ts";
import { Metrics } from "../metrics.ts";
import { Portals } from "../portal/portals.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Carrier, CarrierHandler } from "./carrier.ts";
import { Link } from "./link.ts";
import { SLAB_BYTES, SlabPool } from "./slab-pool.ts";

/** A carrier whose peer is the test. */
class FakeCarrier implements Carrier {
  readonly kind = "webtransport";
  readonly address = "test";
  controlBacklog = 0;
  isClosed = false;
  readonly objects: SealedObject[] = [];
  /** While set, the peer takes no object bytes. */
  stalled: Promise<void> | undefined;
  sentSlices = 0;
  handler: CarrierHandler | undefined;
  readonly #frames: RelayFrame[] = [];
  #wake: () => void = () => {};

  start(handler: CarrierHandler): void {
    this.handler = handler;
  }
  sendFrame(frame: Uint8Array<ArrayBuffer>): void {
    this.#frames.push(decodeRelayFrame(frame));
    this.#wake();
  }
  close(): void {
    this.isClosed = true;
    this.#wake();
  }
  openOutput(): void {
    const reader = new ObjectReader({
      begin: (header) => new Uint8Array(header.length),
      end: (object) => {
        this.objects.push(object);
        this.#wake();
      },
    });
    this.handler?.output({
      headroom: 0,
      write: async (slice) => {
        this.sentSlices++;
        this.#wake();
        await this.stalled;
        reader.push(slice);
      },
    });
  }
  frame(frame: ClientFrame): Promise<void> | undefined {
    return this.handler?.frame(encodeFrame(frame));
  }
  put({ header, bytes }: SealedObject, stream = 0): Promise<void> | undefined {
    return this.handler?.objectBytes(stream, Buffer.concat([encodeHeader(header), bytes]));
  }
  async next(t: RelayFrame["t"]): Promise<RelayFrame> {
    await this.until(() => this.#frames.some((frame) => frame.t === t));
    const at = this.#frames.findIndex((frame) => frame.t === t);
    return this.#frames.splice(at, 1)[0] as RelayFrame;
  }
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

interface Stage extends AsyncDisposable {
  readonly portal: { readonly id: Uint8Array; readonly ownerToken: Uint8Array };
  readonly services: ConstructorParameters<typeof Link>[1];
  readonly budget: ByteBudget;
  connect(role: "send" | "receive"): Promise<{ carrier: FakeCarrier; link: Link }>;
}

/** @param held while unsettled, objects do not become durable */
async function stage(held: Promise<void> = Promise.resolve(), slabs = new SlabPool(MIB)): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), "warp-link-"));
  const limits = { maxPortalBytes: 2 ** 30, maxStoreBytes: 2 ** 30, maxPortals: 10, minFreeBytes: 0 };
  const real = await openSqliteStore({ ...limits, dataDir });
  const storing: Promise<unknown>[] = [];
  const store: Store = Object.create(real, {
    receive: {
      value: async (...args: Parameters<Store["receive"]>) => {
        const incoming = await real.receive(...args);
        const stored = incoming.store.bind(incoming);
        incoming.store = () => {
          const work = held.then(stored);
          storing.push(work.catch(() => undefined));
          return work;
        };
        return incoming;
      },
    },
  });
  for (const name of ["find", "open", "createPortal", "loadPortal", "heldIndexes", "endPortal"] as const)
    Object.defineProperty(store, name, { value: (real[name] as (...args: never[]) => unknown).bind(real) });
  const budget = new ByteBudget(MIB);
  const portals = new Portals({ store, budget }, { now: () => 2_000_000 });
  const ownerToken = random(32);
  const row = newPortal({ ownerTokenHash: sha256(ownerToken) });
  await real.createPortal(row);
  const services = { portals, slabs, metrics: new Metrics(), log: new Logger("silent") };
  const portal = { id: fromHex(row.key), ownerToken };
  return {
    portal,
    services,
    budget,
    async connect(role) {
      const carrier = new FakeCarrier();
      const link = new Link(carrier, services, () => undefined);
      void carrier.frame({ t: "hello", v: PROTOCOL_VERSION, portal: portal.id, role, token: ownerToken });
      await carrier.next("welcome");
      return { carrier, link };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(storing);
      await real.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

const pack = (index: number) => sealed("pack", index, SEALED_PACK_BYTES);

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
