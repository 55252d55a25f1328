import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_VAULT_ENTRIES } from "../../../core/portal/vault.ts";
import { MIB } from "../../../core/units.ts";
import { toBase64url } from "../bytes.ts";
import type { EnrolledDevice, VaultKey } from "../vault/vault-store.ts";
import { vaultKey } from "../vault/vaults.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { MAX_REVOKED_DEVICES } from "./sqlite-vaults.ts";
import type { Store } from "./store.ts";

const STORE_BYTES = 4 * MIB;
let dataDir: string;
let store: Store;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "warp-vaults-"));
  const limits = { maxPortalBytes: STORE_BYTES, maxStoreBytes: STORE_BYTES, maxPortals: 10, minFreeBytes: 0 };
  store = await openSqliteStore({ dataDir, ...limits });
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

const random = (bytes: number) => Uint8Array.from(randomBytes(bytes));
const name = () => toBase64url(random(16));
const device = (): EnrolledDevice => ({ device: name(), tokenHash: random(32), name: random(20) });

async function makeVault(nowMs = 1000): Promise<VaultKey> {
  const key = vaultKey(random(16));
  await store.vaults.create(key, random(32), device(), nowMs, null);
  return key;
}

/** Many changes share one flush. */
async function fill(key: VaultKey, names: readonly string[], bytes: number): Promise<void> {
  const sealed = random(bytes);
  await Promise.all(names.map((entry) => store.vaults.change(key, entry, sealed)));
}

describe("the store of vaults", () => {
  it("[VAULT-5] has a bound on entries, for which the oldest removed ones make room", async () => {
    const key = await makeVault();
    const names = Array.from({ length: MAX_VAULT_ENTRIES }, name);
    await fill(key, names, 1);
    const full = { code: "vault/full" };
    await expect(store.vaults.change(key, name(), random(1))).rejects.toMatchObject(full);
    const last = await store.vaults.change(key, names[0] ?? "", random(2));
    expect(last).toBe(MAX_VAULT_ENTRIES + 1);
    await store.vaults.change(key, names[1] ?? "", null);
    await store.vaults.change(key, names[2] ?? "", null);
    const latest = name();
    expect(await store.vaults.change(key, latest, random(1))).toBe(MAX_VAULT_ENTRIES + 4);
    const { entries } = store.vaults.entries(key, MAX_VAULT_ENTRIES, 10);
    expect(entries.map(({ entry, sealed }) => [entry, sealed === null])).toEqual([
      [names[0], false],
      [names[2], true],
      [latest, false],
    ]);
    await store.vaults.change(key, name(), random(1));
    await expect(store.vaults.change(key, name(), random(1))).rejects.toMatchObject(full);
    expect(store.vaults.usage()).toEqual({ vaults: 1, bytes: MAX_VAULT_ENTRIES + 1 });
  });

  it("[VAULT-5] has a bound on the bytes of all vaults, however many come at once, and takes more when some are gone", async () => {
    const key = await makeVault();
    const most = STORE_BYTES / 16;
    const names = Array.from({ length: 80 }, name);
    const sealed = random(4096);
    const results = await Promise.allSettled(names.map((entry) => store.vaults.change(key, entry, sealed)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(most / 4096);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "relay/full" });
    expect(store.vaults.usage().bytes).toBe(most);
    await store.vaults.change(key, names[0] ?? "", random(1));
    expect(store.vaults.usage().bytes).toBe(most - 4095);
    await store.vaults.change(key, names[1] ?? "", null);
    await store.vaults.change(key, name(), sealed);
  });

  it("[VAULT-7] removes what nobody used for long, and nothing else", async () => {
    const [old, used, device] = [await makeVault(), await makeVault(), await makeVault()];
    await fill(old, Array.from({ length: 4500 }, name), 10);
    await fill(used, [name()], 7);
    await store.vaults.saw(used, null, 5000);
    await store.vaults.saw(device, store.vaults.find(device)?.devices[0]?.device ?? "", 5000);
    await store.vaults.forgetUnused(5000);
    expect(store.vaults.find(old)).toBeUndefined();
    expect(store.vaults.find(used)).toMatchObject({ usedAtMs: 5000 });
    expect(store.vaults.find(device)?.devices).toMatchObject([{ seenAtMs: 5000 }]);
    expect(store.vaults.usage()).toEqual({ vaults: 2, bytes: 7 });
    await expect(store.vaults.change(old, name(), random(1))).rejects.toMatchObject({ code: "vault/unknown" });
  });

  it("[VAULT-7] finds a removed vault no more, and lets it be made again, empty", async () => {
    const key = await makeVault();
    await fill(key, Array.from({ length: 5000 }, name), 10);
    const removed = store.vaults.remove(key);
    const made = store.vaults.create(key, random(32), device(), 2000, null);
    await Promise.all([removed, made]);
    expect(await made).toBe(true);
    expect(store.vaults.entries(key, 0, 10)).toEqual({ entries: [], last: 0 });
    expect(store.vaults.usage()).toEqual({ vaults: 1, bytes: 0 });
    await store.vaults.remove(key);
    await store.vaults.remove(key);
    expect(store.vaults.find(key)).toBeUndefined();
    expect(store.vaults.usage()).toEqual({ vaults: 0, bytes: 0 });
  });

  it("[VAULT-3] remembers a bounded number of revoked devices", async () => {
    const key = await makeVault();
    for (let n = 0; n < MAX_REVOKED_DEVICES + 5; n++) {
      const next = device();
      await store.vaults.enrol(key, next, 2000 + n);
      await store.vaults.revoke(key, next.device);
    }
    const revoked = store.vaults.find(key)?.devices.filter(({ isRevoked }) => isRevoked) ?? [];
    expect(revoked).toHaveLength(MAX_REVOKED_DEVICES);
    expect(revoked[0]?.addedAtMs).toBe(2005);
  });

  it("[RELAY-64] uses an invitation up with what is made by it, and not when that fails", async () => {
    const [invite, late] = [random(32), random(32)];
    await store.invites.add(invite, 2, 10_000);
    await store.invites.add(late, 2, 1000);
    const make = (key: VaultKey, code: Uint8Array<ArrayBuffer>) =>
      store.vaults.create(key, random(32), device(), 1000, code);
    const key = vaultKey(random(16));
    await make(key, invite);
    await expect(make(key, invite)).rejects.toMatchObject({ code: "vault/unknown" });
    await expect(make(vaultKey(random(16)), late)).rejects.toMatchObject({ code: "relay/invite" });
    await expect(make(vaultKey(random(16)), random(32))).rejects.toMatchObject({ code: "relay/invite" });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => make(vaultKey(random(16)), invite)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await store.invites.forget(20_000);
    expect(store.vaults.usage().vaults).toBe(2);
  });
});
