/**
 * S13: the headers of every kind of answer, exactly; all pages of the app visited in a real Chromium without one violation of
 * their policy, and what the policy is there to stop tried and stopped.
 *
 * @module
 */
import { createServer } from "node:http";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPortal, putObject, sealed, type TestPortal } from "../../integration/relay-client.ts";
import { launchBrowser } from "../../support/chromium.ts";
import { freePort, launchRelay, type RunningRelay } from "../../support/launch.ts";
import { openWatched } from "../../support/page-watch.ts";
import { STOPPED_BY, tryEverything } from "./attempts.ts";

let relay: RunningRelay;
/** The same relay as people reach it by TLS at another name. */
let published: RunningRelay;
let browser: Browser;
let portal: TestPortal;
beforeAll(async () => {
  const port = await freePort();
  [relay, published, browser] = await Promise.all([
    launchRelay(),
    launchRelay({ port, env: { PUBLIC_URL: `https://warp.example:${port}` } }),
    launchBrowser(),
  ]);
  portal = await createPortal(relay.url);
  await putObject(relay.url, portal, sealed("page", 0, 100));
});
afterAll(async () => {
  await browser?.close();
  await Promise.allSettled([relay?.[Symbol.asyncDispose](), published?.[Symbol.asyncDispose]()]);
});

/** Those that say when, how long and by which connection. */
const VOLATILE = new Set(["date", "content-length", "etag", "connection", "keep-alive", "transfer-encoding", "vary"]);

async function headersOf(url: string, init?: RequestInit): Promise<Record<string, string>> {
  const answer = await fetch(url, init);
  await answer.arrayBuffer();
  return Object.fromEntries([...answer.headers].filter(([name]) => !VOLATILE.has(name)));
}

const COMMON = {
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  // Not cross-origin for the API: only pages of the relay itself and programs use it.
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "permissions-policy":
    "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), payment=(), browsing-topics=()",
  "referrer-policy": "no-referrer",
  "warp-relay": "1",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
};

/**
 * The policy of the app. Where it names hosts: the relay itself, and any port of its own name for WebTransport, whose port is
 * its own and changes; no relay elsewhere, since each serves its own app.
 */
const appPolicy = (webSocket: string, webTransport: string): string =>
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; font-src 'self'; " +
  `connect-src 'self' ${webSocket} ${webTransport}:*; worker-src 'self'; manifest-src 'self'; frame-src 'none'; ` +
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types svelte-trusted-html app";

const API = {
  ...COMMON,
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
};
const JSON_TYPE = { "content-type": "application/json" };

describe("S13: headers", () => {
  test("[RELAY-29] of the app are its policy and isolation, for each page and each kind of file", async () => {
    const { port } = new URL(relay.url);
    const policy = appPolicy(`ws://localhost:${port}`, "https://127.0.0.1");
    const page = { ...COMMON, "content-security-policy": policy, "cache-control": "no-cache" };
    const html = { ...page, "content-type": "text/html; charset=utf-8" };
    for (const path of ["/", "/index.html", "/p/q3Zk1Yw0R5uT8sVbXc2NeA", "/transfers", "/dashboard", "/?path=tcp"])
      expect([path, await headersOf(relay.url + path)]).toEqual([path, html]);
    const kept = { ...page, "cache-control": "public, max-age=31536000, immutable" };
    const text = await (await fetch(relay.url)).text();
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(text)?.[1] ?? "";
    const style = /href="(\/assets\/[^"]+\.css)"/.exec(text)?.[1] ?? "";
    const files: readonly (readonly [string, Record<string, string>])[] = [
      [script, { ...kept, "content-type": "text/javascript; charset=utf-8" }],
      [style, { ...kept, "content-type": "text/css; charset=utf-8" }],
      ["/service-worker.js", { ...page, "content-type": "text/javascript; charset=utf-8" }],
      ["/manifest.webmanifest", { ...page, "content-type": "application/manifest+json" }],
      ["/icons/mark.svg", { ...page, "content-type": "image/svg+xml" }],
      ["/icons/icon-192.png", { ...page, "content-type": "image/png" }],
    ];
    for (const [path, headers] of files) expect([path, await headersOf(relay.url + path)]).toEqual([path, headers]);
  });

  test("[RELAY-29] of the API, also of what went wrong, let nothing run and nothing be kept", async () => {
    const authorization = {
      Authorization: `Bearer ${portal.readToken.toBase64({ alphabet: "base64url", omitPadding: true })}`,
    };
    const api = `${relay.url}/api/v1`;
    const answers: readonly (readonly [string, RequestInit, Record<string, string>])[] = [
      [`${api}/relay`, {}, { ...API, ...JSON_TYPE }],
      [`${api}/openapi.json`, {}, { ...API, ...JSON_TYPE }],
      [`${relay.url}/healthz`, {}, { ...API, ...JSON_TYPE }],
      [`${relay.url}/readyz`, {}, { ...API, ...JSON_TYPE }],
      [`${relay.url}/metrics`, {}, { ...API, "content-type": "text/plain; version=0.0.4; charset=utf-8" }],
      [`${relay.url}/nothing`, {}, { ...API, ...JSON_TYPE }],
      [`${relay.url}/%3Cscript%3E`, {}, { ...API, ...JSON_TYPE }],
      [`${api}/portals`, { method: "POST", body: "<b>" }, { ...API, ...JSON_TYPE }],
      [`${api}/portals/${portal.text}`, {}, { ...API, ...JSON_TYPE }],
      [`${api}/portals/${portal.text}`, { headers: authorization }, { ...API, ...JSON_TYPE }],
      [`${api}/portals/${portal.text}/pages/0`, {}, { ...API, ...JSON_TYPE }],
    ];
    for (const [url, init, headers] of answers) expect([url, await headersOf(url, init)]).toEqual([url, headers]);
    const { "warp-hash": hash, ...object } = await headersOf(`${api}/portals/${portal.text}/pages/0`, {
      headers: authorization,
    });
    expect(hash).toMatch(/^[\w-]{43}$/);
    expect(object).toEqual({
      ...API,
      "content-type": "application/octet-stream",
      "content-disposition": "attachment",
      "warp-final": "0",
    });
    const { "content-security-policy": policy, ...docs } = await headersOf(`${api}/docs`);
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(docs).toEqual({ ...COMMON, "cache-control": "no-store", "content-type": "text/html; charset=UTF-8" });
  });

  test("[RELAY-29] at a public address name that address and ask for TLS from then on", async () => {
    const headers = await headersOf(`${published.url}/transfers`);
    expect(headers).toEqual({
      ...COMMON,
      "cache-control": "no-cache",
      "content-security-policy": appPolicy(`wss://warp.example:${published.port}`, "https://warp.example"),
      "content-type": "text/html; charset=utf-8",
      "strict-transport-security": "max-age=63072000; includeSubDomains",
    });
    expect((await headersOf(`${published.url}/api/v1/relay`))["strict-transport-security"]).toMatch(/^max-age=6/);
  });
});

/** Opens everything on a page that opens something, by the keyboard's and the mouse's ways. */
async function openEverything(page: Page): Promise<void> {
  const summaries = page.locator("summary:visible");
  for (let index = 0; index < (await summaries.count()); index += 1) await summaries.nth(index).click();
  for (const id of ["request-new", "phrase-have"]) {
    const button = page.getByTestId(id);
    if (await button.isVisible()) await button.click();
  }
  await page.keyboard.press("Tab");
}

describe("S13: the app's policy", () => {
  test("is violated by no page, on the way through all of them, and each is isolated", async () => {
    const context = await browser.newContext();
    const { page, problems } = await openWatched(context, relay.url);
    for (const path of ["/", "/transfers", "/dashboard", "/p/q3Zk1Yw0R5uT8sVbXc2NeA"]) {
      await page.goto(relay.url + path);
      await page.locator("h1").first().waitFor();
      await openEverything(page);
      expect([path, await page.evaluate(() => [crossOriginIsolated, isSecureContext, originAgentCluster])]).toEqual([
        path,
        [true, true, true],
      ]);
    }
    await page.goto(relay.url);
    // The links of the pages themselves, each from where it stands.
    const links = await page.locator("a[href^='/']").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    for (const href of new Set(links)) {
      await page.goto(relay.url);
      await page.locator(`a[href='${href}']`).first().click();
      await page.locator("h1").first().waitFor();
    }
    // The browser itself says that nobody knows the portal of the link.
    expect(problems.filter((problem) => !/status of 404/.test(problem))).toEqual([]);
    await context.close();
  });

  test("stops what it is there to stop", async () => {
    await using elsewhere = await foreignServer();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${relay.url}/dashboard`);
    await page.locator("h1").first().waitFor();
    const tried = await page.evaluate(tryEverything, { foreign: elsewhere.url, stoppedBy: STOPPED_BY });
    expect(Object.keys(tried)).toEqual(Object.keys(STOPPED_BY));
    for (const [what, by] of Object.entries(STOPPED_BY))
      expect([what, tried[what]]).toEqual([what, expect.arrayContaining([by])]);
    expect(await page.evaluate(() => "ran" in globalThis)).toBe(false);
    expect(elsewhere.requests).toEqual([]);
    await context.close();
  });

  test("keeps the app out of other pages' frames and windows", async () => {
    await using elsewhere = await foreignServer();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(elsewhere.url);
    const frame = await page.evaluate(async (url) => {
      const frame = document.createElement("iframe");
      frame.src = url;
      const loaded = new Promise((resolve) => {
        frame.onload = resolve;
      });
      document.body.append(frame);
      await loaded;
      return frame.contentWindow === null ? "none" : typeof frame.contentDocument;
    }, relay.url);
    expect(frame).toBe("object");
    expect(page.frames().map((each) => each.url())).not.toContain(`${relay.url}/`);
    const [opened] = await Promise.all([
      context.waitForEvent("page"),
      page.evaluate((url) => void Object.assign(globalThis, { other: open(url) }), relay.url),
    ]);
    await opened.locator("h1").first().waitFor();
    expect(await opened.evaluate(() => opener)).toBeNull();
    const isClosed = () => page.evaluate(() => (globalThis as unknown as { other: Window }).other.closed);
    await expect.poll(isClosed).toBe(true);
    await context.close();
  });
});

/** Somebody else's origin, which the app never asks for anything. */
async function foreignServer(): Promise<AsyncDisposable & { url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    if (request.url !== "/" && request.url !== "/favicon.ico") requests.push(request.url ?? "");
    response.writeHead(200, { "Content-Type": "text/html", "Access-Control-Allow-Origin": "*" });
    response.end("<!doctype html><title>elsewhere</title><body>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
