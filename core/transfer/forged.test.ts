import { beforeAll, describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { MemorySink } from "../../tests/support/fake-host.ts";
import { FakeRelay } from "../../tests/support/fake-relay.ts";
import { createPortal, startReceive } from "../../tests/support/fake-transfer.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { Failure } from "../failure.ts";
import { merkleRoot } from "../hash/merkle.ts";
import { encodePage, type Page } from "../manifest/page.ts";
import type { Engine } from "../ports/engine.ts";
import { createSealBuffer, seal } from "../seal/seal.ts";
import { MAX_SEALED_PAGE_BYTES, SEALED_PACK_BYTES } from "../units.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

const random = noise(90_000, "random");

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "resolved";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("what a receiver is sent by strangers", () => {
  interface Forgery {
    readonly page?: (page: Page) => Page;
    /** Payload of pack 0. */
    readonly payload?: Uint8Array;
    readonly packFinal?: boolean;
    readonly pageFinal?: boolean;
    readonly afterSeal?: (relay: FakeRelay) => void;
  }

  /** A portal of one file of three chunks, sealed by hand with one thing wrong. */
  async function receiveForged({
    page = (same) => same,
    payload,
    packFinal = true,
    pageFinal = true,
    afterSeal,
  }: Forgery) {
    const relay = new FakeRelay();
    const portal = await createPortal();
    const { keys, link } = portal;
    const content = payload ?? random.subarray(0, 90_000);
    const buffer = createSealBuffer(SEALED_PACK_BYTES);
    buffer.room.set(content);
    const pack = await seal(keys.pack, link.portal, "pack", 0, packFinal, buffer, content.length);
    const ends = Uint32Array.of(30_000, 60_000, 90_000);
    const hashes = await engine.hash(random.subarray(0, 90_000), ends);
    const root = merkleRoot("chunks", hashes);
    const good: Page = {
      entries: [{ kind: "file", path: "f", size: 90_000, mtimeMs: 0 }],
      listed: true,
      runs: [{ codec: "none", storedBytes: 90_000, chunks: 3 }],
      chunkHashes: hashes,
      chunkBytes: [30_000, 30_000, 30_000],
      events: [
        { kind: "extent", entry: 0, firstChunk: 0, chunks: 3 },
        { kind: "end", entry: 0, root },
      ],
      packHashes: pack.header.hash,
      end: { packs: 1, runs: 1, chunks: 3, entries: 1, packRoot: merkleRoot("packs", pack.header.hash) },
    };
    const pageBuffer = createSealBuffer(MAX_SEALED_PAGE_BYTES);
    const encoded = encodePage(page(good));
    pageBuffer.room.set(encoded);
    const sealedPage = await seal(keys.page, link.portal, "page", 0, pageFinal, pageBuffer, encoded.length);
    relay.objects.set("pack 0", pack);
    relay.objects.set("page 0", sealedPage);
    relay.commitment = { packs: 1, pages: 1, root: pack.header.hash };
    afterSeal?.(relay);
    const sink = new MemorySink();
    const code = await codeOf(startReceive(relay, portal, engine, sink).done);
    return { code, sink };
  }

  it("[MOVE-10] is received when nothing is wrong with it", async () => {
    const { code, sink } = await receiveForged({});
    expect([code, sink.state, sink.files.get("f")?.length]).toEqual(["resolved", "finished", 90_000]);
  });

  const swapped = noise(90_000, "swapped");
  const drop = (key: string) => (relay: FakeRelay) => {
    relay.objects.delete(key);
  };
  it.each<[string, Forgery, string]>([
    ["other bytes than the chunks' hashes", { payload: swapped }, "chunk/mismatch"],
    ["one changed bit", { payload: flip(random.subarray(0, 90_000), 44_000) }, "chunk/mismatch"],
    ["a pack that is too short", { payload: random.subarray(0, 89_999) }, "pack/forged"],
    [
      "the wrong identity of the file",
      {
        page: (page) => ({ ...page, events: page.events.with(1, { kind: "end", entry: 0, root: new Uint8Array(32) }) }),
      },
      "manifest/malformed",
    ],
    [
      "chunks in another order",
      {
        page: (page) => ({
          ...page,
          events: [
            { kind: "extent", entry: 0, firstChunk: 2, chunks: 1 },
            { kind: "extent", entry: 0, firstChunk: 1, chunks: 1 },
            { kind: "extent", entry: 0, firstChunk: 0, chunks: 1 },
            ...page.events.slice(1),
          ],
        }),
      },
      "manifest/malformed",
    ],
    [
      "the wrong codec",
      { page: (page) => ({ ...page, runs: [{ codec: "lz4", storedBytes: 89_999, chunks: 3 }] }) },
      "chunk/mismatch",
    ],
    ["a manifest that does not end", { page: (page) => ({ ...page, end: null }), pageFinal: false }, "object/absent"],
    ["a page that ends the manifest but is not final", { pageFinal: false }, "manifest/malformed"],
    ["a final page that does not end the manifest", { page: (page) => ({ ...page, end: null }) }, "manifest/malformed"],
    ["the pack of another portal", { page: (page) => ({ ...page, packHashes: noise(32, 1) }) }, "manifest/malformed"],
    ["a page that never comes", { afterSeal: drop("page 0") }, "object/absent"],
    ["a pack that never comes", { afterSeal: drop("pack 0") }, "object/absent"],
    ["a page with a bit changed by the relay", { afterSeal: damage("page 0") }, "object/corrupt"],
    ["a pack with a bit changed by the relay", { afterSeal: damage("pack 0") }, "object/corrupt"],
    [
      "a path out of the folder",
      { page: (page) => ({ ...page, entries: [{ kind: "file", path: "../f", size: 90_000, mtimeMs: 0 }] }) },
      "path/rejected",
    ],
  ])(
    "[MOVE-10] is never finished with %s",
    async (_what, forgery, expected) => {
      const { code, sink } = await receiveForged(forgery);
      expect(code).toBe(expected);
      expect([sink.state, sink.files.size, sink.open]).toEqual(["aborted", 0, 0]);
      expect(sink.abortCode).toBe(expected);
    },
    60_000,
  );
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function damage(key: string): (relay: FakeRelay) => void {
  return (relay) => {
    const object = relay.objects.get(key);
    if (object === undefined) throw new Error("no such object");
    const { bytes, header } = object;
    relay.objects.set(key, { header, bytes: flip(bytes, bytes.length >> 1) as Uint8Array<ArrayBuffer> });
  };
}
