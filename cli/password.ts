/**
 * Password keys in Node: core's rules over the Argon2id of hash-wasm.
 *
 * @module
 */
import { argon2id } from "hash-wasm";
import { derivePasswordKey } from "../core/portal/password.ts";
import type { PasswordParameters } from "../core/portal/portal.ts";

/**
 * @param salt u8[16]
 * @returns u8[32]
 * @throws Failure `manifest/limit` for parameters outside of the accepted range
 */
export function passwordKey(
  password: string,
  salt: Uint8Array,
  parameters: PasswordParameters,
): Promise<Uint8Array<ArrayBuffer>> {
  return derivePasswordKey(argon2id, password, salt, parameters);
}
