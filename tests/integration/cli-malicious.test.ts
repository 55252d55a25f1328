/**
 * A sender that follows no rules, against `get`: manifests written by hand, sealed with the right keys.
 *
 * @module
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { makePortal } from "../../cli/portal.ts";
import { httpDial, openRelayLink } from "../../cli/relay.ts";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { encodePage, type Page } from "../../core/manifest/page.ts";
import { formatLink } from "../../core/seal/link.ts";
import { createSealBuffer, seal } from "../../core/seal/seal.ts";
import { MAX_SEALED_PAGE_BYTES } from "../../core/units.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { runCli } from "./cli-process.ts";

// Each test starts several processes, on whatever machine this is.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let relay: RunningRelay;
let top: string;
beforeAll(async () => {
  relay = await launchRelay();
});
afterAll(() => relay?.[Symbol.asyncDispose]());
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "warp-malicious-"));
});
afterEach(() => rm(top, { recursive: true, force: true }));

/** Sends one page that holds these entries, all of them empty, and closes the portal. Gives the link. */
async function sendManifest(entries: readonly Entry[], change: (page: Page) => Page = (page) => page): Promise<string> {
  const stop = new AbortController();
  const admission = { invite: null, workBits: 0 };
  const options = { password: null, expirySeconds: 3600, maxDownloads: null, admission };
  const { link, keys, ownerToken } = await makePortal(relay.url, options, stop.signal);
  const dial = httpDial(relay.url, { portal: link.portal, role: "send", token: ownerToken });
  const { steady, close } = openRelayLink(dial, stop.signal, () => {});
  const packRoot = new MerkleBuilder("packs").root();
  const page: Page = {
    entries,
    listed: true,
    runs: [],
    chunkHashes: new Uint8Array(0),
    chunkBytes: [],
    events: entries.map(({ kind }, entry) => ({
      kind: "end",
      entry,
      root: kind === "file" ? new MerkleBuilder("chunks").root() : null,
    })),
    packHashes: new Uint8Array(0),
    end: { packs: 0, runs: 0, chunks: 0, entries: entries.length, packRoot },
  };
  const payload = encodePage(change(page));
  const buffer = createSealBuffer(MAX_SEALED_PAGE_BYTES);
  buffer.room.set(payload);
  await steady.put(await seal(keys.page, link.portal, "page", 0, true, buffer, payload.length));
  await steady.commit({ packs: 0, pages: 1, root: packRoot });
  close();
  return relay.url + formatLink(link);
}

const file = (path: string): Entry => ({ kind: "file", path, size: 0, mtimeMs: 0 });
const folder = (path: string): Entry => ({ kind: "directory", path, size: 0, mtimeMs: 0 });

test("an honest manifest made in this way arrives, so that what follows is refused for what it says", async () => {
  const out = join(top, "out");
  expect(await runCli(["get", await sendManifest([file("a/b"), folder("c")]), "--out", out])).toMatchObject({
    code: 0,
  });
  expect((await readdir(out, { recursive: true })).sort()).toEqual(["a", "a/b", "c"]);
});

test.each<[string, string, readonly Entry[]]>([
  ["leads out of the folder", "path/rejected", [file("good"), file("../x")]],
  ["leads out from further in", "path/rejected", [file("a/../../x")]],
  ["is absolute", "path/rejected", [file("/tmp/x")]],
  ["is a folder above", "path/rejected", [folder("..")]],
  ["leads out by a backslash", "path/rejected", [file("..\\x")]],
  ["has an empty name in it", "path/rejected", [file("a//b")]],
  ["would clear the screen", "path/rejected", [file("\u001b[2J")]],
  ["ends early", "path/rejected", [file("a\u0000b")]],
  ["is there twice", "manifest/malformed", [file("same"), file("same")]],
  ["is a file and a folder", "manifest/malformed", [file("a"), file("a/b")]],
  ["is a folder and a file", "manifest/malformed", [file("a/b"), file("a")]],
])("a path that %s is refused before anything is written", async (_what, code, entries) => {
  const link = await sendManifest(entries);
  const out = join(top, "out");
  const got = await runCli(["get", link, "--out", out]);
  expect(got).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(new RegExp(`^${code}: [^\u001b\u0000]*$`, "m")),
  });
  expect((await runCli(["info", link])).err).toMatch(new RegExp(`^${code}: `, "m"));
  expect(await readdir(top)).toEqual([]);
});

test("names that deceive the eye are written as they are, and shown for what they are", async () => {
  const link = await sendManifest([file("invoice\u202efdp.exe")]);
  expect((await runCli(["info", link])).out).toContain("invoice⟨U+202E⟩fdp.exe");
  const out = join(top, "out");
  expect(await runCli(["get", link, "--out", out])).toMatchObject({ code: 0 });
  expect(await readdir(out)).toEqual(["invoice\u202efdp.exe"]);
});

test("totals that do not add up are refused, and nothing stays", async () => {
  const link = await sendManifest([file("a")], (page) => ({ ...page, end: page.end && { ...page.end, entries: 2 } }));
  expect((await runCli(["get", link, "--out", join(top, "out")])).err).toMatch(/^manifest\/malformed: /m);
  expect(await readdir(top)).toEqual([]);
});
