/**
 * A file from one browser to another across a network that breaks, and the relay's count of what crossed it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { PathKind } from "../../../core/transfer/snapshot.ts";
import { MIB } from "../../../core/units.ts";
import { noise } from "../../support/bytes.ts";
import { type Moment, readStory, until, watchStory } from "./story.ts";

const NAME = "cargo.bin";
/** What stands for a folder that the user picked. */
const PICKED = "picked";
const REACH_MS = 120_000;
/** The digest is a hash of the slices' hashes, so that the page need not hold the whole file. */
const SLICE_BYTES = 4 * MIB;
/** What is made and written at a time; whole slices. */
const PIECE_BYTES = 16 * SLICE_BYTES;

/** The digest of the file that was received into a folder of the page's private file system. */
export function receivedDigest(page: Page, folders: readonly string[] = [PICKED]): Promise<string> {
  return page.evaluate(
    async ({ name, slice, folders }) => {
      let folder = await navigator.storage.getDirectory();
      for (const child of folders) folder = await folder.getDirectoryHandle(child);
      const file = await (await folder.getFileHandle(name)).getFile();
      const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
        new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      const digests = new Uint8Array(32 * Math.ceil(file.size / slice));
      for (let i = 0; i * slice < file.size; i++)
        digests.set(await digest(new Uint8Array(await file.slice(i * slice, (i + 1) * slice).arrayBuffer())), 32 * i);
      return Array.from(await digest(digests), (byte) => byte.toString(16).padStart(2, "0")).join("");
    },
    { name: NAME, slice: SLICE_BYTES, folders },
  );
}

/** A file to send, of bytes that no codec makes smaller. */
export interface Cargo extends AsyncDisposable {
  readonly path: string;
  readonly bytes: number;
  readonly digest: string;
}

export async function makeCargo(bytes: number, seed: string): Promise<Cargo> {
  const folder = await mkdtemp(join(tmpdir(), "warp-cargo-"));
  const path = join(folder, NAME);
  const whole = createHash("sha256");
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    const piece = noise(Math.min(PIECE_BYTES, bytes - at), `${seed} ${at}`);
    await appendFile(path, piece);
    for (let slice = 0; slice < piece.length; slice += SLICE_BYTES) {
      const digest = createHash("sha256").update(piece.subarray(slice, slice + SLICE_BYTES));
      whole.update(digest.digest());
    }
  }
  const remove = () => rm(folder, { recursive: true, force: true });
  return { path, bytes, digest: whole.digest("hex"), [Symbol.asyncDispose]: remove };
}

/** What is asked of the pages. */
interface TransferOptions {
  readonly sender: Browser;
  readonly receiver: Browser;
  /** The relay's address for browsers. */
  readonly url: string;
  readonly cargo: Cargo;
  /** Keep to one path; the product chooses when absent. */
  readonly path?: PathKind | undefined;
}

/** How a transfer went. */
export interface Ended {
  /** Whether the receiver has the very bytes. */
  readonly isEqual: boolean;
  readonly sent: readonly Moment[];
  readonly received: readonly Moment[];
}

/** A transfer that runs, from one page to another. */
export interface RunningTransfer extends AsyncDisposable {
  readonly sender: Page;
  readonly receiver: Page;
  readonly link: string;
  /** When the sender's click came, milliseconds since 1970. */
  readonly clickedAtMs: number;
  /** Waits until this share of the file has been received. @throws Error after two minutes, if nothing else is said */
  reached(share: number, limitMs?: number): Promise<void>;
  /** Waits until both sides are done, and compares. */
  ended(limitMs: number): Promise<Ended>;
}

/** What a page's scripts threw and nobody caught. */
const errors = new WeakMap<Page, string[]>();

async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  const thrown: string[] = [];
  errors.set(page, thrown);
  page.on("pageerror", (error) => thrown.push(error.message));
  await page.goto(url);
  return page;
}

/**
 * A link or an address with the query that keeps a page to one path, if any, and in any case to the line: nothing goes directly
 * from browser to browser, past it. The query stands before the fragment.
 */
export function onPath(address: string, path: PathKind | undefined): string {
  const url = new URL(address);
  url.searchParams.set("peers", "off");
  if (path !== undefined) url.searchParams.set("path", path);
  return url.href;
}

/** Clicks and gives the link. */
export async function createLink(sender: Page): Promise<string> {
  await sender.getByTestId("create-link").click();
  const made = await sender.waitForFunction(() => {
    const input = document.querySelector<HTMLInputElement>("[data-testid=share-link]");
    return input?.value.includes("#") === true ? input.value : null;
  });
  return (await made.jsonValue()) ?? "";
}

/** A page on which the cargo is chosen; its link is not made yet. Watched. */
export async function openSender(
  browser: Browser,
  url: string,
  cargo: Cargo,
  path: PathKind | undefined,
): Promise<Page> {
  const page = await openPage(browser, onPath(`${url}/`, path));
  await page.getByTestId("file-input").setInputFiles(cargo.path);
  await watchStory(page);
  return page;
}

/** A page on which a link is opened and a folder to receive into is chosen; nothing is received yet. Watched. */
export async function openReceiver(browser: Browser, link: string): Promise<Page> {
  const page = await openPage(browser, link);
  // The picker is the operating system's; the private file system stands in for the folder that it would give.
  await page.evaluate(() => {
    Object.defineProperty(window, "showDirectoryPicker", {
      value: async () => (await navigator.storage.getDirectory()).getDirectoryHandle("picked", { create: true }),
    });
  });
  await page.getByTestId("sink-select").selectOption("directory");
  await watchStory(page);
  return page;
}

/** Sends the cargo and receives it at the same time, into a folder. */
export async function startTransfer(options: TransferOptions): Promise<RunningTransfer> {
  const { cargo, url, path } = options;
  const sender = await openSender(options.sender, url, cargo, path);
  const clickedAtMs = Date.now();
  const link = await createLink(sender);
  const receiver = await openReceiver(options.receiver, onPath(link, path));
  await receiver.getByTestId("receive").click();
  return {
    sender,
    receiver,
    link,
    clickedAtMs,
    async reached(share, limitMs = REACH_MS) {
      await until(receiver, ({ bytesDone }) => bytesDone >= share * cargo.bytes, limitMs);
    },
    async ended(limitMs) {
      await until(sender, ({ state }) => state === "done", limitMs);
      await until(receiver, ({ state }) => state === "done", limitMs);
      const thrown = [sender, receiver].flatMap((page) => errors.get(page) ?? []);
      if (thrown.length > 0) throw new Error(`a page threw: ${thrown.join("; ")}`);
      const [sent, received] = [await readStory(sender), await readStory(receiver)];
      return { isEqual: (await receivedDigest(receiver)) === cargo.digest, sent, received };
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([sender.context().close(), receiver.context().close()]);
    },
  };
}
