/**
 * The whole list as a text that people and programs can read. It holds every secret.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import type { PortalRecord } from "../../core/portal/record.ts";

/** Readable JSON; times in ISO 8601. */
export function exportText(records: readonly PortalRecord[]): string {
  const list = { format: "warp-portal-list/1", exportedAt: iso(Date.now()), portals: records.map(toReadable) };
  return `${JSON.stringify(list, null, 2)}\n`;
}

function toReadable(record: PortalRecord): Readonly<Record<string, unknown>> {
  const { as, kind, title, portal, relayOrigin, bytesTotal, entriesTotal, ended } = record;
  const link = (path: string | null) => (path === null ? null : relayOrigin + path);
  const secret = (bytes: Uint8Array | null) => (bytes === null ? null : base64urlnopad.encode(bytes));
  return {
    ...{ as, kind, title, portal, relay: relayOrigin, bytes: bytesTotal, entries: entriesTotal },
    ...(record.relays.length > 0 && { furtherRelays: record.relays }),
    created: iso(record.createdAtMs),
    expires: record.expiresAtMs === null ? null : iso(record.expiresAtMs),
    ended,
    links: record.links.map(({ path, link: name, label, isRevoked = false }) => ({
      url: link(path),
      ...(path === null && { name }),
      label,
      revoked: isRevoked,
    })),
    adminLink: link(record.adminLink),
    secret: secret(record.secret),
    ownerSecret: secret(record.ownerSecret),
    changed: iso(record.changedAtMs),
  };
}

/** A date that cannot be written is none. */
function iso(timeMs: number): string | null {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
