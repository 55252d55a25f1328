/**
 * Password keys in Node: core's rules over the Argon2id of hash-wasm.
 *
 * @module
 */
import { argon2id } from "hash-wasm";
import { derivePasswordKey } from "../core/portal/password.ts";
import type { PasswordParameters } from "../core/portal/portal.ts";
import { NO_PASSWORD, passwordSalt } from "../core/seal/keys.ts";
import type { PortalLink } from "../core/seal/link.ts";

/**
 * @param password null for none
 * @returns u8[32], or NO_PASSWORD
 * @throws Failure `manifest/limit` for parameters outside of the accepted range
 */
export async function passwordKey(
  link: PortalLink,
  password: string | null,
  parameters: PasswordParameters,
): Promise<Uint8Array<ArrayBuffer>> {
  if (password === null) return NO_PASSWORD;
  return derivePasswordKey(argon2id, password, await passwordSalt(link), parameters);
}
