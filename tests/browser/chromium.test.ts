import { once } from "node:events";
import { createServer } from "node:http";
import { expect, it } from "vitest";
import { launchBrowser } from "../support/chromium.ts";

/** A blank page on a secure origin, where the browser offers everything it has. */
async function onBlankPage<T>(gpu: boolean, look: () => Promise<T>): Promise<T> {
  const server = createServer((_request, response) => response.setHeader("content-type", "text/html").end("<title>x"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const browser = await launchBrowser({ gpu });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${typeof address === "object" ? address?.port : 0}/`);
    return await page.evaluate(look);
  } finally {
    await browser.close();
    server.close();
  }
}

it("gives a browser with what the product needs", async () => {
  const has = await onBlankPage(false, async () => ({
    webTransport: typeof WebTransport,
    secure: isSecureContext,
    privateFiles: typeof navigator.storage.getDirectory,
  }));
  expect(has).toEqual({ webTransport: "function", secure: true, privateFiles: "function" });
});

it("gives an adapter for WebGPU when asked", async () => {
  const hasAdapter = async (): Promise<boolean> => Boolean(await navigator.gpu?.requestAdapter());
  expect(await onBlankPage(true, hasAdapter)).toBe(true);
});
