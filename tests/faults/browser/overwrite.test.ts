/**
 * S3 in a real Chromium: a folder of the browser in which something lies in the way of what is received, or comes to lie
 * there meanwhile. Nothing in it is written over. (There are no links in such a folder.)
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../support/bundle.ts";
import { launchBrowser } from "../../support/chromium.ts";
import { rounds } from "../scale.ts";
import type { Meeting, Met } from "./overwrite-page.ts";

const FILES = ["a/b/first", "a/b/second", "a/b/third", "other"];
const OBSTACLES = (["file", "folder with files", "empty file", "folder"] as const).slice(0, rounds(2, 4));
const PLACES = { "a file": "a/b/second", "its folder": "a/b", "the folder above": "a" } as const;
/** Before the receive, before its first file, between its first two files. */
const MOMENTS = [0, 1, 2] as const;

let server: Server;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  const code = await bundle("tests/faults/browser/overwrite-page.ts", "es");
  server = createServer(({ url }, response) => {
    const isCode = url === "/code.js";
    response.writeHead(200, { "Content-Type": isCode ? "text/javascript" : "text/html" });
    response.end(isCode ? code : '<!doctype html><script type="module" src="/code.js"></script>');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(`http://localhost:${typeof address === "object" && address !== null ? address.port : 0}/`);
  await page.waitForFunction(() => "meeting" in globalThis);
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

const RUNS: Readonly<Record<string, (meeting: Meeting) => Promise<Met>>> = {
  "written at once": (each) => page.evaluate((each) => meeting.meetInWorker(each), each),
  "written by streams": (each) => page.evaluate((each) => meeting.meet(each), each),
  "where nothing can be moved": (each) =>
    page.evaluate((each) => meeting.meetInWorker({ ...each, canMove: false }), each),
};

/** Where a file is: under its own path, or renamed, or in a folder that was. */
function actualOf(renamed: Met["renamed"], path: string): string {
  if (path === "") return path;
  const [folder, name] = [path.slice(0, Math.max(0, path.lastIndexOf("/"))), path.slice(path.lastIndexOf("/") + 1)];
  return renamed[path] ?? (folder === "" ? name : `${actualOf(renamed, folder)}/${name}`);
}

describe.each(Object.keys(RUNS))("S3: a folder of the browser, %s", (run) => {
  test.each(Object.entries(PLACES))("in which %s is in the way writes nothing over", async (_what, place) => {
    for (const obstacle of OBSTACLES)
      for (const before of MOMENTS) {
        const what = `${obstacle}, moment ${before}`;
        const met = await RUNS[run]?.({ place, obstacle, before, files: FILES, canMove: true });
        if (met === undefined) throw new Error("no such run");
        // What was there is there, the same.
        expect([what, met.after]).toEqual([what, expect.objectContaining(met.before)]);
        if (met.code !== null) {
          expect([what, met.code]).toEqual([what, expect.stringMatching(/^sink\/(denied|failed)$/)]);
          continue;
        }
        for (const path of FILES) {
          const actual = actualOf(met.renamed, path);
          // The first one went away with the folder in whose place something was put.
          const isGone = before === 2 && path === "a/b/first" && place !== "a/b/second";
          if (!isGone) expect([what, path, met.after[actual]]).toEqual([what, path, `file: ${path}`]);
        }
      }
  });
});
