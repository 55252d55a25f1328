/**
 * Millions of damaged inputs for everything that decodes what strangers, networks and disks give.
 *
 * @module
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Engine } from "../../core/ports/engine.ts";
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
import { judge, type Target, type Verdict } from "./fuzz/judge.ts";
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
