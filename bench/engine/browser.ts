/**
 * The measurement in Chromium: builds the page, serves it, and takes what its worker found. Bytes stay in the worker, so
 * that it costs nothing that a debugging client drives the browser.
 *
 * @module
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { launchBrowser } from "../../tests/support/chromium.ts";
import { type KernelData, loadKernelData } from "../kernels/data.ts";
import { removeFolder, temporaryFolder } from "../lib/cleanup.ts";
import { buildPages } from "../transfer/pages-build.ts";
import { DATA_NAMES } from "./data.ts";
import type { Extent, Findings, Host } from "./measure.ts";
import type { BenchScope } from "./pages/page.ts";

const SHELL =
  '<!doctype html><html lang="en"><title>Engine bench</title><script type="module" src="/page.js"></script>';
const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".wasm": "application/wasm" };

/** Measures in a worker of a Chromium that is started for it with these switches, too. */
export async function measureInBrowser(
  extent: Extent,
  switches: readonly string[],
  { tell, began, ended }: Pick<Host, "tell" | "began" | "ended">,
): Promise<Findings> {
  const folder = await temporaryFolder("engine-pages");
  await buildPages(folder, "bench/engine/pages/page.ts");
  await using server = await servePages(folder, loadKernelData());
  const browser = await launchBrowser({ gpu: true, args: switches });
  try {
    const page = await browser.newPage();
    await page.exposeFunction("report", (event: string, value: unknown) => {
      if (event === "began") began();
      else if (event === "ended") ended();
      else tell(String(value));
    });
    await page.goto(server.url);
    const findings = await page.evaluate((given) => (globalThis as unknown as BenchScope).measure(given), extent);
    return { ...findings, browser: `Chromium ${browser.version()}, worker` };
  } finally {
    await browser.close();
    await removeFolder(folder);
  }
}

/** Serves the built page, and the data sets below `/data/`, on a free port. */
async function servePages(folder: string, data: KernelData): Promise<AsyncDisposable & { readonly url: string }> {
  const bodyOf = async (path: string): Promise<Uint8Array | string | undefined> => {
    if (path === "/") return SHELL;
    const name = DATA_NAMES.find((each) => path === `/data/${each}`);
    return name === undefined ? readFile(join(folder, normalize(path))).catch(() => undefined) : data[name];
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const body = await bodyOf(pathname);
    const type = pathname === "/" ? "text/html" : (TYPES[extname(pathname)] ?? "application/octet-stream");
    response.writeHead(body === undefined ? 404 : 200, { "Content-Type": type }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://localhost:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
