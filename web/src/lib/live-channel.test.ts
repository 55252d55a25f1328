import { afterEach, describe, expect, it, vi } from "vitest";
import type { TransferSnapshot } from "../../../core/transfer/snapshot.ts";
import { EDGES } from "../../../tests/support/scripted-edges.ts";
import { Announcer, type LiveMessage, type LiveTransfer, openLive, readMessage } from "./live-channel.ts";

const TRANSFER: LiveTransfer = {
  id: "a",
  direction: "receive",
  state: "running",
  waitingFor: null,
  bytesDone: 10,
  bytesTotal: 20,
  bytesPerSecond: 5,
  etaSeconds: 2,
  bottleneck: null,
  edges: EDGES,
};

const SNAPSHOT: TransferSnapshot = {
  ...TRANSFER,
  entriesDone: 0,
  entriesTotal: 1,
  listed: true,
  engine: { kind: "cpu", gpuStages: [], reason: "small-input", adapter: null, figures: null },
  path: "mixed",
  carrier: "websocket",
  pathReason: null,
  waitingCode: null,
  nextTryMs: null,
  wireBytes: 0,
  knownBytes: 0,
  resumable: false,
  failure: null,
  peers: 0,
  expiresAtMs: null,
};

/** Another tab. */
function listen(): { readonly heard: LiveMessage[]; readonly tab: ReturnType<typeof openLive> } {
  const heard: LiveMessage[] = [];
  const tab = openLive((message) => heard.push(message));
  open.push(tab);
  return { heard, tab };
}

function announcer(onReplan = () => {}): Announcer {
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("removeEventListener", () => {});
  const made = new Announcer("receive", onReplan);
  open.push(made);
  return made;
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

describe("a message between tabs", () => {
  it("is taken as it is when it is whole", () => {
    for (const message of [
      { t: "transfer", transfer: TRANSFER },
      { t: "transfer", transfer: { ...TRANSFER, edges: null } },
      { t: "over", id: "a" },
      { t: "replan", id: "a" },
      { t: "ask" },
    ] as const)
      expect(readMessage(message)).toEqual(message);
  });

  it("is dropped when it has another shape, as of another version", () => {
    const edges = (change: object) => ({ t: "transfer", transfer: { ...TRANSFER, edges: { ...EDGES, ...change } } });
    const { hindrance: _, ...older } = EDGES;
    for (const data of [
      null,
      "ask",
      { t: "other" },
      { t: "over" },
      { t: "over", id: "a".repeat(65) },
      { t: "transfer", transfer: { ...TRANSFER, state: "asleep" } },
      { t: "transfer", transfer: { ...TRANSFER, bytesDone: "10" } },
      { t: "transfer", transfer: { ...TRANSFER, edges: older } },
      edges({ edges: [{ ...EDGES.edges[0], standing: "toString" }] }),
      edges({ edges: [{ ...EDGES.edges[0], health: Number.NaN }] }),
      edges({ edges: [{ ...EDGES.edges[0], name: "n".repeat(256) }] }),
      edges({ edges: Array.from({ length: 2000 }, () => EDGES.edges[0]) }),
      edges({ limit: { kind: "weather", edges: [] } }),
      edges({ replans: [{ ...EDGES.replans[0], causes: [{ cause: "whim", edges: [], value: 0 }] }] }),
    ])
      expect(readMessage(data)).toBeNull();
  });

  it("holds nothing of a transfer but what is announced", () => {
    const message = { t: "transfer", transfer: { ...TRANSFER, link: "/p/x#secret", name: "a.txt" } };
    expect(readMessage(message)).toEqual({ t: "transfer", transfer: TRANSFER });
  });
});

describe("an announcer", () => {
  it("tells about twice a second and at each change of state, and nothing before the transfer begins", async () => {
    const { heard } = listen();
    const one = announcer();
    one.tell({ ...SNAPSHOT, state: "preparing" }, 0);
    for (let ms = 0; ms <= 1000; ms += 100) one.tell({ ...SNAPSHOT, bytesDone: ms }, ms);
    one.tell({ ...SNAPSHOT, state: "paused" }, 1010);
    await vi.waitFor(() => expect(heard).toHaveLength(4));
    const told = heard.map(
      (message) => message.t === "transfer" && [message.transfer.state, message.transfer.bytesDone],
    );
    expect(told).toEqual([
      ["running", 0],
      ["running", 500],
      ["running", 1000],
      ["paused", 10],
    ]);
    const [first] = heard;
    expect(first?.t === "transfer" && Object.keys(first.transfer).sort()).toEqual(Object.keys(TRANSFER).sort());
  });

  it("says nothing of a transfer that was never running", async () => {
    const { heard } = listen();
    announcer().tell({ ...SNAPSHOT, state: "failed" }, 0);
    const other = announcer();
    other.tell(SNAPSHOT, 0);
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard[0]).toMatchObject({ transfer: { state: "running" } });
  });

  it("answers who asks, passes a wish for a new plan on, and says when its tab leaves", async () => {
    const onReplan = vi.fn();
    const one = announcer(onReplan);
    one.tell(SNAPSHOT, 0);
    const { heard, tab } = listen();
    tab.post({ t: "ask" });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    const id = heard[0]?.t === "transfer" ? heard[0].transfer.id : "";
    tab.post({ t: "replan", id: "another" });
    tab.post({ t: "replan", id });
    await vi.waitFor(() => expect(onReplan).toHaveBeenCalledTimes(1));
    one.close();
    await vi.waitFor(() => expect(heard.at(-1)).toEqual({ t: "over", id }));
  });
});
