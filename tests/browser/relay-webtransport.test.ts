/**
 * The relay's WebTransport door with a real browser on the other side: a page of the relay itself pins the published
 * certificate, says hello, stores an object and gets it back.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeRelayFrame, encodeFrame, PROTOCOL_VERSION, type RelayFrame } from "../../core/wire/frame.ts";
import { delimit } from "../../core/wire/frame-stream.ts";
import { encodeHeader, OBJECT_HEADER_BYTES } from "../../core/wire/object.ts";
import { createPortal, getObject, sealed, type TestPortal } from "../integration/relay-client.ts";
import { testRelay } from "../integration/relay-fixture.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";

/** What the page does, on bytes that the test made; typed arrays travel as plain lists. */
interface Script {
  readonly url: string;
  readonly hashes: readonly string[];
  /** Written on the control stream, with its first byte. */
  readonly control: readonly number[];
  /** Written on an object stream after the first control frame came, with its first byte; base64. */
  readonly object: string;
  /** Written on the control stream after another frame came. */
  readonly afterwards: readonly number[];
  /** Object bytes to wait for. */
  readonly expected: number;
}

interface Answer {
  readonly frames: readonly number[][];
  readonly object: string;
}

/** Runs inside the page. */
async function play(script: Script): Promise<Answer> {
  const base64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const transport = new WebTransport(script.url, {
    serverCertificateHashes: script.hashes.map((hash) => ({ algorithm: "sha-256", value: base64(hash) })),
  });
  await transport.ready;
  const frames: number[][] = [];
  let wake = () => {};
  const control = await transport.createBidirectionalStream();
  const writer = control.writable.getWriter();
  await writer.write(Uint8Array.from(script.control));
  const readControl = async () => {
    let held: number[] = [];
    const reader = control.readable.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      held.push(...(next.value as Uint8Array));
      for (;;) {
        const length = new DataView(Uint8Array.from(held.slice(0, 4)).buffer);
        if (held.length < 4 || held.length < 4 + length.getUint32(0, true)) break;
        const end = 4 + length.getUint32(0, true);
        frames.push(held.slice(4, end));
        held = held.slice(end);
        wake();
      }
    }
  };
  void readControl().catch(() => wake());
  const came = async (count: number) => {
    while (frames.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  await came(1);
  if (script.object === "") return { frames, object: "" };
  const objects = await transport.createBidirectionalStream();
  const sealed = base64(script.object);
  const objectWriter = objects.writable.getWriter();
  for (let at = 0; at < sealed.length; at += 65_536) await objectWriter.write(sealed.subarray(at, at + 65_536));
  await came(2);
  await writer.write(Uint8Array.from(script.afterwards));
  const out = new Uint8Array(script.expected);
  const reader = objects.readable.getReader();
  for (let filled = 0; filled < out.length; ) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream ended");
    out.set(value as Uint8Array, filled);
    filled += (value as Uint8Array).length;
  }
  transport.close();
  let text = "";
  for (let at = 0; at < out.length; at += 8192) text += String.fromCharCode(...out.subarray(at, at + 8192));
  return { frames, object: btoa(text) };
}

describe("WebTransport with a real browser", () => {
  let relay: RunningRelay;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    relay = await launchRelay();
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(error.message));
    // The app's own page, so that its policy is what allows the connection.
    await page.goto(relay.url);
  });
  afterAll(async () => {
    await browser?.close();
    await relay?.[Symbol.asyncDispose]();
  });

  async function run(portal: TestPortal, steps: Partial<Script>, token = portal.ownerToken): Promise<Answer> {
    const info = await (await fetch(`${relay.url}/api/v1/relay`)).json();
    const hello = encodeFrame({
      t: "hello",
      v: PROTOCOL_VERSION,
      portal: portal.id,
      role: "send",
      token,
      lease: 1,
      takeOver: false,
    });
    const script: Script = {
      url: info.webtransport.url,
      hashes: info.webtransport.certificateHashes,
      control: [1, ...delimit(hello)],
      object: "",
      afterwards: [],
      expected: 0,
      ...steps,
    };
    return page.evaluate(play, script);
  }

  function framesOf(answer: Answer): RelayFrame[] {
    return answer.frames.map((frame) => decodeRelayFrame(Uint8Array.from(frame)));
  }

  it("[RELAY-1, RELAY-8, RELAY-10] is welcomed, stores a full pack durably and gets it back", async () => {
    const portal = await createPortal(relay.url);
    const pack = sealed("pack", 0, 4 * 1024 * 1024);
    const sent = Buffer.concat([encodeHeader(pack.header), pack.bytes]);
    const want = encodeFrame({ t: "want", kind: "pack", index: 0 });
    const answer = await run(portal, {
      object: Buffer.concat([Uint8Array.of(2), sent]).toString("base64"),
      afterwards: [...delimit(want)],
      expected: OBJECT_HEADER_BYTES + pack.bytes.length,
    });
    const frames = framesOf(answer);
    expect(frames[0]).toMatchObject({ t: "welcome", state: { phase: "created", senders: 1 } });
    expect(frames).toContainEqual({ t: "ack", kind: "pack", index: 0 });
    expect(Buffer.from(answer.object, "base64").equals(sent)).toBe(true);
    const stored = await getObject(relay.url, portal, "pack", 0);
    expect(Buffer.from(await stored.arrayBuffer()).equals(pack.bytes)).toBe(true);
    expect(errors).toEqual([]);
  });

  it("[RELAY-3] says good-bye with a code to a wrong token", async () => {
    const portal = await createPortal(relay.url);
    const answer = await run(portal, {}, portal.readToken);
    expect(framesOf(answer)).toEqual([{ t: "bye", code: 6 }]);
  });

  it("[RELAY-16] ends a link whose control stream is malformed, and goes on serving", async () => {
    const portal = await createPortal(relay.url);
    const answer = await run(portal, { control: [1, 3, 0, 0, 0, 0xc1, 0xc1, 0xc1] });
    expect(framesOf(answer)).toEqual([{ t: "bye", code: 18 }]);
    expect((await fetch(`${relay.url}/readyz`)).status).toBe(200);
  });
});

describe("a certificate that is renewed", () => {
  it("[RELAY-24] keeps an open link, and lets new ones in with the new certificate", async () => {
    const renewal = { validityMs: 60_000, renewBeforeMs: 50_000 };
    await using relay = await testRelay({}, { door: { renewal } });
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(relay.url);
      const info = async () => (await (await fetch(`${relay.url}/api/v1/relay`)).json()).webtransport;
      const portal = await createPortal(relay.url);
      const hello = delimit(
        encodeFrame({
          t: "hello",
          v: PROTOCOL_VERSION,
          portal: portal.id,
          role: "send",
          token: portal.ownerToken,
          lease: 1,
          takeOver: false,
        }),
      );
      const open = async (target: { url: string; certificateHashes: string[] }) =>
        page.evaluate(openLink, { url: target.url, hashes: target.certificateHashes, first: [1, ...hello] });
      const first = await info();
      const ping = [...delimit(encodeFrame({ t: "ping", n: 1 }))];
      expect(await open(first)).toBe(0);
      expect(await page.evaluate(exchange, { link: 0, bytes: ping })).toBeGreaterThan(0);
      const second = await vi.waitUntil(
        async () => {
          const now = await info();
          return now.certificateHashes[0] === first.certificateHashes[0] ? undefined : now;
        },
        { timeout: 30_000, interval: 100 },
      );
      expect(await open(second)).toBe(1);
      // The first link made the listener with the old certificate stay.
      expect(await page.evaluate(exchange, { link: 0, bytes: ping })).toBeGreaterThan(0);
      expect(await page.evaluate(exchange, { link: 1, bytes: ping })).toBeGreaterThan(0);
    } finally {
      await browser.close();
    }
  });
});

interface PageLink {
  readonly transport: WebTransport;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}
type LinkPage = typeof globalThis & { links?: PageLink[] };

/** Runs inside the page: opens a link and waits for its first answer; gives its number. */
async function openLink(options: { url: string; hashes: string[]; first: number[] }): Promise<number> {
  const serverCertificateHashes = options.hashes.map((hash) => ({
    algorithm: "sha-256",
    value: Uint8Array.from(atob(hash), (character) => character.charCodeAt(0)),
  }));
  const transport = new WebTransport(options.url, { serverCertificateHashes });
  await transport.ready;
  const stream = await transport.createBidirectionalStream();
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  await writer.write(Uint8Array.from(options.first));
  await reader.read();
  const page = globalThis as LinkPage;
  page.links ??= [];
  return page.links.push({ transport, writer, reader }) - 1;
}

/** Runs inside the page: sends bytes on a link and waits for an answer; gives its length. */
async function exchange(options: { link: number; bytes: number[] }): Promise<number> {
  const link = (globalThis as LinkPage).links?.[options.link];
  await link?.writer.write(Uint8Array.from(options.bytes));
  return (await link?.reader.read())?.value?.length ?? 0;
}
