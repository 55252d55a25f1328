import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchFrom } from "../../cli/http.ts";
import { passwordKey } from "../../cli/password.ts";
import { createPortal, endPortal, openLink, portalPath } from "../../core/portal/client.ts";
import { deriveIdentity, IDENTITY_BYTES, phraseOf } from "../../core/portal/identity.ts";
import { describeLink, OPEN_LINK } from "../../core/portal/new-link.ts";
import { CLAIM_HEADER, HASH_HEADER } from "../../core/portal/portal.ts";
import {
  createSecret,
  deriveContentKeys,
  deriveLinkKeys,
  NO_PASSWORD,
  ownerKey,
  relayToken,
} from "../../core/seal/keys.ts";
import { createLink, parseLink } from "../../core/seal/link.ts";
import { createSealBuffer, seal } from "../../core/seal/seal.ts";
import { runCli, sendAll } from "../integration/cli-process.ts";
import { invite, OPERATOR_TOKEN, operate } from "../integration/guarded-relay.ts";
import { bearer, leased, random, TestLink } from "../integration/relay-client.ts";
import { inventVault, VaultClient } from "../integration/vault-client.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";

const LONG_MS = 120_000;
const PASSWORD = "canary-password-7Zq";
const FILE_NAME = "canary-file-name-4Xw.txt";
const FOLDER_NAME = "canary-folder-9Rt";
const MARKER = "canary-plaintext-5Lm ";
const TITLE = "canary-title-2Vb";
const DEVICE_NAME = "canary-device-8Ks";

type Bytes = Uint8Array<ArrayBuffer>;

/** What must not be found, by what it is. */
const canaries = new Map<string, Uint8Array>();
/** What must be found, or the search finds nothing. */
const shown = new Map<string, Uint8Array>();

let folder: string;
let dataDir: string;
let relay: RunningRelay;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warp-secrets-"));
  dataDir = join(folder, "relay");
  const env = { LOG_LEVEL: "debug", OPERATOR_TOKEN, INVITE_ONLY: "1", MIN_FREE_BYTES: "1" };
  relay = await launchRelay({ dataDir, env });
  for (const text of [PASSWORD, FILE_NAME, FOLDER_NAME, MARKER.repeat(3), TITLE, DEVICE_NAME, OPERATOR_TOKEN])
    canaries.set(text, Buffer.from(text));
});
afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A secret as it could be written: its bytes, and the usual texts of them. */
function forms(bytes: Uint8Array): Buffer[] {
  const buffer = Buffer.from(bytes);
  const texts = [buffer.toString("hex"), buffer.toString("hex").toUpperCase(), buffer.toString("base64url")];
  // Where it is a part of something longer the last characters of base64 differ.
  const base64 = buffer.toString("base64").replace(/..?=*$/, "");
  return [
    buffer,
    ...[...texts, base64, encodeURIComponent(buffer.toString("latin1"))].map((text) => Buffer.from(text)),
  ];
}

function found(where: Buffer, what: ReadonlyMap<string, Uint8Array>): string[] {
  return [...what].filter(([, bytes]) => forms(bytes).some((form) => where.includes(form))).map(([name]) => name);
}

/** Every file of the data directory, as it lies on the disk. */
async function files(): Promise<Map<string, Buffer>> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const)));
}

/** A transfer by the command line, with a password and an invitation. */
async function sendAndGet(): Promise<void> {
  const source = join(folder, FOLDER_NAME);
  await mkdir(source);
  await writeFile(join(source, FILE_NAME), MARKER.repeat(20_000));
  const code = await invite(relay.url);
  canaries.set("invitation of the command line", Buffer.from(code));
  const input = `${PASSWORD}\n`;
  const link = await sendAll([source, "--relay", relay.url, "--password-stdin", "--invite", code], { input });
  const { portal, secret } = parseLink(link);
  canaries.set("secret of the command line's link", secret);
  shown.set("the portal", Buffer.from(Buffer.from(portal).toString("hex")));
  const wrong = await runCli(["get", link, "--password-stdin", "--out", join(folder, "none")], {
    input: "canary-wrong-3Jd\n",
  });
  expect(wrong.code).toBe(1);
  canaries.set("a wrong password", Buffer.from("canary-wrong-3Jd"));
  const out = join(folder, "out");
  const got = await runCli(["get", link, "--password-stdin", "--out", out], { input });
  expect([got.code, got.err]).toEqual([0, expect.any(String)]);
  expect(await readFile(join(out, FOLDER_NAME, FILE_NAME), "utf8")).toBe(MARKER.repeat(20_000));
}

/** One request that must succeed. */
async function request(path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(relay.url + path, init);
  expect([path.replace(/[\w-]{22}/g, "…"), answer.ok]).toEqual([expect.any(String), true]);
  return answer;
}

/** A portal by HTTP: objects, links, a claim, a request with a delivery. */
async function useHttp(): Promise<void> {
  const host = { origin: relay.url, send: fetchFrom(relay.url), passwordKey };
  const admission = { invite: await invite(relay.url, 5), workBits: 0 };
  canaries.set("invitation", Buffer.from(admission.invite));
  const rules = { expirySeconds: 3600, idleSeconds: null, maxDownloads: 5 };
  const made = await createPortal(host, { kind: "send" }, rules, OPEN_LINK, admission);
  const asked = await createPortal(
    host,
    { kind: "request", title: TITLE },
    { ...rules, maxDownloads: null },
    OPEN_LINK,
    admission,
  );
  const opened = await openLink(host, made.link, null);
  const write = await openLink(host, asked.link, null);
  if (opened === null || write?.grant.capability !== "write") throw new Error("a link did not open");
  const { portal } = asked.link;
  const { token, grant } = write;
  const delivered = await createPortal(host, { kind: "send" }, rules, OPEN_LINK, admission, {
    portal,
    token,
    ...grant,
  });
  for (const [name, one] of Object.entries({ made, asked, delivered })) {
    canaries.set(`secret R of ${name}`, one.secret);
    canaries.set(`secret of the link of ${name}`, one.link.secret);
    canaries.set(`owner secret of ${name}`, one.ownerSecret);
    canaries.set(`owner token of ${name}`, one.ownerToken);
  }
  canaries.set("token of the read link", opened.token);
  canaries.set("token of the write link", token);

  const path = portalPath(made.link.portal);
  const keys = await deriveContentKeys(made.link.portal, made.secret);
  const buffer = createSealBuffer(64 * 1024);
  const payload = Buffer.from(MARKER.repeat(1000));
  buffer.room.set(payload);
  const { header, bytes } = await seal(keys.page, made.link.portal, "page", 0, true, buffer, payload.length);
  const headers = {
    ...bearer(made.ownerToken),
    ...leased(made.lease),
    [HASH_HEADER]: Buffer.from(header.hash).toString("base64url"),
  };
  await request(`${path}/pages/0?final=1`, { method: "PUT", headers, body: bytes });
  const claim = random(16);
  const asJson = { ...bearer(opened.token), "Content-Type": "application/json" };
  const claimed = JSON.stringify({ claim: Buffer.from(claim).toString("base64url") });
  await request(`${path}/claims`, { method: "POST", headers: asJson, body: claimed });
  await request(`${path}/pages/0`, {
    headers: { ...bearer(opened.token), [CLAIM_HEADER]: Buffer.from(claim).toString("base64url") },
  });
  await addAdminLink(host, made.link.portal, made.secret, made.ownerToken);
  const link = await TestLink.connect(relay.url);
  const who = { portal: made.link.portal, role: "receive", token: opened.token, lease: 0, takeOver: false } as const;
  link.send({ t: "hello", v: 1, ...who });
  await link.next("welcome");
  await link.cut();
  await endPortal(host, delivered.link.portal, delivered.ownerToken);
  await operate(relay.url, "GET", "/usage");
}

async function addAdminLink(
  host: Parameters<typeof describeLink>[0],
  portal: Bytes,
  secret: Bytes,
  owner: Bytes,
): Promise<void> {
  const link = { ...createLink(), portal };
  const rules = { ...OPEN_LINK, password: PASSWORD };
  const { body } = await describeLink(host, link, { capability: "admin", secret }, rules);
  const headers = { ...bearer(owner), "Content-Type": "application/json" };
  await request(`${portalPath(portal)}/links`, { method: "POST", headers, body: JSON.stringify(body) });
  canaries.set("secret of the admin link", link.secret);
  const { auth } = await deriveLinkKeys(link, NO_PASSWORD);
  const plain = await relayToken(auth, "link", relay.url, portal);
  canaries.set("token without the password", plain);
  await request(`${portalPath(portal)}/links/${body.link}?plain=1`, { headers: bearer(plain) });
}

/** A vault of an identity. */
async function useVault(): Promise<void> {
  const entropy = createSecret().slice(0, IDENTITY_BYTES);
  const identity = await deriveIdentity(entropy);
  const rootToken = await relayToken(identity.root, "root", relay.url, identity.vault);
  const deviceSecret = createSecret();
  const deviceToken = await relayToken(await ownerKey(deviceSecret), "device", relay.url, identity.vault);
  const invented = inventVault();
  const name = await sealed(identity.seal, DEVICE_NAME);
  const vault = {
    vault: Buffer.from(identity.vault).toString("base64url"),
    rootToken,
    device: { ...invented.device, token: deviceToken, name },
  };
  const client = new VaultClient(relay.url, vault);
  const code = await invite(relay.url);
  canaries.set("invitation of the vault", Buffer.from(code));
  expect((await client.create({ "Warp-Invite": code })).status).toBe(204);
  const entry = Buffer.from(await sealed(identity.seal, MARKER.repeat(20)), "base64url");
  expect((await client.put(invented.vault, entry)).status).toBe(200);
  expect((await client.changes(0)).last).toBe(1);
  canaries.set("entropy of the phrase", entropy);
  canaries.set("phrase", Buffer.from(phraseOf(entropy).join(" ")));
  canaries.set("root token", rootToken);
  canaries.set("device secret", deviceSecret);
  canaries.set("device token", deviceToken);
  shown.set("the vault", Buffer.from(Buffer.from(identity.vault).toString("hex")));
}

async function sealed(key: CryptoKey, text: string): Promise<string> {
  const iv = random(12);
  const secret = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, Buffer.from(text));
  return Buffer.concat([iv, new Uint8Array(secret)]).toString("base64url");
}

describe("S9: after whole transfers at the most talkative log, nothing that opens or names anything", () => {
  beforeAll(async () => {
    await sendAndGet();
    await useHttp();
    await useVault();
  }, LONG_MS);

  it("[RELAY-70] is in the log", () => {
    const log = relay.output();
    expect(log).toMatch(/"level":"debug"/);
    expect(log).toMatch(/"route":"\/api\/v1\/portals\/:portal\/links\/:link"/);
    expect(canaries.size).toBeGreaterThan(30);
    const [first = ""] = canaries.keys();
    expect(found(Buffer.from(`${log} ${first}`), canaries)).toEqual([first]);
    expect(found(Buffer.from(log), canaries)).toEqual([]);
    // Portals, vaults and addresses are not either.
    expect(found(Buffer.from(log), shown)).toEqual([]);
    expect(log.replaceAll(`localhost:${relay.port}`, "")).not.toMatch(/127\.0\.0\.1|::1/);
  });

  it("[RELAY-70] is in the metrics", async () => {
    const metrics = Buffer.from(await (await fetch(`${relay.url}/metrics`)).text());
    expect(metrics.length).toBeGreaterThan(1000);
    expect(found(metrics, canaries)).toEqual([]);
    expect(found(metrics, shown)).toEqual([]);
  });

  it(
    "[RELAY-70] is in any file of the data directory, while it runs and afterwards",
    async () => {
      for (const state of ["running", "stopped"]) {
        if (state === "stopped") await relay.stop();
        const all = await files();
        const whole = Buffer.concat([...all.values()]);
        for (const [path, bytes] of all) expect([state, path, found(bytes, canaries)]).toEqual([state, path, []]);
        // What is there is found, in the same way.
        expect(found(whole, shown)).toEqual([...shown.keys()]);
      }
    },
    LONG_MS,
  );
});
