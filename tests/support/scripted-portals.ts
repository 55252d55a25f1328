/**
 * Stands in for workers/portals/client.ts in the tests of the pages: a test writes the list down before the page loads, and
 * then says how it changes. What the page does to it shows at once. No worker, no network; a reload starts anew.
 *
 * @module
 */
import { Failure, type FailureCode, type FailureDetails } from "../../core/failure.ts";
import type { IdentityState, KnownDevice, KnownLink, KnownPortal, PortalsApi } from "../../workers/portals/api.ts";

/** What the page meets; plain data, so that it can cross into the page. */
export interface PortalsScript {
  readonly rows?: readonly KnownPortal[];
  /** Instead of `rows`: this many made-up ones. */
  readonly rowCount?: number;
  readonly identity?: IdentityState;
  readonly devices?: readonly KnownDevice[];
  readonly invite?: string;
  /** What calls of a method fail with. */
  readonly refusals?: Partial<
    Record<keyof PortalsApi, { readonly code: FailureCode; readonly details?: FailureDetails }>
  >;
}

/** What a test may look at and say, in the page as `globalThis.scriptedPortals`. */
export interface ScriptedPortals {
  readonly calls: readonly (readonly [method: string, ...values: unknown[]])[];
  /** Changes one portal as if another tab or the relay had. */
  change(portal: string, change: Partial<KnownPortal>): void;
  /** From now on calls of the method fail, or succeed again. */
  refuse(method: keyof PortalsApi, code: FailureCode | null, details?: FailureDetails): void;
}

declare global {
  var scriptedPortals: ScriptedPortals;
}

/** The words of a made-up phrase. */
const PHRASE = Array.from({ length: 24 }, (_, index) => `word${String.fromCharCode(97 + index)}`);
const LINK = "/p/q3Zk1Yw0R5uT8sVbXc2NeA#1.made-link-canary.check";

const script = globalThis.script?.portals ?? {};
const calls: [string, ...unknown[]][] = [];
const refusals = new Map(Object.entries(script.refusals ?? {}));
const listeners: (() => void)[] = [];
let rows: readonly KnownPortal[] = script.rows ?? manyRows(script.rowCount ?? 0);
let identity: IdentityState = script.identity ?? { state: "local", syncedAtMs: null };
let devices = script.devices ?? [];
let invite = script.invite ?? "";

function manyRows(count: number): KnownPortal[] {
  return Array.from({ length: count }, (_, index) => ({
    portal: `portal-${String(index).padStart(15, "0")}`,
    relayOrigin: location.origin,
    relays: [],
    as: index % 3 === 0 ? "received" : "sent",
    kind: "send",
    title: `sample-${index}.bin`,
    bytesTotal: 1000 + index,
    entriesTotal: 1,
    createdAtMs: Date.UTC(2026, 10, 22) - index * 60_000,
    expiresAtMs: Date.UTC(2100, 0, 1),
    canManage: index % 3 !== 0,
    link: `/p/portal-${index}#1.canary.check`,
    live: null,
    ended: null,
  }));
}

function changed(portal: string, change: (row: KnownPortal) => Partial<KnownPortal>): void {
  rows = rows.map((row) => (row.portal === portal ? { ...row, ...change(row) } : row));
  for (const listener of listeners) listener();
}

function changeLinks(portal: string, change: (links: readonly KnownLink[]) => readonly KnownLink[]): void {
  changed(portal, ({ live }) => ({ live: live && { ...live, links: change(live.links) } }));
}

async function noted(method: keyof PortalsApi, ...values: unknown[]): Promise<void> {
  calls.push([method, ...values]);
  await Promise.resolve();
  const refusal = refusals.get(method);
  if (refusal !== undefined) throw new Failure(refusal.code, refusal.details ?? {});
}

globalThis.scriptedPortals = {
  calls,
  change: (portal, change) => changed(portal, () => change),
  refuse: (method, code, details = {}) => {
    if (code === null) refusals.delete(method);
    else refusals.set(method, { code, details });
  },
};

/** The same shape as the product's `createPortals`. */
export function createPortals(): PortalsApi & { terminate(): void } {
  return {
    subscribe: async (onChange) => void listeners.push(onChange),
    list: async () => {
      await noted("list");
      return rows;
    },
    refresh: () => noted("refresh"),
    linkOf: async (portal) => {
      await noted("linkOf", portal);
      return rows.find((row) => row.portal === portal)?.link ?? null;
    },
    adopt: async (link, password, relayOrigin) => {
      await noted("adopt", link, password, relayOrigin);
      return /^\/p\/([^#]*)/.exec(link)?.[1] ?? "";
    },
    change: async (portal, change) => {
      await noted("change", portal, change);
      const { paused, expirySeconds, ...rules } = change;
      changed(portal, ({ live }) => ({
        live: live && {
          ...live,
          ...rules,
          ...(paused !== undefined && { phase: paused ? "paused" : "active" }),
          ...(expirySeconds !== undefined && { expiresAtMs: Date.now() + expirySeconds * 1000 }),
        },
      }));
    },
    end: async (portal) => {
      await noted("end", portal);
      changed(portal, () => ({ ended: "owner", live: null }));
    },
    forget: async (portal) => {
      await noted("forget", portal);
      rows = rows.filter((row) => row.portal !== portal);
      changed("", () => ({}));
    },
    addLink: async (portal, options) => {
      await noted("addLink", portal, options);
      const { capability, label, password, maxUses, notBeforeMs, expiresAtMs } = options;
      const link = `link-${calls.length}`;
      const details = { capability, label, maxUses, notBeforeMs, expiresAtMs, hasPassword: password !== "" };
      changeLinks(portal, (links) => [...links, { ...details, link, uses: 0, createdAtMs: Date.now(), path: LINK }]);
      return LINK;
    },
    revokeLink: async (portal, link) => {
      await noted("revokeLink", portal, link);
      changeLinks(portal, (links) => links.filter((one) => one.link !== link));
    },
    createRequest: async (options) => {
      await noted("createRequest", options);
      return LINK;
    },
    identity: async () => {
      await noted("identity");
      return identity;
    },
    makePhrase: async () => {
      await noted("makePhrase");
      identity = { ...identity, state: "unconfirmed" };
      return PHRASE;
    },
    confirmPhrase: async (relayOrigin, deviceName) => {
      await noted("confirmPhrase", relayOrigin, deviceName);
      identity = { state: "kept", syncedAtMs: Date.now() };
      const now = Date.now();
      devices = [
        { device: "this", name: deviceName, addedAtMs: now, seenAtMs: now, isRevoked: false, isThis: true },
        ...devices,
      ];
    },
    restore: async (phrase, relayOrigin, deviceName) => {
      await noted("restore", phrase, relayOrigin, deviceName);
      identity = { state: "kept", syncedAtMs: Date.now() };
    },
    devices: async () => {
      await noted("devices");
      return devices;
    },
    revokeDevice: async (device) => {
      await noted("revokeDevice", device);
      devices = devices.map((one) => (one.device === device ? { ...one, isRevoked: true } : one));
      return 1;
    },
    exportList: async () => {
      await noted("exportList");
      return JSON.stringify({ portals: rows.map(({ portal, link }) => ({ portal, link })) });
    },
    clear: async () => {
      await noted("clear");
      rows = [];
      identity = { state: "local", syncedAtMs: null };
      changed("", () => ({}));
    },
    invite: async () => {
      await noted("invite");
      return invite;
    },
    setInvite: async (code) => {
      await noted("setInvite", code);
      invite = code;
    },
    terminate: () => {},
  };
}
