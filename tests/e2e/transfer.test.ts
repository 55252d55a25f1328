/**
 * The whole main job with real parts: a folder dropped in one browser arrives in another, through a real relay over
 * real QUIC and over TCP.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { portableName } from "../../core/manifest/portable-name.ts";
import { noise } from "../support/bytes.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { compareTrees, freshPath, hostileTree, listTree, makeTree, type Tree } from "../support/tree.ts";
import { readZip } from "../support/zip.ts";
import {
  createLink,
  dropPaths,
  openPage,
  pauseAtOnce,
  receiveDownload,
  topLevel,
  transferState,
  waitForState,
  withQuery,
} from "./app.ts";

let relay: RunningRelay;
let senders: Browser;
let receivers: Browser;
let hostile: Tree;

beforeAll(async () => {
  [relay, senders, receivers, hostile] = await Promise.all([
    launchRelay(),
    launchBrowser(),
    launchBrowser(),
    hostileTree(),
  ]);
});
afterAll(async () => {
  await Promise.allSettled([senders?.close(), receivers?.close(), relay?.[Symbol.asyncDispose](), hostile?.remove()]);
});

/** Writes an archive to disk as an unpacker would, so that trees can be compared. */
async function unpack(zip: Uint8Array, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const entry of await readZip(zip)) {
    const path = join(folder, entry.path);
    if (entry.kind === "directory") {
      await mkdir(path, { recursive: true });
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, entry.bytes);
    await utimes(path, entry.mtime, entry.mtime);
  }
}

/**
 * The differences that are meant: names that no zip reader, or no directory handle of Chromium, takes as they are arrive
 * under their portable ones.
 */
function renamed(names: readonly string[]): string[] {
  const unexpected = names.map((name) => `unexpected: names/${portableName(name)}`);
  return [...unexpected, ...names.map((name) => `missing: names/${name}`)];
}

describe.each(["webtransport", "tcp"] as const)("a dropped folder over %s", (path) => {
  test("arrives byte for byte as a zip, with empty files, empty folders and hostile names", async () => {
    const sender = await openPage(senders, `${relay.url}/?path=${path}`);
    await dropPaths(sender, [hostile.root]);
    const link = await createLink(sender);
    const receiver = await openPage(receivers, withQuery(link, { path }));
    const download = await receiveDownload(receiver);
    const sent = await waitForState(sender, "done");
    const received = await waitForState(receiver, "done");
    expect(sent).toMatchObject({ path, engine: "cpu" });
    expect(received).toMatchObject({ path, engine: "cpu", failure: null });
    expect(received.bytesDone).toBe(received.bytesTotal);

    const folder = freshPath();
    await unpack(await readFile(await download.path()), folder);
    const [top] = await listTree(folder);
    expect(await compareTrees(hostile.root, join(folder, top?.path ?? ""))).toEqual(
      renamed(["a:b|c?d*e", "back\\slash.txt"]),
    );
    await rm(folder, { recursive: true });
    await sender.close();
    await receiver.close();
  });

  test("arrives in a folder of the receiver's choice under its final names", async () => {
    const sender = await openPage(senders, `${relay.url}/?path=${path}`);
    await dropPaths(sender, await topLevel(hostile.root));
    const link = await createLink(sender);
    const receiver = await openPage(receivers, withQuery(link, { path }));
    // The picker is the operating system's; the private file system stands in for the folder that it would give.
    await receiver.evaluate(() => {
      Object.defineProperty(window, "showDirectoryPicker", {
        value: async () => (await navigator.storage.getDirectory()).getDirectoryHandle("picked", { create: true }),
      });
    });
    await receiver.getByTestId("sink-select").selectOption("directory");
    await receiver.getByTestId("receive").click();
    await waitForState(receiver, "done");
    const got = await receiver.evaluate(async () => {
      const found: Record<string, string> = {};
      const walk = async (folder: FileSystemDirectoryHandle, prefix: string): Promise<void> => {
        for await (const [name, handle] of folder.entries()) {
          if (handle.kind === "directory") {
            found[`${prefix}${name}/`] = "";
            await walk(handle as FileSystemDirectoryHandle, `${prefix}${name}/`);
            continue;
          }
          const file = await (handle as FileSystemFileHandle).getFile();
          const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
          found[prefix + name] = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(
            "",
          );
        }
      };
      await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle("picked"), "");
      return found;
    });
    const renames = new Map([["names/back\\slash.txt", `names/${portableName("back\\slash.txt")}`]]);
    const wanted: Record<string, string> = {};
    for (const { kind, path: name } of await listTree(hostile.root))
      wanted[kind === "directory" ? `${name}/` : (renames.get(name) ?? name)] =
        kind === "directory"
          ? ""
          : createHash("sha256")
              .update(await readFile(join(hostile.root, name)))
              .digest("hex");
    expect(got).toEqual(wanted);
    await sender.close();
    await receiver.close();
  });

  test("reaches a receiver while the sender is still sending", async () => {
    const big = await makeTree({ "big.bin": noise(48 * 1024 * 1024, `live ${path}`) });
    const sender = await openPage(senders, `${relay.url}/?path=${path}`);
    await sender.getByTestId("file-input").setInputFiles(join(big.root, "big.bin"));
    await pauseAtOnce(sender);
    const link = await createLink(sender);
    const receiver = await openPage(receivers, withQuery(link, { path }));
    await receiver.getByTestId("sink-select").selectOption("private");
    await receiver.getByTestId("receive").click();
    await expect.poll(() => transferState(sender).then(({ state }) => state)).toBe("paused");
    const before = await transferState(sender);
    expect(before.bytesDone).toBeLessThan(before.bytesTotal);
    await sender.getByTestId("resume").click();
    await waitForState(sender, "done");
    await waitForState(receiver, "done");
    await big.remove();
    await sender.close();
    await receiver.close();
  });
});
