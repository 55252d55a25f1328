/**
 * The command line against a real relay: what is sent arrives, and what is asked for is told.
 *
 * @module
 */
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { MIB } from "../../core/units.ts";
import { noise, prose } from "../support/bytes.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { compareTrees, freshPath, hostileTree, makeTree, type Tree } from "../support/tree.ts";
import { appears, LINK, runCli, sendAll, startCli, startReceiverFirst } from "./cli-process.ts";

// Each test starts several processes, on whatever machine this is.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let relay: RunningRelay;
let small: Tree;
const received: string[] = [];

beforeAll(async () => {
  relay = await launchRelay();
  small = await makeTree({ "a.txt": prose(1000, "a"), "empty file": new Uint8Array(0), "b/empty folder": undefined });
});
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]();
  await small?.remove();
  for (const path of received) await rm(path, { recursive: true, force: true });
});

function fresh(): string {
  const path = freshPath();
  received.push(path);
  return path;
}

const top = (tree: Tree) => tree.root.split("/").at(-1) ?? "";

test("a folder of every awkward case arrives byte for byte, with every name, empty one and time", async () => {
  const tree = await hostileTree();
  try {
    const link = await sendAll([tree.root, "--relay", relay.url]);
    const out = fresh();
    const got = await runCli(["get", link, "--out", out]);
    expect(got.err).toMatch(/Received and verified [\d.]+ MiB in \d+ items/);
    expect(got.code).toBe(0);
    expect(await compareTrees(tree.root, join(out, top(tree)), { mtimes: true })).toEqual([]);
    expect(await readdir(out)).toEqual([top(tree)]);
  } finally {
    await tree.remove();
  }
});

test("the link comes before the bytes, and a receiver that opens it at once gets them while they are sent", async () => {
  const tree = await makeTree({ "a log.txt": prose(5 * MIB, "live"), "big.bin": noise(96 * MIB, "live") });
  try {
    await using sender = startCli(["send", tree.root, "--relay", relay.url, "--json"]);
    const link = await sender.printed(LINK);
    const out = fresh();
    await using receiver = await startReceiverFirst(sender, ["get", link, "--out", out, "--json"]);
    await appears(join(out, top(tree)), /^a log\.txt$/);
    expect(await Promise.race([sender.result, Promise.resolve("still sending")])).toBe("still sending");
    expect(await receiver.result).toMatchObject({ code: 0 });
    expect((await sender.result).code).toBe(0);
    expect(await compareTrees(tree.root, join(out, top(tree)), { mtimes: true })).toEqual([]);
  } finally {
    await tree.remove();
  }
});

test("several paths of equal names all arrive, and the new name is told", async () => {
  const one = await makeTree({ "same.txt": prose(10, 1) });
  const two = await makeTree({ "same.txt": prose(10, 2) });
  const paths = [join(one.root, "same.txt"), join(two.root, "same.txt")];
  const sent = await runCli(["send", ...paths, "--relay", relay.url]);
  expect(sent.err).toContain('"same.txt" is sent as "same (2).txt".');
  const out = fresh();
  expect((await runCli(["get", LINK.exec(sent.out)?.[0] ?? "", "--out", out])).code).toBe(0);
  expect(await readFile(join(out, "same.txt"))).toEqual(Buffer.from(prose(10, 1)));
  expect(await readFile(join(out, "same (2).txt"))).toEqual(Buffer.from(prose(10, 2)));
  await one.remove();
  await two.remove();
});

test("info tells entries, sizes, state and expiry, to people and to programs, and downloads nothing", async () => {
  const link = await sendAll([small.root, "--relay", relay.url, "--expiry", "2h"]);
  const shown = await runCli(["info", link]);
  expect(shown.code).toBe(0);
  expect(shown.out).toContain("1000 bytes  folder to send/a.txt\n");
  expect(shown.out).toContain("   folder  folder to send/b/empty folder\n");
  expect(shown.out).toMatch(/3 items, 1000 bytes\.\nIt is complete\. It expires /);
  const told: unknown = JSON.parse((await runCli(["info", link, "--json"])).out);
  expect(told).toMatchObject({ type: "info", phase: "active", complete: true, listed: true, bytes: 1000 });
  const { expiresAtMs } = told as { expiresAtMs: number };
  expect(Math.abs(expiresAtMs - Date.now() - 7_200_000)).toBeLessThan(60_000);
});

test("after the allowed downloads nothing opens any more, and info is no download", async () => {
  const link = await sendAll([small.root, "--relay", relay.url, "--downloads", "1"]);
  expect((await runCli(["info", link])).code).toBe(0);
  expect((await runCli(["get", link, "--out", fresh()])).code).toBe(0);
  expect((await runCli(["get", link, "--out", fresh()])).err).toContain("portal/unknown");
});

test("with --json every line on stdout is an object, from the link to the end", async () => {
  const sent = await runCli(["send", small.root, "--relay", relay.url, "--json"]);
  const lines = sent.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
  expect(lines[0]).toMatchObject({ type: "link", link: expect.stringMatching(LINK) });
  expect(lines.at(-1)).toMatchObject({ type: "done", bytes: 1000, entries: 3 });
  expect(sent.err).toBe("");
});

test("link and password come through standard input, so that no list of processes shows them", async () => {
  const password = "корова ☃ pass";
  const protectedPortal = ["--relay", relay.url, "--password-stdin"];
  const link = await sendAll([small.root, ...protectedPortal], { input: `${password}\n` });
  const out = fresh();
  const got = await runCli(["get", "-", "--password-stdin", "--out", out], { input: `${link}\n${password}\n` });
  expect(got.code).toBe(0);
  expect(await compareTrees(small.root, join(out, top(small)), { mtimes: true })).toEqual([]);

  const none = await runCli(["info", link]);
  expect(none).toMatchObject({ code: 1, err: expect.stringMatching(/^password\/needed: .*--password-stdin/) });
  const refused = fresh();
  const wrong = await runCli(["get", link, "--password-stdin", "--out", refused], { input: "cow\n" });
  expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/^password\/wrong: /) });
  await expect(readdir(refused)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a link without an address is opened at the relay that is given", async () => {
  const link = await sendAll([small.root, "--relay", relay.url]);
  const told = await runCli(["info", link.slice(relay.url.length), "--relay", relay.url]);
  expect(told).toMatchObject({ code: 0, out: expect.stringContaining("a.txt") });
});

test("existing files are not touched, and with --rename both are kept", async () => {
  const link = await sendAll([join(small.root, "a.txt"), "--relay", relay.url]);
  const out = fresh();
  await mkdir(out);
  await writeFile(join(out, "a.txt"), "mine");
  await utimes(join(out, "a.txt"), 1, 1);
  const refused = await runCli(["get", link, "--out", out]);
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/^sink\/denied: .*exists already.*--rename/m) });
  expect(await readdir(out)).toEqual(["a.txt"]);
  const renamed = await runCli(["get", link, "--out", out, "--rename"]);
  expect(renamed).toMatchObject({ code: 0, err: expect.stringContaining('"a.txt" is received as') });
  expect(await readFile(join(out, "a.txt"), "utf8")).toBe("mine");
  expect(await readFile(join(out, "a (2).txt"))).toEqual(Buffer.from(prose(1000, "a")));
});
