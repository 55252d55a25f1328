/**
 * What lies in a vault, sealed so that the relay that keeps it reads nothing: records of portals and names of devices. Each is
 * bound to the vault and to its own name there, and padded, so that lengths tell little.
 *
 * @module
 */
import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";
import { paddedBytes } from "../seal/padding.ts";
import { decodeRecord, encodeRecord, type PortalRecord } from "./record.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What is sealed for a place opens there only: u8[16] each. */
interface VaultPlace {
  readonly vault: Uint8Array;
  /** The entry's, or the device's. */
  readonly name: Uint8Array;
}

/** UTF-16 units of a device's name. */
const MAX_NAME_LENGTH = 40;
/** Every sealed name of a device is equally long. */
const NAME_BYTES = 192;
const IV_BYTES = 12;
/** Before what is padded: its length, u16. */
const LENGTH_BYTES = 2;

/** Gives `iv ‖ ciphertext ‖ tag`, at most MAX_VAULT_ENTRY_BYTES. @throws Failure `journal/damaged` for what is no record */
export function sealEntry(seal: CryptoKey, place: VaultPlace, record: PortalRecord): Promise<Bytes> {
  const plain = encodeRecord(record);
  return sealPadded(seal, associated("entry", place), plain, paddedBytes(plain.length + LENGTH_BYTES));
}

/** @throws Failure `journal/damaged` when it was not sealed with this key for this place */
export async function openEntry(seal: CryptoKey, place: VaultPlace, sealed: Bytes): Promise<PortalRecord> {
  return decodeRecord(await openPadded(seal, associated("entry", place), sealed));
}

/** A longer name is cut. */
export function sealDeviceName(seal: CryptoKey, place: VaultPlace, name: string): Promise<Bytes> {
  return sealPadded(seal, associated("device", place), ascii(name.slice(0, MAX_NAME_LENGTH)), NAME_BYTES);
}

/** @throws Failure `journal/damaged` when it was not sealed with this key for this place */
export async function openDeviceName(seal: CryptoKey, place: VaultPlace, sealed: Bytes): Promise<string> {
  const text = new TextDecoder().decode(await openPadded(seal, associated("device", place), sealed));
  return text.slice(0, MAX_NAME_LENGTH);
}

async function sealPadded(key: CryptoKey, additionalData: Bytes, plain: Uint8Array, bytes: number): Promise<Bytes> {
  const padded = new Uint8Array(bytes);
  new DataView(padded.buffer).setUint16(0, plain.length);
  padded.set(plain, LENGTH_BYTES);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const algorithm = { name: "AES-GCM" as const, iv, additionalData };
  return concat([iv, new Uint8Array(await crypto.subtle.encrypt(algorithm, key, padded))]);
}

async function openPadded(key: CryptoKey, additionalData: Bytes, sealed: Bytes): Promise<Bytes> {
  const algorithm = { name: "AES-GCM" as const, iv: sealed.slice(0, IV_BYTES), additionalData };
  const padded = await crypto.subtle.decrypt(algorithm, key, sealed.slice(IV_BYTES)).catch((cause: unknown) => {
    throw new Failure("journal/damaged", { what: "vault" }, { cause });
  });
  if (padded.byteLength < LENGTH_BYTES) throw new Failure("journal/damaged", { what: "vault" });
  const end = LENGTH_BYTES + new DataView(padded).getUint16(0);
  if (end > padded.byteLength) throw new Failure("journal/damaged", { what: "vault" });
  return new Uint8Array(padded.slice(LENGTH_BYTES, end));
}

function associated(kind: "entry" | "device", { vault, name }: VaultPlace): Bytes {
  return concat([ascii(`warp/1 ${kind}\0`), vault, name]);
}
