/**
 * The command line with links that are for something else than reading, with counted downloads, and at a relay that does not
 * let everybody create.
 *
 * @module
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { base64urlnopad } from "@scure/base";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openLink } from "../../core/portal/client.ts";
import { offerKeys, openOffer } from "../../core/portal/offer.ts";
import { formatLink, parseLink } from "../../core/seal/link.ts";
import { MIB } from "../../core/units.ts";
import { noise, prose } from "../support/bytes.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { makeRequest, Owner, portalHost } from "../support/portal-host.ts";
import { compareTrees, freshPath, makeTree, type Tree } from "../support/tree.ts";
import { LINK, runCli, sendAll, startCli } from "./cli-process.ts";

// Each test starts several processes, on whatever machine this is.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let relay: RunningRelay;
let tree: Tree;
const received: string[] = [];

beforeAll(async () => {
  relay = await launchRelay();
  tree = await makeTree({ "a.txt": prose(1000, "a"), "b.bin": noise(5 * MIB, "b") });
});
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]();
  await tree?.remove();
  for (const path of received) await rm(path, { recursive: true, force: true });
});

function fresh(): string {
  const path = freshPath();
  received.push(path);
  return path;
}

const failed = (code: string) => ({ code: 1, out: "", err: expect.stringMatching(new RegExp(`^${code}: `, "m")) });

test("[MOVE-29] what is handed in to a request reaches whoever asked, and nobody else", async () => {
  const request = await makeRequest(relay.url, "Photos of the trip");
  const asked = relay.url + formatLink(request.link);
  const sent = await runCli(["send", tree.root, "--to", "-"], { input: `${asked}\n` });
  expect(sent).toMatchObject({ code: 0, out: "" });
  expect(sent.err).toContain('Handing in to "Photos of the trip".');
  expect(sent.err).toMatch(/Handed in 5\.0 MiB in 2 items/);

  const owner = new Owner(relay.url, request.link.portal, request.ownerToken);
  const { deliveries } = await owner.deliveries();
  expect(deliveries).toMatchObject([{ isComplete: true }]);
  const [{ portal = "", offer = "", expiresAtMs = 0 } = {}] = deliveries;
  expect(expiresAtMs).toBeLessThanOrEqual(request.expiresAtMs);
  const { privateKey } = await offerKeys(request.secret, request.link.portal);
  const id = new Uint8Array(base64urlnopad.decode(portal));
  const place = { request: request.link.portal, delivery: id };
  const secret = await openOffer(privateKey, place, new Uint8Array(base64urlnopad.decode(offer)));
  const out = fresh();
  const delivered = relay.url + formatLink({ portal: id, secret });
  expect(await runCli(["get", delivered, "--out", out])).toMatchObject({ code: 0 });
  expect(await compareTrees(tree.root, join(out, "folder to send"), { mtimes: true })).toEqual([]);
  // Whoever may hand in learns nothing of what others did: the request's link opens no portal of theirs.
  const { grant } = (await openLink(portalHost(relay.url), request.link, null)) ?? {};
  expect(grant).toMatchObject({ capability: "write", title: "Photos of the trip" });
  expect(grant).not.toHaveProperty("secret");
});

test("[MOVE-29] a request with a password and a number of deliveries takes no more, and no wrong password", async () => {
  const request = await makeRequest(relay.url, "One file", { password: "please", maxUses: 1 });
  const asked = formatLink(request.link);
  const options = ["--relay", relay.url, "--to", asked];
  const handIn = (input: string) => runCli(["send", tree.root, ...options, "--password-stdin"], { input });
  expect(await runCli(["send", tree.root, ...options])).toMatchObject(failed("password/needed"));
  expect(await handIn("wrong\n")).toMatchObject(failed("password/wrong"));
  expect(await handIn("please\n")).toMatchObject({ code: 0 });
  expect(await handIn("please\n")).toMatchObject(failed("portal/unknown"));
});

test("[KEY-7] a link is good for what it was made for only, and says so before anything is sent or written", async () => {
  const request = await makeRequest(relay.url, "Anything");
  const owner = new Owner(relay.url, request.link.portal, request.ownerToken);
  const manage = await owner.addLink({ capability: "admin", secret: request.secret });
  for (const link of [request.link, manage]) {
    expect(await runCli(["get", relay.url + formatLink(link), "--out", fresh()])).toMatchObject(failed("link/purpose"));
    expect(await runCli(["info", relay.url + formatLink(link)])).toMatchObject(failed("link/purpose"));
  }
  const read = await sendAll([tree.root, "--relay", relay.url]);
  expect(await runCli(["send", tree.root, "--to", read])).toMatchObject(failed("link/purpose"));
  expect(await runCli(["send", tree.root, "--to", relay.url + formatLink(manage)])).toMatchObject(
    failed("link/purpose"),
  );
  expect((await owner.deliveries()).deliveries).toEqual([]);
});

test("info tells what the link is for", async () => {
  const link = await sendAll([tree.root, "--relay", relay.url]);
  const told: unknown = JSON.parse((await runCli(["info", link, "--json"])).out);
  expect(told).toMatchObject({ type: "info", kind: "send", link: "read", complete: true });
});

test("[MOVE-28] a download that is allowed once is given to one at a time, and again when that one gave it up", async () => {
  const link = await sendAll([tree.root, "--relay", relay.url, "--downloads", "1"]);
  const opened = await openLink(portalHost(relay.url), parseLink(link), null);
  if (opened === null) throw new Error("no password was set");
  expect(opened.isLimited).toBe(true);
  const claims = `${relay.url}/api/v1/portals/${base64urlnopad.encode(opened.link.portal)}/claims`;
  const headers = {
    Authorization: `Bearer ${base64urlnopad.encode(opened.token)}`,
    "Content-Type": "application/json",
  };
  const claim = base64urlnopad.encode(noise(16, "somebody"));
  const taken = await fetch(claims, { method: "POST", headers, body: JSON.stringify({ claim }) });
  expect(taken.status).toBe(204);
  const out = fresh();
  await using waiting = startCli(["get", link, "--out", out, "--json"]);
  await waiting.printed(/"waitingFor":"turn"/);
  expect((await fetch(`${claims}/${claim}`, { method: "DELETE", headers })).status).toBe(204);
  expect(await waiting.result).toMatchObject({ code: 0 });
  expect(await compareTrees(tree.root, join(out, "folder to send"))).toEqual([]);
  expect(await runCli(["get", link, "--out", fresh()])).toMatchObject(failed("portal/unknown"));
});

test("[MOVE-27] a receive that is cancelled gives its download back at once", async () => {
  await using sender = startCli(["send", tree.root, "--relay", relay.url, "--downloads", "1", "--json"]);
  const link = await sender.printed(LINK);
  // A sender that stands still keeps the receiver waiting, with its claim.
  sender.process.kill("SIGSTOP");
  await using receiver = startCli(["get", link, "--out", fresh(), "--json"]);
  await receiver.printed(/"type":"progress"/);
  receiver.process.kill("SIGINT");
  expect(await receiver.result).toMatchObject({ code: 1, err: expect.stringMatching(/^cancelled: /m) });
  sender.process.kill("SIGCONT");
  expect(await sender.result).toMatchObject({ code: 0 });
  const again = await runCli(["get", link, "--out", fresh(), "--json"]);
  expect(again.code).toBe(0);
  expect(again.out).not.toContain('"waitingFor":"turn"');
});

test("[KEY-11] a link that is revoked opens nothing any more, and the others go on", async () => {
  const request = await makeRequest(relay.url, "First");
  const owner = new Owner(relay.url, request.link.portal, request.ownerToken);
  const { publicKey } = await offerKeys(request.secret, request.link.portal);
  const second = await owner.addLink({ capability: "write", offerKey: publicKey, title: "Second" });
  await owner.revokeLink(request.link);
  const handIn = (link: typeof second) => runCli(["send", tree.root, "--to", relay.url + formatLink(link)]);
  expect(await handIn(request.link)).toMatchObject(failed("portal/unknown"));
  expect(await handIn(second)).toMatchObject({ code: 0, err: expect.stringContaining('"Second"') });
  expect((await owner.details()).links).toMatchObject([{ capability: "write", uses: 1 }]);
});
