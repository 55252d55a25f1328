/**
 * The page of the registry test: what this browser remembers of portals, within reach of the test.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { PortalRecord } from "../../core/portal/record.ts";
import { readRegistry } from "../../platform/registry/database.ts";
import { confirmPhrase, hasUnconfirmed, keptIdentity, makePhrase } from "../../platform/registry/identity.ts";
import { onChange } from "../../platform/registry/notices.ts";
import * as registry from "../../platform/registry/registry.ts";
import { storedInvite, storeInvite } from "../../platform/registry/settings.ts";

declare global {
  /** For `page.evaluate`. */
  var warpRegistry: typeof tools;
}

const tools = {
  ...registry,
  confirmPhrase,
  hasUnconfirmed,
  keptIdentity,
  makePhrase,
  onChange,
  readRegistry,
  storedInvite,
  storeInvite,
  /** `resolved`, or the code of what was thrown. */
  async codeOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return "resolved";
    } catch (error) {
      return error instanceof Failure ? error.code : String(error);
    }
  },
  /** A record of a portal whose name follows from the number. */
  record(number: number, change: Partial<PortalRecord> = {}): PortalRecord {
    return {
      as: "sent",
      portal: tools.name(number),
      relayOrigin: "https://relay.example",
      relays: [],
      kind: "send",
      title: `portal ${number}`,
      bytesTotal: number,
      entriesTotal: 1,
      createdAtMs: 1_000_000 + number,
      expiresAtMs: null,
      secret: new Uint8Array(32).fill(number),
      ownerSecret: new Uint8Array(32).fill(number + 1),
      adminLink: null,
      links: [],
      ended: null,
      changedAtMs: 1_000_000 + number,
      ...change,
    };
  },
  /** u8[16], base64url */
  name(number: number): string {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(12, number);
    return btoa(String.fromCharCode(...bytes))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  },
};

globalThis.warpRegistry = tools;
