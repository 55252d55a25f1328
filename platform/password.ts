/**
 * Password keys by Argon2id (hash-wasm). The parameters travel with the portal; a receiver refuses weak ones, so that a
 * relay cannot downgrade them, and huge ones, so that it cannot freeze the page.
 *
 * @module
 */
import { argon2id } from "hash-wasm";
import { Failure } from "../core/failure.ts";
import type { PasswordParameters } from "../core/portal/portal.ts";

/** RFC 9106's second recommended choice. */
export const PASSWORD_PARAMETERS: PasswordParameters = {
  algorithm: "argon2id",
  memory: 64 * 1024,
  iterations: 3,
  parallelism: 1,
};

/**
 * @param salt u8[16]
 * @returns u8[32]
 * @throws Failure `manifest/limit` for parameters outside of the accepted range
 */
export async function passwordKey(
  password: string,
  salt: Uint8Array,
  { memory, iterations, parallelism }: PasswordParameters,
): Promise<Uint8Array<ArrayBuffer>> {
  const weak = memory < 19 * 1024 || iterations < 2 || parallelism < 1;
  if (weak || memory > 256 * 1024 || iterations > 10 || parallelism > 4) throw new Failure("manifest/limit", { what: "password" });
  const options = { password: password.normalize("NFKC"), salt, memorySize: memory, iterations, parallelism, hashLength: 32 };
  return new Uint8Array(await argon2id({ ...options, outputType: "binary" }));
}
