/**
 * The password's part of the keys: which Argon2id parameters a sender chooses and which a receiver accepts. The
 * function itself is given by the host. The parameters travel with the portal; a receiver refuses weak ones, so that a
 * relay cannot downgrade them, and huge ones, so that it cannot freeze the client.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { PasswordParameters } from "./portal.ts";

/**
 * RFC 9106's second recommended choice with one pass less: with its three, somebody with the right password waits longer than
 * a second on a slow laptop. More than three times the memory that is held to be the least for two passes.
 */
export const PASSWORD_PARAMETERS: PasswordParameters = {
  algorithm: "argon2id",
  memory: 64 * 1024,
  iterations: 2,
  parallelism: 1,
};

/** `memorySize` in KiB; gives `hashLength` bytes. */
export type Argon2id = (options: {
  password: string;
  salt: Uint8Array;
  memorySize: number;
  iterations: number;
  parallelism: number;
  hashLength: number;
  outputType: "binary";
}) => Promise<Uint8Array>;

/**
 * @param salt u8[16]
 * @returns u8[32]
 * @throws Failure `manifest/limit` for parameters outside of the accepted range
 */
export async function derivePasswordKey(
  argon2id: Argon2id,
  password: string,
  salt: Uint8Array,
  { memory, iterations, parallelism }: PasswordParameters,
): Promise<Uint8Array<ArrayBuffer>> {
  const weak = memory < 19 * 1024 || iterations < 2 || parallelism < 1;
  if (weak || memory > 256 * 1024 || iterations > 10 || parallelism > 4)
    throw new Failure("manifest/limit", { what: "password" });
  const options = { salt, memorySize: memory, iterations, parallelism, hashLength: 32, outputType: "binary" as const };
  return new Uint8Array(await argon2id({ ...options, password: password.normalize("NFKC") }));
}
