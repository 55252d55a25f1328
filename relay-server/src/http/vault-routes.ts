/**
 * `/api/v1/vaults`: making one, its devices, its sealed entries.
 *
 * @module
 */
import { createRoute } from "@hono/zod-openapi";
import { Failure } from "../../../core/failure.ts";
import { INVITE_HEADER } from "../../../core/portal/portal.ts";
import {
  MAX_DEVICE_NAME_BYTES,
  MAX_VAULT_ENTRY_BYTES,
  type NewDevice,
  VAULT_PAGE_ENTRIES,
} from "../../../core/portal/vault.ts";
import { fromBase64url, toBase64url } from "../bytes.ts";
import type { EnrolledDevice, VaultKey } from "../vault/vault-store.ts";
import { type VaultRole, vaultKey } from "../vault/vaults.ts";
import { admitCreation } from "./admission.ts";
import { type HttpServices, type RelayApp, type RelayContext, tokenOf } from "./context.ts";
import { bearer, body, done, failure, json, limited } from "./route-parts.ts";
import {
  afterQuery,
  changedEntrySchema,
  createVaultSchema,
  deviceParams,
  devicesSchema,
  entriesSchema,
  entryParams,
  newDeviceSchema,
  putEntrySchema,
  vaultParams,
} from "./vault-schemas.ts";

const succeeded = { 204: done("Done"), default: failure };
const changed = { 200: json(changedEntrySchema, "The change"), default: failure };
const path = "/api/v1/vaults/{vault}" as const;

const createVaultRoute = createRoute({
  method: "put",
  path,
  summary: "Make a vault with its first device; the same body again succeeds",
  description: `Where \`GET /api/v1/relay\` says so, header \`${INVITE_HEADER}\` is required.`,
  middleware: limited,
  request: { params: vaultParams, body: body(createVaultSchema) },
  responses: succeeded,
});

const removeVaultRoute = createRoute({
  method: "delete",
  path,
  summary: "Remove the vault, with the root token",
  security: bearer,
  request: { params: vaultParams },
  responses: succeeded,
});

const devicesRoute = createRoute({
  method: "get",
  path: `${path}/devices`,
  summary: "The devices, those that were revoked included",
  security: bearer,
  request: { params: vaultParams },
  responses: { 200: json(devicesSchema, "Devices"), default: failure },
});

const enrolRoute = createRoute({
  method: "post",
  path: `${path}/devices`,
  summary: "Enrol a device, with the root token; the same body again succeeds",
  security: bearer,
  middleware: limited,
  request: { params: vaultParams, body: body(newDeviceSchema) },
  responses: succeeded,
});

const revokeRoute = createRoute({
  method: "delete",
  path: `${path}/devices/{device}`,
  summary: "Revoke a device: its token opens nothing any more",
  security: bearer,
  request: { params: deviceParams },
  responses: succeeded,
});

const entriesRoute = createRoute({
  method: "get",
  path: `${path}/entries`,
  summary: `Changes after a number, oldest first, at most ${VAULT_PAGE_ENTRIES}`,
  security: bearer,
  request: { params: vaultParams, query: afterQuery },
  responses: { 200: json(entriesSchema, "Entries"), default: failure },
});

const putEntryRoute = createRoute({
  method: "put",
  path: `${path}/entries/{entry}`,
  summary: "Set an entry",
  security: bearer,
  middleware: limited,
  request: { params: entryParams, body: body(putEntrySchema) },
  responses: changed,
});

const removeEntryRoute = createRoute({
  method: "delete",
  path: `${path}/entries/{entry}`,
  summary: "Remove an entry; it stays listed without content, so that other devices learn it",
  security: bearer,
  request: { params: entryParams },
  responses: changed,
});

export function addVaultRoutes(app: RelayApp, services: HttpServices): void {
  const { vaults, guard } = services;
  const { store } = vaults;

  const authorise = (c: RelayContext, vault: string, ...allowed: readonly VaultRole[]): Promise<VaultKey> =>
    vaults.authorise(nameBytes(vault), { token: tokenOf(c), address: c.get("address") }, allowed);

  app.openapi(createVaultRoute, async (c) => {
    const { rootTokenHash, device } = c.req.valid("json");
    const key = vaultKey(nameBytes(c.req.valid("param").vault));
    const rootHash = fromBase64url(rootTokenHash, 32, "rootTokenHash");
    const enrolled = toEnrolled(device);
    const invite = await admitCreation(c, services);
    await store.create(key, rootHash, enrolled, vaults.now(), invite);
    return c.body(null, 204);
  });

  app.openapi(removeVaultRoute, async (c) => {
    await store.remove(await authorise(c, c.req.valid("param").vault, "root"));
    return c.body(null, 204);
  });

  app.openapi(devicesRoute, async (c) => {
    const key = await authorise(c, c.req.valid("param").vault, "device", "root");
    const devices = store.find(key)?.devices ?? [];
    return c.json({ devices: devices.map(({ tokenHash: _, ...device }) => device) }, 200);
  });

  app.openapi(enrolRoute, async (c) => {
    const key = await authorise(c, c.req.valid("param").vault, "root");
    const device = toEnrolled(c.req.valid("json"));
    await guard.vaultChange(c.get("address"));
    await store.enrol(key, device, vaults.now());
    return c.body(null, 204);
  });

  app.openapi(revokeRoute, async (c) => {
    const { vault, device } = c.req.valid("param");
    const key = await authorise(c, vault, "device", "root");
    await guard.vaultChange(c.get("address"));
    await store.revoke(key, canonical(device, "device"));
    return c.body(null, 204);
  });

  app.openapi(entriesRoute, async (c) => {
    const key = await authorise(c, c.req.valid("param").vault, "device");
    const { entries, last } = store.entries(key, c.req.valid("query").after, VAULT_PAGE_ENTRIES);
    return c.json({ entries: [...entries], last }, 200);
  });

  app.openapi(putEntryRoute, async (c) => {
    const { vault, entry } = c.req.valid("param");
    const key = await authorise(c, vault, "device");
    const sealed = upToBytes(c.req.valid("json").sealed, MAX_VAULT_ENTRY_BYTES, "sealed");
    await guard.vaultChange(c.get("address"));
    return c.json({ number: await store.change(key, canonical(entry, "entry"), sealed) }, 200);
  });

  app.openapi(removeEntryRoute, async (c) => {
    const { vault, entry } = c.req.valid("param");
    const key = await authorise(c, vault, "device");
    await guard.vaultChange(c.get("address"));
    return c.json({ number: await store.change(key, canonical(entry, "entry"), null) }, 200);
  });
}

/** @throws Failure `vault/unknown`: an id that cannot exist is one that does not */
function nameBytes(text: string): Uint8Array {
  try {
    return fromBase64url(text, 16, "vault");
  } catch {
    throw new Failure("vault/unknown");
  }
}

/** A name as it is stored. @throws Failure `wire/malformed` */
function canonical(text: string, what: string): string {
  return toBase64url(fromBase64url(text, 16, what));
}

function toEnrolled({ device, tokenHash, name }: NewDevice): EnrolledDevice {
  return {
    device: canonical(device, "device"),
    tokenHash: fromBase64url(tokenHash, 32, "tokenHash"),
    name: upToBytes(name, MAX_DEVICE_NAME_BYTES, "name"),
  };
}

/** @throws Failure `wire/malformed` */
function upToBytes(text: string, most: number, what: string): Uint8Array<ArrayBuffer> {
  const length = Math.floor((text.length * 6) / 8);
  if (length > most) throw new Failure("wire/malformed", { what });
  return fromBase64url(text, length, what);
}
