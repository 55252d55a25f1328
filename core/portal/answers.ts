/**
 * Reading what a relay answers about portals and links: whatever has another form is not the relay's.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { asBoolean, asFields, asInteger, asOneOf, asString } from "../wire/check.ts";
import { MAX_LEASE } from "../wire/frame.ts";
import {
  CAPABILITIES,
  type CreatedPortal,
  type LinkAccess,
  MAX_GRANT_BYTES,
  type OpenedLink,
  type PasswordParameters,
  PORTAL_KINDS,
} from "./portal.ts";

/** Characters of 32 bytes in base64url. */
const COMMITMENT_CHARACTERS = 43;

/** @throws Failure `relay/foreign` */
export function readCreated(value: unknown): CreatedPortal {
  return read("created", () => {
    const { expiresAtMs, lease } = asFields(value, "created");
    return { expiresAtMs: asInteger(expiresAtMs, "expiresAtMs"), lease: asInteger(lease, "lease", MAX_LEASE) };
  });
}

/** @throws Failure `relay/foreign` */
export function readLinkAccess(value: unknown): LinkAccess {
  return read("link", () => {
    const { password, opened } = asFields(value, "link");
    return {
      password: password === null ? null : readPassword(password),
      opened: opened === null ? null : readOpened(opened),
    };
  });
}

/** Their range is for whoever derives with them. */
function readPassword(value: unknown): PasswordParameters {
  const { algorithm, memory, iterations, parallelism } = asFields(value, "password");
  return {
    algorithm: asOneOf(algorithm, ["argon2id"], "algorithm"),
    memory: asInteger(memory, "memory"),
    iterations: asInteger(iterations, "iterations"),
    parallelism: asInteger(parallelism, "parallelism"),
  };
}

function readOpened(value: unknown): OpenedLink {
  const { capability, kind, keyCommitment, grant, isLimited, expiresAtMs } = asFields(value, "opened");
  return {
    capability: asOneOf(capability, CAPABILITIES, "capability"),
    kind: asOneOf(kind, PORTAL_KINDS, "kind"),
    keyCommitment: asString(keyCommitment, "keyCommitment", COMMITMENT_CHARACTERS),
    grant: asString(grant, "grant", 2 * MAX_GRANT_BYTES),
    isLimited: asBoolean(isLimited, "isLimited"),
    expiresAtMs: asInteger(expiresAtMs, "expiresAtMs"),
  };
}

function read<T>(what: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    throw new Failure("relay/foreign", { what }, { cause });
  }
}
