/**
 * A client's half of a vault over the relay's API: making it, adding and removing devices, reading and changing its entries.
 * What is in them is core/portal/vault-seal.ts.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi, type HttpRequest, type SendRequest } from "../edge/http-link.ts";
import { Failure } from "../failure.ts";
import { asArray, asBoolean, asFields, asInteger, asString } from "../wire/check.ts";
import type { Admission } from "./client.ts";
import { INVITE_HEADER } from "./portal.ts";
import {
  type CreateVault,
  MAX_DEVICE_NAME_BYTES,
  MAX_VAULT_ENTRY_BYTES,
  type NewDevice,
  type PutVaultEntry,
  VAULT_PAGE_ENTRIES,
  type VaultDevice,
} from "./vault.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A vault, and who asks: with the root token or with a device's. */
export interface VaultAccess {
  readonly send: SendRequest;
  /** u8[16] */
  readonly vault: Bytes;
  /** u8[32] */
  readonly token: Bytes;
}

/** Characters of 16 bytes in base64url. */
const NAME_CHARACTERS = 22;
/** Devices in one answer, those that were revoked included. */
const MAX_LISTED_DEVICES = 10_000;

/** One entry that changed; `sealed` is null when it was removed. */
export interface ChangedEntry {
  /** u8[16] */
  readonly name: Bytes;
  readonly number: number;
  readonly sealed: Bytes | null;
}

/** Makes a vault with its first device; the same again succeeds. @throws Failure `vault/…` | `relay/…` */
export async function createVault(
  { send, vault, token }: VaultAccess,
  body: CreateVault,
  { invite }: Pick<Admission, "invite">,
): Promise<void> {
  const headers = { ...bearer(token), ...(invite !== null && { [INVITE_HEADER]: invite }) };
  await callApi(send, { method: "PUT", path: pathOf(vault), ...jsonBody(body, headers) });
}

/** Adds a device, by the root token. @throws Failure `vault/unknown` | `vault/full` | `relay/…` */
export async function enrolDevice({ send, vault, token }: VaultAccess, device: NewDevice): Promise<void> {
  await callApi(send, { method: "POST", path: `${pathOf(vault)}/devices`, ...jsonBody(device, bearer(token)) });
}

/** @throws Failure `vault/unknown` | `device/revoked` | `relay/…` */
export async function vaultDevices(access: VaultAccess): Promise<readonly VaultDevice[]> {
  const answer = await call(access, "GET", "/devices");
  return read("devices", () =>
    asArray(asFields(answer, "devices")["devices"], "devices", MAX_LISTED_DEVICES).map(readDevice),
  );
}

/** Its token is worth nothing from now on. @throws Failure `vault/unknown` | `device/revoked` | `relay/…` */
export async function removeDevice(access: VaultAccess, device: string): Promise<void> {
  await call(access, "DELETE", `/devices/${device}`);
}

/** Every entry that changed after `after`, oldest first, as the relay gives them. @throws Failure like the others */
export async function* changedEntries(access: VaultAccess, after: number): AsyncGenerator<readonly ChangedEntry[]> {
  for (let from = after; ; ) {
    const answer = await call(access, "GET", `/entries?after=${from}`);
    const { entries, last } = read("entries", () => readEntries(answer));
    yield entries;
    const next = entries.at(-1)?.number ?? last;
    // Numbers grow, or this would ask for ever.
    if (next >= last || next <= from) return;
    from = next;
  }
}

/** @param sealed from sealEntry. @throws Failure `vault/full` | `vault/unknown` | `device/revoked` | `relay/…` */
export async function putEntry({ send, vault, token }: VaultAccess, name: Bytes, sealed: Bytes): Promise<void> {
  const path = `${pathOf(vault)}/entries/${base64urlnopad.encode(name)}`;
  const body: PutVaultEntry = { sealed: base64urlnopad.encode(sealed) };
  await callApi(send, { method: "PUT", path, ...jsonBody(body, bearer(token)) });
}

/** One that is not there is removed already. @throws Failure `vault/unknown` | `device/revoked` | `relay/…` */
export async function removeEntry(access: VaultAccess, name: string): Promise<void> {
  await call(access, "DELETE", `/entries/${name}`);
}

function readDevice(value: unknown): VaultDevice {
  const fields = asFields(value, "device");
  return {
    device: asString(fields["device"], "device", NAME_CHARACTERS),
    name: asString(fields["name"], "name", 2 * MAX_DEVICE_NAME_BYTES),
    addedAtMs: asInteger(fields["addedAtMs"], "addedAtMs"),
    seenAtMs: asInteger(fields["seenAtMs"], "seenAtMs"),
    isRevoked: asBoolean(fields["isRevoked"], "isRevoked"),
  };
}

function readEntries(value: unknown): { readonly entries: readonly ChangedEntry[]; readonly last: number } {
  const { entries, last } = asFields(value, "entries");
  return {
    entries: asArray(entries, "entries", VAULT_PAGE_ENTRIES).map((each) => {
      const { entry, number, sealed } = asFields(each, "entry");
      return {
        name: decode(asString(entry, "entry", NAME_CHARACTERS)),
        number: asInteger(number, "number"),
        sealed: sealed === null ? null : decode(asString(sealed, "sealed", 2 * MAX_VAULT_ENTRY_BYTES)),
      };
    }),
    last: asInteger(last, "last"),
  };
}

function read<T>(what: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    throw new Failure("relay/foreign", { what }, { cause });
  }
}

function call({ send, vault, token }: VaultAccess, method: "GET" | "DELETE", path: string): Promise<unknown> {
  return callApi(send, { method, path: pathOf(vault) + path, headers: bearer(token) });
}

function pathOf(vault: Bytes): string {
  return `/api/v1/vaults/${base64urlnopad.encode(vault)}`;
}

function bearer(token: Bytes): Readonly<Record<string, string>> {
  return { Authorization: `Bearer ${base64urlnopad.encode(token)}` };
}

function jsonBody(body: unknown, headers: Readonly<Record<string, string>>): Pick<HttpRequest, "headers" | "body"> {
  return { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function decode(text: string): Bytes {
  try {
    return new Uint8Array(base64urlnopad.decode(text));
  } catch (cause) {
    throw new Failure("relay/foreign", { what: "base64url" }, { cause });
  }
}
