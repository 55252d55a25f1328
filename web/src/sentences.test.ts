import { describe, expect, it } from "vitest";
import type { TransferSnapshot } from "../../core/transfer/snapshot.ts";
import { EDGES } from "../../tests/support/scripted-edges.ts";
import { FAILURE_MESSAGES } from "./messages.ts";
import { HINDRANCES, paceSentence, pathSentence, stateAnnouncement, stateName } from "./sentences.ts";

const snapshot: TransferSnapshot = {
  state: "running",
  bytesDone: 0,
  bytesTotal: 0,
  entriesDone: 0,
  entriesTotal: 0,
  listed: true,
  engine: { kind: "cpu", gpuStages: [], reason: "no-webgpu", adapter: null, figures: null },
  path: "tcp",
  carrier: "websocket",
  pathReason: "webtransport-blocked",
  edges: null,
  bytesPerSecond: 0,
  etaSeconds: null,
  bottleneck: "network",
  waitingFor: null,
  waitingCode: null,
  nextTryMs: null,
  wireBytes: 0,
  knownBytes: 0,
  resumable: false,
  failure: null,
  peers: 0,
  expiresAtMs: null,
};

describe("sentences of a snapshot", () => {
  it("say the path and why", () => {
    expect(pathSentence(snapshot)).toBe("Using TCP (WebSocket): UDP did not answer within 3 seconds.");
    expect(pathSentence({ ...snapshot, path: null })).toBeNull();
  });

  it("say nothing of a carrier over which nothing comes now", () => {
    const silent = { ...snapshot, carrier: "webtransport", pathReason: "first-choice" } as const;
    expect(pathSentence(silent)).toBe("Using TCP.");
    expect(pathSentence({ ...silent, path: "webtransport" })).toMatch(/^Using WebTransport \(HTTP\/3 over UDP\): /);
  });

  it("say of several ways at once only the relay's carrier and reason", () => {
    expect(pathSentence({ ...snapshot, path: "mixed" })).toBe(
      "Using several ways at once; the relay by WebSocket: UDP did not answer within 3 seconds.",
    );
    expect(pathSentence({ ...snapshot, path: "peer", carrier: null })).toBe(
      "Using direct connections between devices.",
    );
  });

  it("say the bottleneck while running and nothing while paused", () => {
    expect(paceSentence(snapshot)).toContain("network");
    expect(paceSentence({ ...snapshot, state: "paused" })).toBeNull();
  });

  it("say what carries it and what limits it, in place of the bottleneck, once edges carry something", () => {
    expect(paceSentence({ ...snapshot, edges: EDGES })).toBe(
      "1\u00a0relay and 1\u00a0peer, 84\u00a0MB/s, limited by the way to relay-a.example.",
    );
    const idle = { ...EDGES, edges: EDGES.edges.map((edge) => ({ ...edge, bytesPerSec: 0 })) };
    expect(paceSentence({ ...snapshot, edges: idle })).toBe("The network sets the pace.");
    expect(paceSentence({ ...snapshot, state: "done", edges: EDGES })).toBeNull();
  });

  it("say why it is held back on this device", () => {
    const waiting = { ...snapshot, state: "waiting", waitingFor: "rules" } as const;
    const held = (hindrance: keyof typeof HINDRANCES) => ({ ...waiting, edges: { ...EDGES, hindrance } });
    expect(stateName("send", waiting)).toBe("Held back on this device");
    expect(paceSentence(waiting)).toBeNull();
    expect(paceSentence(held("quiet"))).toContain("quiet hours");
    expect(stateAnnouncement("receive", held("battery"))).toBe(
      "Held back on this device. The battery is low: this goes on by itself when the device is charging. Fastest, chosen on the dashboard, does not wait.",
    );
    for (const hindrance of Object.keys(HINDRANCES) as (keyof typeof HINDRANCES)[])
      expect(paceSentence(held(hindrance))).toBe(HINDRANCES[hindrance]);
  });

  it("say what is waited for and when the next try is", () => {
    const waiting = { ...snapshot, state: "waiting", waitingFor: "relay", nextTryMs: 3200 } as const;
    expect(stateName("send", waiting)).toBe("Waiting for the relay");
    expect(paceSentence(waiting)).toBe("Next try in 4\u00a0s.");
    expect(paceSentence({ ...waiting, nextTryMs: 0 })).toBe("Trying now.");
    expect(paceSentence({ ...waiting, waitingFor: "sender", nextTryMs: null })).toBeNull();
  });

  it("say why the relay is waited for, with the failure's own sentence where there is no shorter one", () => {
    const waiting = { ...snapshot, state: "waiting", waitingFor: "relay", nextTryMs: 3200 } as const;
    expect(paceSentence({ ...waiting, waitingCode: "relay/full" })).toBe(
      "It has no room left, and takes more as soon as there is some. Next try in 4\u00a0s.",
    );
    expect(paceSentence({ ...waiting, waitingCode: "relay/foreign", nextTryMs: null })).toContain("sign in");
    expect(paceSentence({ ...waiting, waitingCode: "object/hash" })).toContain(FAILURE_MESSAGES["object/hash"].what);
    expect(paceSentence({ ...waiting, waitingFor: "sender", waitingCode: "relay/full", nextTryMs: null })).toBeNull();
  });

  it("say what becomes of a paused portal and of a turn that is waited for", () => {
    const waiting = { ...snapshot, state: "waiting", waitingFor: "owner" } as const;
    expect(stateName("receive", waiting)).toBe("Paused by its owner");
    expect(paceSentence(waiting)).toContain("until its owner lets it go on");
    expect(stateName("receive", { ...waiting, waitingFor: "turn" })).toContain("Waiting for a turn");
    expect(paceSentence({ ...waiting, waitingFor: "turn", nextTryMs: 3000 })).toMatch(/by itself .* Next try in 3/);
  });

  it("say a state aloud with its reason and without a number that ticks", () => {
    const waiting = { ...snapshot, state: "waiting", waitingFor: "relay", waitingCode: "relay/stopping" } as const;
    const said = stateAnnouncement("send", { ...waiting, nextTryMs: 4000 });
    expect(said).toBe("Waiting for the relay. It is being restarted.");
    expect(stateAnnouncement("send", { ...waiting, nextTryMs: 1000 })).toBe(said);
    expect(stateAnnouncement("send", snapshot)).toBe("Sending");
  });

  it("name each state for both directions", () => {
    expect(stateName("send", snapshot)).toBe("Sending");
    expect(stateName("receive", { ...snapshot, state: "done" })).toBe("Everything is received and verified");
  });
});
