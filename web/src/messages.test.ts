import { describe, expect, it } from "vitest";
import { FAILURES, type FailureCode } from "../../core/failure.ts";
import type { TransferSnapshot } from "../../core/transfer/snapshot.ts";
import { detailSentence, engineSentence, FAILURE_MESSAGES, paceSentence, pathSentence, stateName } from "./messages.ts";

const codes = Object.keys(FAILURES) as FailureCode[];

const snapshot: TransferSnapshot = {
  state: "running",
  bytesDone: 0,
  bytesTotal: 0,
  entriesDone: 0,
  entriesTotal: 0,
  listed: true,
  engine: { kind: "cpu", reason: "no-webgpu", adapter: null, figures: null },
  path: "tcp",
  carrier: "websocket",
  pathReason: "webtransport-blocked",
  bytesPerSecond: 0,
  etaSeconds: null,
  bottleneck: "network",
  waitingFor: null,
  nextTryMs: null,
  wireBytes: 0,
  knownBytes: 0,
  failure: null,
  peers: 0,
  expiresAtMs: null,
};

describe("failure messages", () => {
  it.each(codes)("%s has a title without a full stop and two whole sentences", (code) => {
    const { title, what, next } = FAILURE_MESSAGES[code];
    expect(title).toMatch(/^[A-Z][^.]*[^.\s]$/);
    for (const text of [what, next]) expect(text).toMatch(/^[A-Z].{15,}\.$/);
  });

  it("says nothing twice: each code has its own title", () => {
    expect(new Set(codes.map((code) => FAILURE_MESSAGES[code].title)).size).toBe(codes.length);
  });

  it("shows a code to nobody", () => {
    for (const code of codes) {
      if (code.includes("/")) expect(JSON.stringify(FAILURE_MESSAGES[code])).not.toContain(code);
    }
  });

  it("adds what the failure knows, and only that", () => {
    expect(detailSentence("portal/full", { limitBytes: 2_000_000_000 })).toBe("The limit is 2\u00a0GB.");
    expect(detailSentence("portal/full", {})).toBeNull();
    expect(detailSentence("sink/full", { neededBytes: 5_000_000, freeBytes: 1_000_000 })).toContain("are free");
    expect(detailSentence("file/changed", { entry: 0 })).toContain("number 1");
    expect(detailSentence("cancelled", { entry: 3 })).toBeNull();
  });
});

describe("sentences of a snapshot", () => {
  it("say the path and why", () => {
    expect(pathSentence(snapshot)).toBe("Using TCP (WebSocket): UDP did not answer within 3 seconds.");
    expect(pathSentence({ ...snapshot, path: null })).toBeNull();
  });

  it("say the engine and why", () => {
    expect(engineSentence(snapshot)).toBe("CPU engine: this browser offers no GPU.");
    const speeds = { cpu: { cut: 600.4, compress: 450 }, gpu: { cut: 4000, compress: 9999.6 } };
    const figures = { version: 1, adapter: "test", measuredAtMs: 0, ...speeds };
    const engine = { kind: "gpu", reason: "measured-faster", adapter: "test", figures } as const;
    expect(engineSentence({ ...snapshot, engine })).toBe(
      "GPU engine: it was measured to be faster here (cut and hash GPU 4,000\u00a0MB/s, CPU 600\u00a0MB/s, compress GPU 10,000\u00a0MB/s, CPU 450\u00a0MB/s).",
    );
  });

  it("say the bottleneck while running and nothing while paused", () => {
    expect(paceSentence(snapshot)).toContain("network");
    expect(paceSentence({ ...snapshot, state: "paused" })).toBeNull();
  });

  it("say what is waited for and when the next try is", () => {
    const waiting = { ...snapshot, state: "waiting", waitingFor: "relay", nextTryMs: 3200 } as const;
    expect(stateName("send", waiting)).toBe("Waiting for the relay");
    expect(paceSentence(waiting)).toBe("Next try in 4\u00a0s.");
    expect(paceSentence({ ...waiting, waitingFor: "sender", nextTryMs: null })).toBeNull();
  });

  it("name each state for both directions", () => {
    expect(stateName("send", snapshot)).toBe("Sending");
    expect(stateName("receive", { ...snapshot, state: "done" })).toBe("Everything is received and verified");
  });
});
