/**
 * Whose list this is, on this device: a phrase that was made and not yet written down (its entropy, sealed), and the identity
 * under which the list is kept at a relay (keys that cannot be exported; the entropy and the root are forgotten by then).
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { deriveIdentity, IDENTITY_BYTES, type Identity, parsePhrase, phraseOf } from "../../core/portal/identity.ts";
import type { NewDevice } from "../../core/portal/vault.ts";
import { createVault, enrolDevice, type VaultAccess } from "../../core/portal/vault-client.ts";
import { sealDeviceName } from "../../core/portal/vault-seal.ts";
import { relayToken, tokenHash } from "../../core/seal/keys.ts";
import { asBoolean, asBytes, asFields, asInteger, asString } from "../../core/wire/check.ts";
import { decodeCanonical, encodeCanonical } from "../../core/wire/codec.ts";
import { openAt, sealAt } from "../journal/sealed.ts";
import { fetchFrom } from "../link/fetch.ts";
import { changeRegistry, type IdentityKeys, type Registry, type RegistryKeys, readRegistry } from "./database.ts";
import { tellChange } from "./notices.ts";
import { changeManyKept, listKept } from "./registry.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The identity under which the list is kept at a relay. */
export interface KeptIdentity {
  readonly keys: IdentityKeys;
  /** u8[16] */
  readonly vault: Bytes;
  readonly relayOrigin: string;
  /** This device's name there, u8[16]. */
  readonly device: Bytes;
  /** Number of the last change of the vault that is known here. */
  readonly last: number;
  /** When the list was last the same here and there; null for never. */
  readonly syncedAtMs: number | null;
  /** Another device took this one off. */
  readonly isRevoked: boolean;
}

/** A phrase that was made here and not yet written down. */
interface Unconfirmed {
  readonly keys: IdentityKeys;
  readonly entropy: Bytes;
  readonly device: Bytes;
}

const KEPT = "identity";
const UNCONFIRMED = "phrase";
const NAME_BYTES = 16;
const LIMITS = { maxBytes: 1024, malformed: "journal/damaged", tooLarge: "journal/damaged" } as const;

/** Undefined where the list is in this browser alone. @throws Failure `journal/damaged` where the browser keeps nothing */
export function keptIdentity(): Promise<KeptIdentity | undefined> {
  return readRegistry(readKept);
}

/** True when a phrase was made and not confirmed. @throws Failure `journal/damaged` */
export async function hasUnconfirmed(): Promise<boolean> {
  return (await readRegistry(readUnconfirmed)) !== undefined;
}

/** The words of the phrase that was not confirmed yet, or of a new one. @throws Failure `journal/damaged` */
export async function makePhrase(): Promise<readonly string[]> {
  const { entropy } = await changeRegistry(async (db, keys) => {
    const found = await readUnconfirmed(db, keys);
    if (found !== undefined) return found;
    const entropy = crypto.getRandomValues(new Uint8Array(IDENTITY_BYTES));
    const made = { entropy, device: newName(), keys: await deviceKeys(await deriveIdentity(entropy)) };
    await putRow(db, keys, UNCONFIRMED, made.keys, { e: entropy, d: made.device });
    return made;
  });
  tellChange();
  return phraseOf(entropy);
}

/**
 * The words are written down: makes the vault with this device in it, and forgets the words.
 * @param invite for a relay that asks for one
 * @throws Failure `journal/absent` when no phrase was made, `relay/…`
 */
export async function confirmPhrase(relayOrigin: string, deviceName: string, invite: string | null): Promise<void> {
  const found = await readRegistry(readUnconfirmed);
  if (found === undefined) throw new Failure("journal/absent", { what: "phrase" });
  const identity = await deriveIdentity(found.entropy);
  const { access, device } = await describeDevice(identity, found, relayOrigin, deviceName);
  const rootTokenHash = base64urlnopad.encode(tokenHash(access.token));
  await createVault(access, { rootTokenHash, device }, { invite });
  await keep(identity, found, relayOrigin);
}

/**
 * Adds this device by the phrase.
 * @throws Failure `phrase/wrong` | `vault/unknown` | `vault/full` | `relay/…`
 */
export async function enrolByPhrase(phrase: string, relayOrigin: string, deviceName: string): Promise<void> {
  const entropy = parsePhrase(phrase);
  const identity = await deriveIdentity(entropy);
  entropy.fill(0);
  const made = { device: newName(), keys: await deviceKeys(identity) };
  const { access, device } = await describeDevice(identity, made, relayOrigin, deviceName);
  await enrolDevice(access, device);
  await keep(identity, made, relayOrigin);
}

/**
 * Changes what is kept of an identity, unless it is another one by now.
 * @throws Failure `journal/damaged`
 */
export async function updateIdentity(
  device: Bytes,
  change: Partial<Pick<KeptIdentity, "last" | "syncedAtMs" | "isRevoked">>,
): Promise<void> {
  await changeRegistry(async (db, keys) => {
    const kept = await readKept(db, keys);
    if (kept === undefined || base64urlnopad.encode(kept.device) !== base64urlnopad.encode(device)) return;
    await putKept(db, keys, { ...kept, ...change });
  });
}

/** Its relay knows the vault no more: the list is in this browser alone again. @throws Failure `journal/damaged` */
export async function dropIdentity(): Promise<void> {
  await changeRegistry((db) => db.delete("settings", KEPT));
  tellChange();
}

/** This device's way into the vault. */
export async function vaultAccess({ keys, vault, relayOrigin }: KeptIdentity): Promise<VaultAccess> {
  const token = await relayToken(keys.device, "device", relayOrigin, vault);
  return { send: fetchFrom(relayOrigin), vault, token };
}

/** Keeps an identity in the place of any before; everything on the list is to be told to its vault. */
async function keep(
  { vault }: Identity,
  { keys: deviceKeys, device }: Pick<Unconfirmed, "keys" | "device">,
  relayOrigin: string,
): Promise<void> {
  await changeRegistry(async (db, keys) => {
    const start = { last: 0, syncedAtMs: null, isRevoked: false };
    await putKept(db, keys, { keys: deviceKeys, vault, relayOrigin, device, ...start });
    await db.delete("settings", UNCONFIRMED);
    await db.clear("removals"); // entries of another vault
  });
  const portals = (await listKept()).map(({ record }) => record.portal);
  await changeManyKept(portals, (_, kept) => kept && { ...kept, isDirty: true });
  tellChange();
}

/** The device as the vault is told, and the way in by the root. */
async function describeDevice(
  { vault, root, seal }: Identity,
  { keys, device }: Pick<Unconfirmed, "keys" | "device">,
  relayOrigin: string,
  deviceName: string,
): Promise<{ access: VaultAccess; device: NewDevice }> {
  const [rootToken, token, name] = await Promise.all([
    relayToken(root, "root", relayOrigin, vault),
    relayToken(keys.device, "device", relayOrigin, vault),
    sealDeviceName(seal, { vault, name: device }, deviceName),
  ]);
  return {
    access: { send: fetchFrom(relayOrigin), vault, token: rootToken },
    device: {
      device: base64urlnopad.encode(device),
      tokenHash: base64urlnopad.encode(tokenHash(token)),
      name: base64urlnopad.encode(name),
    },
  };
}

async function deviceKeys({ seal, names }: Identity): Promise<IdentityKeys> {
  const device = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return { seal, names, device };
}

function newName(): Bytes {
  return crypto.getRandomValues(new Uint8Array(NAME_BYTES));
}

function readKept(db: Registry, own: RegistryKeys): Promise<KeptIdentity | undefined> {
  return readRow(db, own, KEPT, (fields, keys) => ({
    keys,
    vault: asBytes(fields["v"], "v", NAME_BYTES).slice(),
    relayOrigin: asString(fields["o"], "o", 300),
    device: asBytes(fields["d"], "d", NAME_BYTES).slice(),
    last: asInteger(fields["l"], "l"),
    syncedAtMs: fields["s"] === null ? null : asInteger(fields["s"], "s"),
    isRevoked: asBoolean(fields["r"], "r"),
  }));
}

function putKept(db: Registry, own: RegistryKeys, kept: KeptIdentity): Promise<void> {
  const { keys, vault, relayOrigin, device, last, syncedAtMs, isRevoked } = kept;
  const fields = { v: vault, o: relayOrigin, d: device, l: last, s: syncedAtMs, r: isRevoked };
  return putRow(db, own, KEPT, keys, fields);
}

function readUnconfirmed(db: Registry, own: RegistryKeys): Promise<Unconfirmed | undefined> {
  return readRow(db, own, UNCONFIRMED, (fields, keys) => ({
    keys,
    entropy: asBytes(fields["e"], "e", IDENTITY_BYTES).slice(),
    device: asBytes(fields["d"], "d", NAME_BYTES).slice(),
  }));
}

/** Undefined for a row that is not there, or that was damaged. */
async function readRow<T>(
  db: Registry,
  own: RegistryKeys,
  name: string,
  read: (fields: Readonly<Record<string, unknown>>, keys: IdentityKeys) => T,
): Promise<T | undefined> {
  const row = await db.get("settings", name);
  if (row?.keys === undefined) return undefined;
  try {
    const plain = await openAt(own.seal, `setting/${name}`, row.sealed);
    return read(asFields(decodeCanonical(plain, LIMITS), name), row.keys);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

async function putRow(
  db: Registry,
  own: RegistryKeys,
  name: string,
  keys: IdentityKeys,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const sealed = await sealAt(own.seal, `setting/${name}`, encodeCanonical(fields));
  const { store, done } = db.transaction("settings", "readwrite", { durability: "strict" });
  void store.put({ name, sealed, keys });
  await done;
}
