/**
 * Every kind of sink in a real Chromium, through one contract; and what each kind promises beyond it.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { Browser, Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Arrived, file, type Outcome, SINK_CASES, type SinkCase, sha256 } from "../contract/sink-cases.ts";
import { type SinkServer, serveSinks } from "../contract/sink-server.ts";
import { describeSink } from "../contract/sink-suite.ts";
import { launchBrowser } from "../support/chromium.ts";
import { readZip } from "../support/zip.ts";

let server: SinkServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await serveSinks();
  browser = await launchBrowser();
  page = await newPage();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function newPage(): Promise<Page> {
  const opened = await (await browser.newContext()).newPage();
  await opened.goto(server.url);
  await opened.waitForFunction(() => "sinks" in window);
  return opened;
}

function inWorker<T>(name: Parameters<Window["sinks"]["inWorker"]>[0], argument: unknown, on = page): Promise<T> {
  return on.evaluate(([name, argument]) => window.sinks.inWorker(name, argument), [
    name,
    argument,
  ] as const) as Promise<T>;
}

interface Downloaded {
  readonly download: Download;
  /** What the job in the worker gave, or the code of its failure. */
  readonly result: Promise<unknown>;
}

/** Starts a job that downloads. */
async function startDownload(
  name: "download" | "exportEverything" | "fillStream",
  argument: unknown,
): Promise<Downloaded> {
  const started = page.waitForEvent("download");
  const result = page.evaluate(
    ([name, argument]) => window.sinks.inWorkerDownloading(name, argument).catch((error: Error) => error.message),
    [name, argument] as const,
  );
  return { download: await started, result };
}

/** What is in a downloaded file: itself, or the entries of the archive. */
async function contents(name: string, bytes: Uint8Array<ArrayBuffer>, each: SinkCase): Promise<Arrived[]> {
  const only = each.entries[0];
  if (each.closed && each.entries.length === 1 && only?.kind === "file") {
    expect(name).toBe(only.path.slice(only.path.lastIndexOf("/") + 1));
    return [{ kind: "file", path: only.path, size: bytes.length, hash: await sha256(bytes) }];
  }
  expect(name).toBe("Everything.zip");
  const entries = await readZip(bytes);
  for (const { kind, mtime } of entries) {
    if (kind === "file") expect(Math.abs(mtime.getTime() - Date.UTC(2020, 5, 15, 12, 30, 20))).toBeLessThan(2000);
  }
  return Promise.all(
    entries.map(async ({ kind, path, bytes }) => ({
      kind,
      path,
      size: bytes.length,
      hash: kind === "file" ? await sha256(bytes) : "",
    })),
  );
}

async function runDownload(each: SinkCase): Promise<Outcome> {
  const { download, result } = await startDownload("download", each);
  const failure = (await result) as string | null;
  const broken = await download.failure();
  if (broken !== null) return { failure, arrived: null, renamed: [] };
  const bytes = new Uint8Array(await readFile(await download.path()));
  await download.delete();
  return { failure, arrived: await contents(download.suggestedFilename(), bytes, each), renamed: [] };
}

async function runBlob(each: SinkCase): Promise<Outcome> {
  const made = await page.evaluate((each) => window.sinks.blobBytes(each), each);
  if (made === null || made.name === "") return { failure: made?.failure ?? null, arrived: null, renamed: [] };
  const bytes = new Uint8Array(Buffer.from(made.bytes, "base64"));
  return { failure: made.failure, arrived: await contents(made.name, bytes, each), renamed: [] };
}

describeSink({ name: "directory", keepsWholeFiles: true, archives: false, run: (each) => inWorker("directory", each) });
describeSink({
  name: "directory (where nothing can be moved)",
  keepsWholeFiles: true,
  archives: false,
  run: (each) => inWorker("directoryWithoutMove", each),
});
describeSink({
  name: "directory (through writable streams)",
  keepsWholeFiles: true,
  archives: false,
  run: (each) => page.evaluate((each) => window.sinks.runDirectory(each), each),
});
describeSink({ name: "private", keepsWholeFiles: true, archives: false, run: (each) => inWorker("private", each) });
describeSink({ name: "download", keepsWholeFiles: false, archives: true, run: runDownload });
describeSink({ name: "blob", keepsWholeFiles: false, archives: true, run: runBlob });

describe("the directory sink", () => {
  it("overwrites nothing, merges folders, keeps its own folder's name free and clears what dead ones left", async () => {
    expect(await page.evaluate(() => window.sinks.intoUsedFolder())).toEqual({
      kept: "mine",
      paths: [".warp-partial (2)/x", "a (2).txt", "a.txt", "b", "b (2)", "c", "c (2)/d", "c (2)/e"],
      renamed: [".warp-partial > .warp-partial (2)", "a.txt > a (2).txt", "b > b (2)", "c > c (2)"],
    });
  });

  it.each(["../up", "/root", "a//b", "a/../b", "nul\u0000", ".", "a/..", "..\\up", "x".repeat(256)])(
    "refuses the path %j",
    async (path) => {
      expect(await page.evaluate((path) => window.sinks.codeOfPath(path), path)).toBe("path/rejected");
    },
  );

  it("says which names the target could not take", async () => {
    const hostile = SINK_CASES.find(({ rule }) => rule === "gives hostile names");
    const { renamed } = await inWorker<Outcome>("directory", hostile);
    expect(renamed).toEqual([["back\\slash", "back%5Cslash"]]);
  });

  it("fails with sink/full when the space runs out, and leaves nothing incomplete", async () => {
    const other = await newPage();
    const client = await other.context().newCDPSession(other);
    await client.send("Storage.overrideQuotaForOrigin", { origin: server.url, quotaSize: 8 * 1024 * 1024 });
    const big: SinkCase = {
      rule: "",
      entries: [file("fits.bin", 1024), file("does not.bin", 64 * 1024 * 1024)],
      closed: true,
      slice: 1024 * 1024,
      end: "finish",
    };
    for (const job of ["directory", "directoryWithoutMove"] as const) {
      const outcome = await inWorker<Outcome>(job, big, other);
      expect(outcome.failure).toBe("sink/full");
      expect(outcome.arrived?.map(({ path }) => path)).toEqual(["fits.bin"]);
    }
    const streamed = await other.evaluate((each) => window.sinks.runDirectory(each), big);
    expect(streamed.failure).toBe("sink/full");
    expect(streamed.arrived?.map(({ path }) => path)).toEqual(["fits.bin"]);
    // The private sink knows before the first byte.
    expect((await inWorker<Outcome>("private", big, other)).failure).toBe("sink/full");
    await other.context().close();
  });
});
