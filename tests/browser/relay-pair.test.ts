/**
 * Two relays that name each other, and a stranger, with a real browser: a page of the first one, under its policy, uses the
 * second one by every carrier, and no other.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeRelayFrame, encodeFrame, PROTOCOL_VERSION, type RelayFrame } from "../../core/wire/frame.ts";
import { delimit, FrameReader } from "../../core/wire/frame-stream.ts";
import {
  base64url,
  bearer,
  createPortal,
  getObject,
  inventPortal,
  leased,
  putObject,
  sealed,
  TestLink,
  type TestPortal,
} from "../integration/relay-client.ts";
import { relayPair, type TestRelay, testRelay } from "../integration/relay-fixture.ts";
import { launchBrowser } from "../support/chromium.ts";

interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | readonly number[] | null;
}

interface Answer {
  readonly status: number;
  readonly relay: string | null;
  readonly hash: string | null;
  readonly bytes: readonly number[];
}

interface PageLink {
  readonly received: number[];
  send(bytes: readonly number[]): Promise<void> | void;
}
type LinkPage = typeof globalThis & { links?: PageLink[] };

/** Runs inside the page; null when the browser lets nothing through. */
async function call({ url, method, headers, body }: Call): Promise<Answer | null> {
  try {
    const sent = typeof body === "string" || body === null ? body : Uint8Array.from(body);
    const response = await fetch(url, { method, headers, body: sent });
    const bytes = [...new Uint8Array(await response.arrayBuffer())];
    const { headers: told } = response;
    return { status: response.status, relay: told.get("Warp-Relay"), hash: told.get("Warp-Hash"), bytes };
  } catch {
    return null;
  }
}

/** Runs inside the page: opens a link and gives its number, or null when the browser lets nothing through. */
async function open(target: {
  url: string;
  hashes: readonly string[] | null;
  first: number[];
}): Promise<number | null> {
  const received: number[] = [];
  const page = globalThis as LinkPage;
  page.links ??= [];
  try {
    if (target.hashes === null) {
      const socket = new WebSocket(target.url);
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data }) => received.push(...new Uint8Array(data as ArrayBuffer));
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = reject;
      });
      socket.send(Uint8Array.from(target.first));
      return page.links.push({ received, send: (bytes) => socket.send(Uint8Array.from(bytes)) }) - 1;
    }
    const serverCertificateHashes = target.hashes.map((hash) => ({
      algorithm: "sha-256",
      value: Uint8Array.from(atob(hash), (character) => character.charCodeAt(0)),
    }));
    const transport = new WebTransport(target.url, { serverCertificateHashes });
    await transport.ready;
    const stream = await transport.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    await writer.write(Uint8Array.from(target.first));
    const read = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read())
        received.push(...(next.value as Uint8Array));
    };
    void read().catch(() => undefined);
    return page.links.push({ received, send: (bytes) => writer.write(Uint8Array.from(bytes)) }) - 1;
  } catch {
    return null;
  }
}

/** Runs inside the page. */
async function send({ link, bytes }: { link: number; bytes: number[] }): Promise<void> {
  await (globalThis as LinkPage).links?.[link]?.send(bytes);
}

/** Runs inside the page. */
function receivedOf(link: number): number[] {
  return (globalThis as LinkPage).links?.[link]?.received ?? [];
}

describe("a page of a relay that names another one", () => {
  let home: TestRelay;
  let further: TestRelay;
  let stranger: TestRelay;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [home, further] = await relayPair("striped", {});
    stranger = await testRelay({}, { door: {} });
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.goto(home.url);
  });
  afterAll(async () => {
    await browser?.close();
    for (const relay of [home, further, stranger]) await relay?.[Symbol.asyncDispose]();
  });

  const ask = (at: TestRelay, method: string, path: string, parts: Partial<Call> = {}) =>
    page.evaluate(call, { url: at.url + path, method, headers: {}, body: null, ...parts });

  /** Opens a link from the page and says hello. */
  async function connect(
    at: TestRelay,
    kind: "websocket" | "webtransport",
    portal: TestPortal,
  ): Promise<number | null> {
    const who = { portal: portal.id, role: "receive", token: portal.readToken } as const;
    const hello = encodeFrame({ t: "hello", v: PROTOCOL_VERSION, ...who, lease: 0, takeOver: false });
    const { webtransport } = await (await fetch(`${at.url}/api/v1/relay`)).json();
    const target =
      kind === "websocket"
        ? { url: `${at.url.replace(/^http/, "ws")}/api/v1/link`, hashes: null, first: [1, ...hello] }
        : { url: webtransport.url, hashes: webtransport.certificateHashes, first: [1, ...delimit(hello)] };
    return page.evaluate(open, target);
  }

  /** Frames that came over WebTransport until now. */
  async function framesOf(link: number): Promise<RelayFrame[]> {
    const frames: RelayFrame[] = [];
    const reader = new FrameReader((frame) => frames.push(decodeRelayFrame(frame)));
    reader.push(Uint8Array.from(await page.evaluate(receivedOf, link)));
    return frames;
  }

  it("[RELAY-75] makes a portal there, stores and reads by plain requests, and takes the answers for a relay's", async () => {
    const portal = inventPortal({ partial: true });
    const json = { "Content-Type": "application/json" };
    const body = JSON.stringify(portal.body);
    expect(await ask(further, "POST", "/api/v1/portals", { headers: json, body })).toMatchObject({
      status: 201,
      relay: "1",
    });
    const object = sealed("page", 0, 500, true);
    const path = `/api/v1/portals/${portal.text}/pages/0`;
    const headers = {
      ...bearer(portal.ownerToken),
      ...leased(1),
      "Warp-Hash": base64url(object.header.hash),
      "Content-Type": "application/octet-stream",
    };
    const put = await ask(further, "PUT", `${path}?final=1`, { headers, body: [...object.bytes] });
    expect(put?.status).toBe(204);
    const got = await ask(further, "GET", path, { headers: bearer(portal.readToken) });
    expect(got).toMatchObject({ status: 200, relay: "1", hash: base64url(object.header.hash) });
    expect(got?.bytes).toEqual([...object.bytes]);
    const paused = { headers: { ...json, ...bearer(portal.ownerToken) }, body: JSON.stringify({ paused: true }) };
    expect((await ask(further, "PATCH", `/api/v1/portals/${portal.text}`, paused))?.status).toBe(200);
    const wrong = await ask(further, "DELETE", `/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) });
    expect(wrong).toMatchObject({ status: 404, relay: "1" });
    const ended = await ask(further, "DELETE", `/api/v1/portals/${portal.text}`, {
      headers: bearer(portal.ownerToken),
    });
    expect(ended?.status).toBe(204);
  });

  it("[RELAY-71, RELAY-75] links to it by WebSocket and by WebTransport, and signals from one carrier to the other", async () => {
    const portal = await createPortal(further.url);
    const other = await TestLink.open(further.url, portal, "send");
    expect(await connect(further, "websocket", portal)).not.toBeNull();
    const link = (await connect(further, "webtransport", portal)) ?? -1;
    const welcome = await vi.waitUntil(async () => (await framesOf(link)).find(({ t }) => t === "welcome"));
    expect(welcome).toMatchObject({ t: "welcome", member: 3 });
    const body = Uint8Array.of(1, 2, 3);
    await page.evaluate(send, { link, bytes: [...delimit(encodeFrame({ t: "signal", to: other.member, body }))] });
    expect(await other.next("signal")).toEqual({ t: "signal", from: 3, body });
    other.send({ t: "signal", to: 0, body: Uint8Array.of(4) });
    other.send({ t: "signal", to: 3, body: Uint8Array.of(5) });
    const came = await vi.waitUntil(async () => {
      const signals = (await framesOf(link)).filter(({ t }) => t === "signal");
      return signals.length === 2 ? signals : undefined;
    });
    expect(came).toEqual([4, 5].map((byte) => ({ t: "signal", from: 1, body: Uint8Array.of(byte) })));
    await other.cut();
  });

  it("[RELAY-75] reaches no relay that its own does not name", async () => {
    const portal = await createPortal(stranger.url);
    expect(await ask(stranger, "GET", "/api/v1/relay")).toBeNull();
    expect(await connect(stranger, "websocket", portal)).toBeNull();
    expect(await (await fetch(`${stranger.url}/metrics`)).text()).toContain('links_total{path="websocket"} 0\n');
  });

  it("[RELAY-75] of a relay that is not named gets nothing of this one", async () => {
    const portal = await createPortal(home.url);
    await putObject(home.url, portal, sealed("page", 0, 500, true));
    expect((await getObject(home.url, portal, "page", 0)).status).toBe(200);
    const outside = await browser.newPage({ bypassCSP: true });
    await outside.goto(stranger.url);
    const path = `${home.url}/api/v1/portals/${portal.text}/pages/0`;
    for (const [url, headers] of [
      [path, bearer(portal.readToken)],
      [`${home.url}/api/v1/relay`, {}],
    ] as const)
      expect(await outside.evaluate(call, { url, method: "GET", headers, body: null })).toBeNull();
    await outside.close();
  });
});
