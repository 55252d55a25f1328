import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_DEVICES, MAX_VAULT_ENTRY_BYTES, VAULT_PAGE_ENTRIES } from "../../core/portal/vault.ts";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import { vaultKey } from "../../relay-server/src/vault/vaults.ts";
import { base64url, bearer, random, sha256 } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";
import { inventDevice, inventVault, type TestVault, VaultClient } from "./vault-client.ts";

let relay: TestRelay;
beforeAll(async () => {
  relay = await testRelay();
});
afterAll(async () => relay[Symbol.asyncDispose]());

const unknown = { code: "vault/unknown", details: {} };

async function makeVault(): Promise<VaultClient> {
  const client = new VaultClient(relay.url, inventVault());
  expect((await client.create()).status).toBe(204);
  return client;
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "warp-vault-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Puts entries into a store without a relay: many changes share one flush. */
async function fillVault(dataDir: string, { vault, rootToken, device }: TestVault, count: number): Promise<void> {
  const limits = { maxPortalBytes: 2 ** 30, maxStoreBytes: 2 ** 30, maxPortals: 10, minFreeBytes: 0 };
  const store = await openSqliteStore({ dataDir, ...limits });
  const key = vaultKey(Buffer.from(vault, "base64url"));
  const first = { device: device.device, tokenHash: sha256(device.token), name: random(10) };
  await store.vaults.create(key, sha256(rootToken), first, Date.now(), null);
  const changes = Array.from({ length: count }, () => store.vaults.change(key, base64url(random(16)), random(30)));
  await Promise.all(changes);
  await store.close();
}

const json = async (answer: Promise<Response>): Promise<unknown> => (await answer).json();
const statusOf = async (answer: Promise<Response>): Promise<number> => (await answer).status;

describe("a vault", () => {
  it("[VAULT-1] is made once; the same again succeeds, and another one of its name is refused like an unknown one", async () => {
    const client = await makeVault();
    expect(await statusOf(client.create())).toBe(204);
    const { vault } = client;
    const others: TestVault[] = [
      { ...vault, rootToken: random(32) },
      { ...vault, device: inventDevice() },
      { ...vault, device: { ...vault.device, token: random(32) } },
    ];
    for (const other of others) {
      const answer = await new VaultClient(relay.url, other).create();
      expect([answer.status, await answer.json()]).toEqual([404, unknown]);
    }
    expect(await statusOf(client.entries())).toBe(200);
  });

  it("[VAULT-2] answers an unknown vault, a wrong token and another vault's token in the same way, on every route", async () => {
    const [client, other] = [await makeVault(), await makeVault()];
    const nobodys = new VaultClient(relay.url, inventVault());
    const strangers: [VaultClient, Uint8Array | undefined][] = [
      [nobodys, nobodys.vault.rootToken],
      [client, random(32)],
      [client, other.vault.rootToken],
      [client, other.vault.device.token],
      [client, undefined],
    ];
    const answers = new Set<string>();
    for (const [target, token] of strangers) {
      for (const [method, path, body] of target.routes()) {
        const answer = await target.request(method, path, token, body);
        const headers = [...answer.headers].filter(([name]) => name !== "date");
        answers.add(JSON.stringify([answer.status, await answer.json(), headers]));
      }
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toMatch(/^\[404,\{"code":"vault\/unknown","details":\{\}\}/);
  });

  it("[VAULT-2] gives the root token devices and the end of the vault, and a device's the entries", async () => {
    const client = await makeVault();
    const { rootToken, device } = client.vault;
    const one = base64url(random(16));
    const body = { sealed: base64url(random(40)) };
    expect(await statusOf(client.request("PUT", `/entries/${one}`, rootToken, body))).toBe(404);
    expect(await statusOf(client.request("GET", "/entries", rootToken))).toBe(404);
    expect(await statusOf(client.enrol(inventDevice(), device.token))).toBe(404);
    expect(await statusOf(client.request("DELETE", "", device.token))).toBe(404);
    expect(await statusOf(client.put(one, random(40)))).toBe(200);
    expect(await statusOf(client.enrol(inventDevice()))).toBe(204);
    expect(await statusOf(client.request("GET", "/devices", rootToken))).toBe(200);
    expect(await statusOf(client.request("DELETE", "", rootToken))).toBe(204);
    expect(await json(client.entries())).toEqual(unknown);
    expect(await statusOf(client.request("DELETE", "", rootToken))).toBe(404);
  });

  it("[VAULT-3] lists devices, and refuses one that was revoked from then on, everywhere", async () => {
    const client = await makeVault();
    const second = inventDevice();
    expect(await statusOf(client.enrol(second))).toBe(204);
    expect(await statusOf(client.enrol(second))).toBe(204);
    const from = Date.now() - 120_000;
    const { devices } = await client.devices();
    expect(devices.map(({ device }) => device).sort()).toEqual([client.vault.device.device, second.device].sort());
    for (const { addedAtMs, seenAtMs, isRevoked } of devices) {
      expect(Math.min(addedAtMs, seenAtMs)).toBeGreaterThan(from);
      expect(isRevoked).toBe(false);
    }
    expect(devices.find(({ device }) => device === second.device)?.name).toBe(second.name);

    expect(await statusOf(client.revoke(second.device))).toBe(204);
    expect(await statusOf(client.revoke(second.device))).toBe(204);
    const theirs = new VaultClient(relay.url, { ...client.vault, device: second });
    for (const answer of [
      theirs.entries(),
      theirs.put(base64url(random(16)), random(40)),
      theirs.revoke(second.device),
    ])
      expect(await json(answer)).toEqual({ code: "device/revoked", details: {} });
    expect(await json(client.enrol(second))).toEqual({ code: "device/revoked", details: {} });
    expect(await json(client.enrol({ ...inventDevice(), device: second.device }))).toMatchObject({
      code: "wire/malformed",
    });
    const after = (await client.devices()).devices.find(({ device }) => device === second.device);
    expect(after?.isRevoked).toBe(true);
  });

  it("[VAULT-3] has so many devices that are not revoked, however many ask at once", async () => {
    const client = await makeVault();
    const wished = Array.from({ length: MAX_DEVICES + 8 }, () => inventDevice());
    const statuses = await Promise.all(wished.map((device) => statusOf(client.enrol(device))));
    expect(statuses.filter((status) => status === 204)).toHaveLength(MAX_DEVICES - 1);
    expect(statuses.filter((status) => status === 413)).toHaveLength(9);
    const { devices } = await client.devices();
    expect(devices).toHaveLength(MAX_DEVICES);
    await client.revoke(devices.find(({ device }) => device !== client.vault.device.device)?.device ?? "");
    expect(await statusOf(client.enrol(inventDevice()))).toBe(204);
  });

  it("[VAULT-4] gives each change the next number, and changes after a number in order", async () => {
    const client = await makeVault();
    const names = Array.from({ length: 3 }, () => base64url(random(16)));
    const [a = "", b = "", c = ""] = names;
    const sealed = random(MAX_VAULT_ENTRY_BYTES);
    expect(await json(client.entries())).toEqual({ entries: [], last: 0 });
    for (const [at, name] of names.entries())
      expect(await json(client.put(name, random(1)))).toEqual({ number: at + 1 });
    expect(await json(client.put(a, sealed))).toEqual({ number: 4 });
    expect(await json(client.remove(b))).toEqual({ number: 5 });
    expect(await json(client.remove(base64url(random(16))))).toEqual({ number: 5 });
    const all = await client.changes(0);
    expect(all.last).toBe(5);
    expect(all.entries.map(({ entry, number }) => [entry, number])).toEqual([
      [c, 3],
      [a, 4],
      [b, 5],
    ]);
    expect(all.entries[1]?.sealed).toBe(base64url(sealed));
    expect(all.entries[2]?.sealed).toBeNull();
    expect(await client.changes(4)).toEqual({ entries: all.entries.slice(2), last: 5 });
    expect(await json(client.put(b, random(9)))).toEqual({ number: 6 });
    const numbers = await Promise.all(names.map(async (name) => (await json(client.put(name, random(2)))) as object));
    expect(new Set(numbers.map((answer) => JSON.stringify(answer))).size).toBe(3);
  });

  it("[VAULT-4] gives changes in pages", async () => {
    await withFolder(async (dataDir) => {
      const vault = inventVault();
      const count = VAULT_PAGE_ENTRIES + 20;
      await fillVault(dataDir, vault, count);
      await using full = await testRelay({ dataDir });
      const client = new VaultClient(full.url, vault);
      const first = await client.changes(0);
      const second = await client.changes(VAULT_PAGE_ENTRIES);
      expect([first.entries.length, first.last, second.entries.length]).toEqual([VAULT_PAGE_ENTRIES, count, 20]);
      const numbers = [...first.entries, ...second.entries].map(({ number }) => number);
      expect(numbers).toEqual(Array.from({ length: count }, (_, at) => at + 1));
      expect(await client.changes(count)).toEqual({ entries: [], last: count });
    });
  });

  it("[VAULT-5] refuses what is not of its form, and changes nothing", async () => {
    const client = await makeVault();
    const { device } = client.vault;
    const name = base64url(random(16));
    const long = base64url(random(MAX_VAULT_ENTRY_BYTES + 1));
    const bodies = [{}, { sealed: "" }, { sealed: "A" }, { sealed: "AB" }, { sealed: long }, { sealed: "AA", more: 1 }];
    for (const body of bodies) {
      const answer = await client.request("PUT", `/entries/${name}`, device.token, body);
      expect([answer.status, (await answer.json()).code]).toEqual([400, "wire/malformed"]);
    }
    for (const after of ["-1", "1.5", "NaN", "9007199254740993", "1e400"])
      expect(await statusOf(client.request("GET", `/entries?after=${after}`, device.token))).toBe(400);
    const big = { sealed: "A".repeat(20_000) };
    expect(await statusOf(client.request("PUT", `/entries/${name}`, device.token, big))).toBe(413);
    expect(await statusOf(client.request("PUT", "/entries/short", device.token, { sealed: "AA" }))).toBe(400);
    expect(await json(client.entries())).toEqual({ entries: [], last: 0 });
    const odd = await fetch(`${relay.url}/api/v1/vaults/AAAAAAAAAAAAAAAAAAAAAB/entries`, {
      headers: bearer(device.token),
    });
    expect([odd.status, await odd.json()]).toEqual([404, unknown]);
  });

  it("[VAULT-6] keeps what it acknowledged over a restart, and counts vaults", async () => {
    await withFolder(async (dataDir) => {
      const sealed = random(500);
      const name = base64url(random(16));
      const vault = inventVault();
      {
        await using first = await testRelay({ dataDir });
        const client = new VaultClient(first.url, vault);
        await client.create();
        await client.put(name, sealed);
      }
      await using again = await testRelay({ dataDir });
      const entries = [{ entry: name, number: 1, sealed: base64url(sealed) }];
      expect(await new VaultClient(again.url, vault).changes(0)).toEqual({ entries, last: 1 });
      expect(await (await fetch(`${again.url}/metrics`)).text()).toMatch(/^warp_vaults 1$/m);
    });
  });

  it("[VAULT-8] counts making one as a creation, and changes in a minute", async () => {
    await using strict = await testRelay({ maxCreatesPerHour: 2 }, { limits: { vaultChangesPerMinute: 3 } });
    const [client, second, third] = Array.from({ length: 3 }, () => new VaultClient(strict.url, inventVault()));
    expect(await statusOf(client?.create() as Promise<Response>)).toBe(204);
    expect(await statusOf(second?.create() as Promise<Response>)).toBe(204);
    const refused = await third?.create();
    expect(refused?.status).toBe(429);
    expect(await refused?.json()).toEqual({ code: "relay/busy", details: { retrySeconds: expect.any(Number) } });
    const statuses: (number | undefined)[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await client?.put(base64url(random(16)), random(20)))?.status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(await client?.changes(0)).toMatchObject({ last: 3 });
  });
});
