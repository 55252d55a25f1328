/**
 * Portals for the tests of the pages' list: one of each kind, as the portals worker would tell of them.
 *
 * @module
 */
import type { KnownDevice, KnownLink, KnownPortal, LivePortal } from "../../workers/portals/api.ts";

const DAY_MS = 86_400_000;

/** What a test of one row needs of it: an id as portals have them, 22 letters. */
export const SENT_ID = "aaaaaaaaaaaaaaaaaaaaaA";
export const REQUEST_ID = "bbbbbbbbbbbbbbbbbbbbbA";
export const RECEIVED_ID = "ccccccccccccccccccccc-";
export const MANAGED_ID = "ddddddddddddddddddddd_";
export const ENDED_ID = "eeeeeeeeeeeeeeeeeeeeeA";
export const DELIVERED_ID = "fffffffffffffffffffffA";

/** A link as its portal's owner sees it. */
export function knownLink(change: Partial<KnownLink> = {}): KnownLink {
  return {
    link: "first-link",
    capability: "read",
    hasPassword: false,
    uses: 2,
    maxUses: null,
    notBeforeMs: null,
    expiresAtMs: null,
    createdAtMs: Date.UTC(2026, 10, 22),
    label: "",
    path: `/p/${SENT_ID}#1.first-canary.check`,
    ...change,
  };
}

/** What a relay tells of a portal that was downloaded twice. `nowMs` is the test's own time. */
export function livePortal(nowMs: number, change: Partial<LivePortal> = {}): LivePortal {
  return {
    phase: "active",
    isComplete: true,
    bytes: 2_713_714_688,
    downloads: 2,
    maxDownloads: 5,
    claims: 1,
    receivers: 1,
    idleSeconds: null,
    expiresAtMs: nowMs + 3.2 * DAY_MS,
    usedAtMs: nowMs - 5 * 60_000,
    links: [
      knownLink(),
      knownLink({
        link: "second-link",
        label: "For Anna",
        hasPassword: true,
        uses: 1,
        maxUses: 3,
        expiresAtMs: nowMs + DAY_MS,
      }),
      knownLink({ link: "third-link", capability: "admin", path: null, uses: 0 }),
    ],
    deliveries: null,
    ...change,
  };
}

/** One of each kind, newest first. */
export function knownPortals(origin: string, nowMs: number): KnownPortal[] {
  const base = {
    relayOrigin: origin,
    relays: [],
    kind: "send",
    title: "sample-set",
    bytesTotal: 2.7e9,
    entriesTotal: 1204,
    createdAtMs: nowMs - DAY_MS,
    expiresAtMs: nowMs + 3.2 * DAY_MS,
    canManage: true,
    live: null,
    ended: null,
  } as const;
  const link = (portal: string) => ({ portal, link: `/p/${portal}#1.first-canary.check` });
  const delivery = { createdAtMs: nowMs - 3_600_000, expiresAtMs: nowMs + DAY_MS, bytes: 184_549_376 };
  return [
    { ...base, ...link(SENT_ID), as: "sent", live: livePortal(nowMs) },
    {
      ...base,
      ...link(REQUEST_ID),
      as: "request",
      kind: "request",
      title: "Photos of the trip",
      bytesTotal: 0,
      entriesTotal: 0,
      live: livePortal(nowMs, {
        bytes: 184_549_376,
        downloads: 0,
        maxDownloads: null,
        claims: 0,
        receivers: 0,
        isComplete: false,
        links: [
          knownLink({ capability: "write", uses: 2, maxUses: 20, path: `/p/${REQUEST_ID}#1.first-canary.check` }),
        ],
        deliveries: [
          { ...delivery, portal: "delivery-1", isComplete: true, path: "/p/delivery-1#1.delivery-canary.check" },
          {
            ...delivery,
            portal: "delivery-2",
            isComplete: false,
            path: "/p/delivery-2#1.delivery-canary.check",
            bytes: 8e6,
          },
          { ...delivery, portal: "delivery-3", isComplete: true, path: null },
        ],
      }),
    },
    {
      ...base,
      ...link(RECEIVED_ID),
      as: "received",
      title: "chapter-3.pdf",
      bytesTotal: 4.1e6,
      entriesTotal: 1,
      canManage: false,
    },
    {
      ...base,
      ...link(MANAGED_ID),
      as: "managed",
      title: "measurements of the whole year, from every station, before they were cleaned",
      live: livePortal(nowMs, { phase: "paused", maxDownloads: null, claims: 0, receivers: 0, links: [knownLink()] }),
    },
    { ...base, ...link(DELIVERED_ID), as: "delivered", title: "application.zip", bytesTotal: 12e6, entriesTotal: 1 },
    {
      ...base,
      ...link(ENDED_ID),
      as: "sent",
      title: "draft\u202Efdp.exe",
      bytesTotal: 1200,
      entriesTotal: 1,
      ended: "downloads",
    },
  ];
}

/** This device, another one, and one that was taken off. */
export function knownDevices(nowMs: number): KnownDevice[] {
  const base = { addedAtMs: nowMs - 9 * DAY_MS, seenAtMs: nowMs - 60_000, isRevoked: false, isThis: false };
  return [
    { ...base, device: "this", name: "Chrome on Linux", isThis: true },
    { ...base, device: "phone", name: "Safari on an iPhone" },
    { ...base, device: "lost", name: "Old laptop", isRevoked: true },
  ];
}
