/**
 * The command line when something is wrong: each fault gives its code and a sentence, and nothing wrong is written.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { MIB } from "../../core/units.ts";
import { noise, prose } from "../support/bytes.ts";
import { freePort, launchRelay, type RunningRelay } from "../support/launch.ts";
import { compareTrees, freshPath, makeTree, type Tree } from "../support/tree.ts";
import { appears, LINK, runCli, sendAll, startCli, startReceiverFirst } from "./cli-process.ts";

// Each test starts several processes, on whatever machine this is.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let relay: RunningRelay;
let small: Tree;
let large: Tree;
let link: string;
const removed: string[] = [];

beforeAll(async () => {
  relay = await launchRelay();
  small = await makeTree({ "a.bin": noise(3 * MIB, "a"), "b.txt": prose(1000, "b") });
  large = await makeTree({ "first.bin": noise(64 * MIB, "first"), "last.bin": noise(64 * MIB, "last") });
  link = await sendAll([small.root, "--relay", relay.url]);
});
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]();
  await small?.remove();
  await large?.remove();
  for (const path of removed) await rm(path, { recursive: true, force: true });
});

function fresh(): string {
  const path = freshPath();
  removed.push(path);
  return path;
}

const failed = (code: string) => ({
  code: 1,
  out: "",
  err: expect.stringMatching(new RegExp(`^${code}: [A-Z"].*\\.$`, "m")),
});

/** The same link with other random letters in one of its parts, and a check that fits where `check` says so. */
function changedSecret(whole: string): string {
  return whole.replace(/#1\.(.)/, (_, first: string) => `#1.${first === "A" ? "B" : "A"}`);
}

test.each([
  ["cut at its end", (whole: string) => whole.slice(0, -3), "link/cut"],
  ["without what is behind the #", (whole: string) => whole.split("#")[0] ?? "", "link/cut"],
  ["with a changed letter", changedSecret, "link/cut"],
  ["of a newer version", (whole: string) => whole.replace("#1.", "#2."), "link/version"],
  ["with another scheme", (whole: string) => whole.replace("http:", "ftp:"), "link/cut"],
])("a link %s is told before anything is asked", async (_what, change, code) => {
  const out = fresh();
  expect(await runCli(["get", change(link), "--out", out])).toMatchObject(failed(code));
  await expect(readdir(out)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a whole link with the secret of another portal is no link that the relay knows", async () => {
  const { formatLink, parseLink, createLink } = await import("../../core/seal/link.ts");
  const forged = relay.url + formatLink({ ...createLink(), portal: parseLink(link).portal });
  expect(await runCli(["info", forged])).toMatchObject(failed("portal/unknown"));
});

test("a portal that the relay does not know, and a relay that is not there, are told apart", async () => {
  const { formatLink, createLink } = await import("../../core/seal/link.ts");
  expect(await runCli(["get", relay.url + formatLink(createLink())])).toMatchObject(failed("portal/unknown"));
  const nobody = `http://localhost:${await freePort()}`;
  expect(await runCli(["get", nobody + formatLink(createLink())])).toMatchObject(failed("relay/unreachable"));
  expect(await runCli(["send", small.root, "--relay", nobody])).toMatchObject(failed("relay/unreachable"));
});

test("wrong use ends with 2 and says what is right", async () => {
  expect(await runCli(["get", link, "--nonsense"])).toMatchObject({ code: 2, err: expect.stringContaining("--help") });
  const long = await runCli(["send", small.root, "--relay", relay.url, "--expiry", "5000w"]);
  expect(long).toMatchObject({ code: 2, out: "", err: expect.stringContaining("at the most") });
});

test("a path that is not there fails before a portal is made", async () => {
  const sent = await runCli(["send", join(small.root, "absent"), "--relay", relay.url]);
  expect(sent).toMatchObject(failed("file/unreadable"));
});

test("a folder that may not be written to is sink/denied", async () => {
  const folder = await mkdtemp(join(tmpdir(), "warp-denied-"));
  removed.push(folder);
  await chmod(folder, 0o555);
  // Root may write anywhere but where the kernel itself refuses.
  const refusing = process.getuid?.() === 0 ? "/sys" : folder;
  for (const out of [refusing, join(refusing, "new")])
    expect(await runCli(["get", link, "--out", out])).toMatchObject(failed("sink/denied"));
  expect(await readdir(folder)).toEqual([]);
});

test("a disk that fills up while bytes come is sink/full, and no part of a file stays", async () => {
  const out = fresh();
  // A limit on the size of files stands for a disk that is full in the middle of a.bin: 1 MiB in blocks of 512 bytes.
  const got = await runCli(["get", link, "--out", out], { shellPrefix: "ulimit -f 2048" });
  expect(got).toMatchObject(failed("sink/full"));
  await expect(readdir(out)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a file that changes while it is sent is file/changed, names it, and takes the portal away", async () => {
  const tree = await makeTree({ "a.bin": noise(48 * MIB, "a"), "z.log": noise(48 * MIB, "z") });
  await using sender = startCli(["send", tree.root, "--relay", relay.url]);
  const shared = await sender.printed(LINK);
  appendFileSync(join(tree.root, "z.log"), "one more line\n");
  const ended = await sender.result;
  expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/^file\/changed: .*z\.log/m) });
  expect(await runCli(["get", shared, "--out", fresh()])).toMatchObject(failed("portal/unknown"));
  await tree.remove();
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends a send at once and deletes the portal",
  async (signal) => {
    await using sender = startCli(["send", large.root, "--relay", relay.url]);
    const shared = await sender.printed(LINK);
    sender.process.kill(signal);
    expect(await sender.result).toMatchObject({ code: 1, err: expect.stringMatching(/^cancelled: /m) });
    expect(await runCli(["info", shared])).toMatchObject(failed("portal/unknown"));
  },
  60_000,
);

test("a cancelled receive leaves whole files only", async () => {
  const whole = await sendAll([large.root, "--relay", relay.url]);
  const out = fresh();
  await using receiver = startCli(["get", whole, "--out", out, "--json"]);
  await appears(out, /^\.warp-partial-/);
  receiver.process.kill("SIGINT");
  const ended = await receiver.result;
  expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/^cancelled: /m) });
  const left = await readdir(out, { recursive: true }).catch(() => []);
  expect(left.filter((name) => name.includes(".warp-partial"))).toEqual([]);
  const missing = /^missing: /;
  if (left.length > 0) {
    const differences = await compareTrees(large.root, join(out, "folder to send"));
    expect(differences.filter((difference) => !missing.test(difference))).toEqual([]);
  }
});

test("a relay that is killed in the middle of both and comes back on the same store loses nothing", async () => {
  const first = await launchRelay();
  const { port, dataDir } = first;
  const out = fresh();
  await using sender = startCli(["send", large.root, "--relay", first.url, "--json"]);
  const shared = await sender.printed(LINK);
  await using receiver = await startReceiverFirst(sender, ["get", shared, "--out", out, "--json"]);
  await appears(out, /^\.warp-partial-/);
  await first.kill();
  const ended = await Promise.race([sender.result, receiver.result, Promise.resolve("both run")]);
  expect(ended).toBe("both run");
  const second = await launchRelay({ port, dataDir });
  try {
    expect(await sender.result).toMatchObject({ code: 0 });
    expect(await receiver.result).toMatchObject({ code: 0 });
    expect(await compareTrees(large.root, join(out, "folder to send"), { mtimes: true })).toEqual([]);
  } finally {
    await second.kill();
    await first[Symbol.asyncDispose]();
  }
});
