/**
 * What the process that is killed stores, and what is looked for afterwards.
 *
 * @module
 */
import { KIB } from "../../core/units.ts";
import { portalKey } from "../../relay-server/src/bytes.ts";
import type { NewPortal } from "../../relay-server/src/store/store.ts";
import { noise } from "../support/bytes.ts";

const LIMIT_BYTES = 2 ** 40;

/** Room for everything. */
export const KILLED_LIMITS = {
  maxPortalBytes: LIMIT_BYTES,
  maxStoreBytes: LIMIT_BYTES,
  maxPortals: 10,
  minFreeBytes: 0,
};

/** The portal that it stores into. */
export const KILLED_PORTAL: NewPortal = {
  key: portalKey(noise(16, "portal")),
  kind: "send",
  requestHash: noise(32, "request"),
  ownerTokenHash: noise(32, "owner"),
  maxDownloads: null,
  expirySeconds: 3600,
  idleSeconds: null,
  links: [],
  isPartial: false,
  delivery: null,
  createdAtMs: 0,
  expiresAtMs: 3_600_000,
};

/** The bytes of object `index`: small ones, which lie in the database, and others, which lie in files. */
export function storedBytes(index: number): Uint8Array<ArrayBuffer> {
  return noise(index % 2 === 0 ? 100 + (index % 50) : 64 * KIB + (index % 50), index);
}
