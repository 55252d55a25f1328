/**
 * S8: after a whole send and receive in the app nothing that is secret lies in either browser's profile in clear, nor went
 * over the network: not the link's secret, the password, a file's name or its content. Only the browser's own history and
 * sessions may hold the link, which is what a person opened.
 *
 * @module
 */
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { request as ask, createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLink, receiveDownload, waitForState } from "../../e2e/app.ts";
import { launchProfile } from "../../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../../support/launch.ts";
import { readZip } from "../../support/zip.ts";

const PASSWORD = "canary-password-a7Qe";
const NAMES = ["canary-name-k3Vd.txt", "canary-name-zz9R.txt"];
const CONTENT = "canary-content-Xw81";
/** Put into the profiles in clear at the end, so that the search is known to look in the right places. */
const CONTROL = "canary-in-clear-5pTn";

/** Everything that passes, in both directions, on its way to the relay. WebSockets are refused, so that all of it is plain HTTP. */
interface Recorder extends AsyncDisposable {
  readonly url: string;
  readonly passed: Buffer[];
  readonly requests: string[];
}

let relay: RunningRelay;
let recorder: Recorder;
let folders: string[];
let profiles: BrowserContext[];
beforeAll(async () => {
  relay = await launchRelay();
  recorder = await record(relay.url);
  folders = await Promise.all(["sender", "receiver"].map((who) => mkdtemp(join(tmpdir(), `warp-${who}-`))));
  profiles = await Promise.all(folders.map((folder) => launchProfile(folder)));
});
afterAll(async () => {
  await Promise.allSettled((profiles ?? []).map((profile) => profile.close()));
  await recorder?.[Symbol.asyncDispose]();
  await relay?.[Symbol.asyncDispose]();
  await Promise.all((folders ?? []).map((folder) => rm(folder, { recursive: true, force: true })));
});

async function record(relayUrl: string): Promise<Recorder> {
  const { hostname, port } = new URL(relayUrl);
  const passed: Buffer[] = [];
  const requests: string[] = [];
  const note = async (message: IncomingMessage): Promise<void> => {
    passed.push(Buffer.from(message.rawHeaders.join("\n")));
    for await (const part of message) passed.push(part);
  };
  const server = createServer((incoming, response) => {
    const { method, url: path, headers } = incoming;
    requests.push(path ?? "");
    passed.push(Buffer.from(`${method} ${path}`));
    const outgoing = ask({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      note(answer).catch(() => {});
    });
    outgoing.on("error", () => response.destroy());
    response.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing);
    note(incoming).catch(() => {});
  });
  server.on("upgrade", (_incoming, socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `http://localhost:${typeof address === "object" && address !== null ? address.port : 0}`,
    passed,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The forms in which a word may lie somewhere: as text of two encodings, in base64, and escaped. */
function forms(word: string): Buffer[] {
  const bytes = Buffer.from(word);
  // In base64 a word looks different at each of three offsets; its inside is the same.
  const inBase64 = [0, 1, 2].map((pad) =>
    Buffer.concat([Buffer.alloc(pad), bytes])
      .toString("base64")
      .slice(4, -4)
      .replaceAll("=", ""),
  );
  return [
    bytes,
    Buffer.from(word, "utf16le"),
    Buffer.from(bytes.toString("hex")),
    ...inBase64.map((text) => Buffer.from(text)),
  ];
}

/** A secret of 32 bytes, as it stands in a link: as text, and as the bytes. */
function secretForms(secret: string): Buffer[] {
  const bytes = Buffer.from(secret, "base64url");
  return [Buffer.from(secret), Buffer.from(secret, "utf16le"), bytes, Buffer.from(bytes.toString("hex"))];
}

type Canaries = Readonly<Record<string, readonly Buffer[]>>;

const foundIn = (bytes: Buffer, canaries: Canaries): string[] =>
  Object.keys(canaries).filter((name) => canaries[name]?.some((form) => bytes.includes(form)));

/** The files of a profile that hold a canary, each with which. */
async function foundInProfile(folder: string, canaries: Canaries): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    for (const name of foundIn(bytes, canaries)) found.push(`${name} in ${path.slice(folder.length + 1)}`);
  }
  return found.toSorted();
}

/** What scripts of the origin can read back without a key: caches with their bodies, storage. */
async function readable(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const parts: string[] = [
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      document.title,
    ];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        parts.push(request.url, JSON.stringify([...request.headers]));
        const answer = await cache.match(request);
        parts.push((await answer?.text()) ?? "");
      }
    }
    for (const { name } of await indexedDB.databases()) parts.push(name ?? "");
    return parts.join("\n");
  });
}

async function putInClear(page: Page): Promise<void> {
  await page.evaluate(async (word) => {
    localStorage.setItem("control", word);
    await (await caches.open("control")).put("/control", new Response(word));
    await new Promise((resolve, reject) => {
      const request = indexedDB.open("control");
      request.onupgradeneeded = () => request.result.createObjectStore("any").put(word, 1);
      request.onsuccess = () => resolve(request.result.close());
      request.onerror = reject;
    });
  }, CONTROL);
}

/**
 * Where Chromium itself remembers addresses that were opened, with their fragments: its history, its sessions, and what it
 * counts of visits. Only who opened a link has it there.
 */
const OWN_MEMORY =
  /^link in (?:Default\/(?:History|Sessions\/|Favicons|Top Sites|Shortcuts|shared_proto_db\/)|segmentation_platform\/)/;

describe("S8: a send and a receive in the app", () => {
  test("leave nothing secret in either profile, and send nothing secret over the network", async () => {
    const [sending, receiving] = profiles;
    if (sending === undefined || receiving === undefined) throw new Error("no profiles");
    const said: string[] = [];
    for (const profile of profiles) profile.on("console", (message) => said.push(message.text()));

    const sender = await sending.newPage();
    await sender.goto(`${recorder.url}/?path=tcp`);
    const buffer = Buffer.from(CONTENT.repeat(500));
    const files = NAMES.map((name) => ({ name, mimeType: "text/plain", buffer }));
    const choose = () => sender.getByTestId("file-input").setInputFiles(files);
    await choose();
    const fillPassword = () => sender.getByTestId("option-password").fill(PASSWORD);
    await fillPassword();
    await sender.getByRole("button", { name: "Show the password" }).click();
    // Left as it is, and begun again.
    await sender.goto(`${recorder.url}/transfers`);
    await sender.goto(`${recorder.url}/?path=tcp`);
    await choose();
    await fillPassword();
    const link = await createLink(sender);
    await waitForState(sender, "done");

    const receiver = await receiving.newPage();
    await receiver.goto(link.replace("#", "?path=tcp#"));
    await receiver.getByTestId("password-input").fill(PASSWORD);
    await receiver.getByTestId("unlock").click();
    const download = await receiveDownload(receiver);
    await waitForState(receiver, "done");
    const received = await readZip(await readFile(await download.path()));
    expect(received.map(({ path }) => path).toSorted()).toEqual(NAMES);
    expect(Buffer.from(received[0]?.bytes ?? []).equals(buffer)).toBe(true);
    await receiver.reload();
    await receiver.locator("h1").first().waitFor();
    // The list of transfers, which knows what it remembers. With the tab's way there the browser notes what the fields held.
    for (const page of [sender, receiver]) {
      await page.goto(`${recorder.url}/transfers`);
      await page.locator("h1").first().waitFor();
    }

    const secret = new URL(link).hash.split(".")[1] ?? "";
    expect(Buffer.from(secret, "base64url").length).toBeGreaterThanOrEqual(16);
    const canaries: Canaries = {
      link: secretForms(secret),
      password: forms(PASSWORD),
      name: NAMES.flatMap(forms),
      content: forms(CONTENT),
    };
    const network = Buffer.concat(recorder.passed);
    expect(recorder.requests.filter((path) => /\/(?:packs|pages)\/0/.test(path)).length).toBeGreaterThanOrEqual(4);
    expect(foundIn(network, canaries)).toEqual([]);
    expect(foundIn(Buffer.from(said.join("\n")), canaries)).toEqual([]);
    for (const page of [sender, receiver]) {
      expect(foundIn(Buffer.from(await readable(page)), canaries)).toEqual([]);
      await putInClear(page);
    }
    // What a browser has in memory it writes when it ends.
    await Promise.all(profiles.map((profile) => profile.close()));
    for (const [index, folder] of folders.entries()) {
      const found = await foundInProfile(folder, { ...canaries, control: forms(CONTROL) });
      const inClear = found.filter((each) => each.startsWith("control"));
      for (const place of ["CacheStorage", "IndexedDB", "Local Storage"])
        expect([place, inClear.some((each) => each.includes(place))]).toEqual([place, true]);
      const rest = found.filter((each) => !inClear.includes(each));
      // A sender's link never stood in an address.
      expect(rest.filter((each) => index === 0 || !OWN_MEMORY.test(each))).toEqual([]);
    }
  }, 180_000);
});
