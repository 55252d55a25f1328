/**
 * Millions of damaged inputs for everything that decodes what strangers, networks and disks give.
 *
 * @module
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { readState } from "../../core/edge/http-answer.ts";
import { Failure } from "../../core/failure.ts";
import { Manifest } from "../../core/manifest/manifest.ts";
import { decodePage } from "../../core/manifest/page.ts";
import type { PortalStateJson } from "../../core/portal/portal.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { parseLink } from "../../core/seal/link.ts";
import { decodeClientFrame, decodeRelayFrame } from "../../core/wire/frame.ts";
import { effortMs } from "../support/fake-effort.ts";
import { loadEngine } from "../support/kernels.ts";
import {
  answers,
  clientFrames,
  frameStream,
  frames,
  manifestPages,
  manifests,
  objectStream,
  receivedRecords,
  relayFrames,
  sentRecords,
  shareLinks,
} from "./fuzz/decoders.ts";
import { judge, MAX_CALL_MS, type Target, type Verdict } from "./fuzz/judge.ts";
import { largestFrames, largestLinks, largestPages, largestStates } from "./fuzz/largest.ts";
import { descriptions, peerMessages } from "./fuzz/peers.ts";
import { noteFigures } from "./lab/figures.ts";
import { rounds } from "./scale.ts";

vi.setConfig({ testTimeout: 600_000 });

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

/** Inputs of the short form for each thousand of the full one. */
const SHORT = 10;

async function hold<T>(target: Target<T>, thousands: number): Promise<Verdict> {
  const verdict = await judge(target, rounds(thousands * SHORT, thousands * 1000));
  noteFigures(`S7 ${target.name}`, { ...verdict });
  return verdict;
}

describe("S7: damaged inputs, ten million in all, end only in failures with codes, fast, and leave nothing behind:", () => {
  it("frames of clients", async () => {
    expect((await hold(clientFrames(101), 2300)).accepted).toBeGreaterThan(0);
  });
  it("frames of relays", async () => {
    expect((await hold(relayFrames(102), 2300)).accepted).toBeGreaterThan(0);
  });
  it("frames on a stream", async () => {
    expect((await hold(frameStream(103), 500)).accepted).toBeGreaterThan(0);
  });
  it("objects on a stream", async () => {
    expect((await hold(objectStream(104), 2300)).accepted).toBeGreaterThan(0);
  });
  it("messages of peers", async () => {
    expect((await hold(peerMessages(113), 700)).accepted).toBeGreaterThan(0);
  });
  it("descriptions of connections", async () => {
    expect((await hold(descriptions(114), 100)).accepted).toBeGreaterThan(0);
  });
  it("manifest pages", async () => {
    expect((await hold(manifestPages(105), 700)).accepted).toBeGreaterThan(0);
  });
  it("whole manifests", async () => {
    expect((await hold(manifests(106), 400)).accepted).toBeGreaterThan(0);
  });
  it("share links", async () => {
    expect((await hold(shareLinks(107), 700)).accepted).toBeGreaterThan(0);
  });
  it("records of a send", async () => {
    expect((await hold(sentRecords(108), 300)).accepted).toBeGreaterThan(0);
  });
  it("records of a receive", async () => {
    expect((await hold(receivedRecords(109), 200)).accepted).toBeGreaterThan(0);
  });
  it("answers over plain HTTP", async () => {
    expect((await hold(answers(110), 300)).accepted).toBeGreaterThan(0);
  });
  it("LZ4 frames", async () => {
    expect((await hold(await frames("lz4", engine, 111), 150)).accepted).toBeGreaterThan(0);
  });
  it("Zstandard frames", async () => {
    expect((await hold(await frames("zstd", engine, 112), 150)).accepted).toBeGreaterThan(0);
  });
});

describe("S7: an input as large as is allowed, made to cost as much as it can,", () => {
  /** 2,000 paths of 63 folders each are 126,000 folders to remember, which is more than decoding. */
  const appendMs = 2 * MAX_CALL_MS;
  it.each<[string, () => readonly (() => unknown)[], number?]>([
    ["a frame of a relay", () => largestFrames().map((bytes) => () => decodeRelayFrame(bytes))],
    ["a frame of a client", () => largestFrames().map((bytes) => () => decodeClientFrame(bytes))],
    ["a page", () => largestPages().map((bytes) => () => decodePage(bytes))],
    ["a page of a manifest", () => largestPages().flatMap(appending), appendMs],
    ["a state", () => largestStates().map((state) => () => readState(state as PortalStateJson))],
    ["a link", () => largestLinks().map((text) => () => parseLink(text))],
  ])("takes less than 50 ms: %s", (what, make, maxMs = MAX_CALL_MS) => {
    const calls = make();
    const efforts = calls.map(leastEffortMs);
    noteFigures(`S7 largest ${what}`, { inputs: calls.length, slowestMs: Math.max(...efforts) });
    expect(Math.max(...efforts), `${efforts.map((ms) => ms.toFixed(1))}`).toBeLessThan(maxMs);
  });
});

/** Appending what the bytes decode to, if they do. */
function appending(bytes: Uint8Array): (() => unknown)[] {
  try {
    const page = decodePage(bytes);
    return [() => new Manifest().append(page)];
  } catch {
    return [];
  }
}

/** Processor time of a call that may fail with a code; tried again where the machine was busy with something else. */
function leastEffortMs(call: () => unknown): number {
  const work = () => {
    try {
      call();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  };
  let ms = effortMs(work);
  for (let tries = 0; tries < 10 && ms >= MAX_CALL_MS; tries++) ms = Math.min(ms, effortMs(work, 1));
  return ms;
}
