/**
 * The page of the tests of the portals worker: the worker itself, and a client of the relay as senders and strangers are.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { contentKeysOf, createPortal, openLink } from "../../core/portal/client.ts";
import { createFurther } from "../../core/portal/further.ts";
import { entryName } from "../../core/portal/identity.ts";
import { changePortal, portalDetails } from "../../core/portal/manage.ts";
import { OPEN_LINK } from "../../core/portal/new-link.ts";
import type { PortalRecord } from "../../core/portal/record.ts";
import { putEntry } from "../../core/portal/vault-client.ts";
import { sealEntry } from "../../core/portal/vault-seal.ts";
import { createSecret, ownerKey, relayToken, tokenHash } from "../../core/seal/keys.ts";
import { formatLink, parseLink } from "../../core/seal/link.ts";
import { keptIdentity, vaultAccess } from "../../platform/registry/identity.ts";
import { changeKept, findKept, rememberPortal } from "../../platform/registry/registry.ts";
import { relayHost } from "../../platform/relay-host.ts";
import type { PortalsApi } from "../../workers/portals/api.ts";
import { callback, wrapWorker } from "../../workers/rpc.ts";

declare global {
  /** For `page.evaluate`. */
  var warpPortals: typeof tools;
}

const RULES = { expirySeconds: 3600, idleSeconds: null, maxDownloads: null };
const LIMITS = { limits: { maxPortalBytes: 0, maxExpirySeconds: 86_400, defaultExpirySeconds: 3600 } };
const FREE = { invite: null, workBits: 0 };
const host = relayHost(location.origin);
const worker = wrapWorker<PortalsApi>(new Worker("/worker.js", { type: "module" }));

async function requireFound<T>(found: Promise<T | null | undefined>): Promise<T> {
  const value = await found;
  if (value === null || value === undefined) throw new Error("it is not there");
  return value;
}

const tools = {
  portals: worker.api,
  /** How often the worker said that the list changed. */
  changes: 0,
  watch: () =>
    worker.api.subscribe(
      callback(() => {
        tools.changes += 1;
      }),
    ),
  /** `resolved`, or the code of what was thrown with its details. */
  async codeOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return "resolved";
    } catch (error) {
      if (!(error instanceof Failure)) return String(error);
      const { word, words } = error.details;
      return [error.code, word && `word ${word}`, words && `${words} words`].filter(Boolean).join(", ");
    }
  },
  /** A portal as the transfer worker makes and remembers it; `relays` are further ones where it lives too. */
  async send(title: string, as: PortalRecord["as"] = "sent", relays: readonly string[] = []) {
    const made = await createPortal(host, { kind: "send" }, RULES, OPEN_LINK, FREE);
    const [portal, path, nowMs] = [base64urlnopad.encode(made.link.portal), formatLink(made.link), Date.now()];
    await rememberPortal({
      ...{ as, portal, relayOrigin: location.origin, relays, kind: "send", title, bytesTotal: 5, entriesTotal: 1 },
      ...{ createdAtMs: nowMs, expiresAtMs: nowMs + 3_600_000, secret: made.secret, ownerSecret: made.ownerSecret },
      ...{ adminLink: null, links: [{ path, link: null, label: "" }], ended: null, changedAtMs: nowMs },
    });
    for (const origin of relays) await createFurther(relayHost(origin), made, LIMITS, FREE);
    return { portal, path, ownerToken: base64urlnopad.encode(made.ownerToken) };
  },
  /** Opens a link as anybody does: what it is for, or the failure's code. */
  async open(path: string, password = "", at = location.origin) {
    try {
      const opened = await openLink(relayHost(at), parseLink(path), password === "" ? null : password);
      if (opened === null) return "needs a password";
      if (opened.grant.capability === "write") return `write: ${opened.grant.title}`;
      await contentKeysOf(opened);
      return opened.grant.capability;
    } catch (error) {
      return error instanceof Failure ? error.code : String(error);
    }
  },
  /** What a relay tells the owner of a portal of the list, by its secret of now or another one; or the failure's code. */
  async detailsAt(origin: string, portal: string, secret?: Uint8Array<ArrayBuffer>) {
    const { record } = await requireFound(findKept(portal));
    const id = new Uint8Array(base64urlnopad.decode(portal));
    const key = await ownerKey(secret ?? record.ownerSecret ?? createSecret());
    const manager = { host: relayHost(origin), portal: id, token: await relayToken(key, "own", origin, id) };
    try {
      return await portalDetails(manager);
    } catch (error) {
      return error instanceof Failure ? error.code : String(error);
    }
  },
  /** Hands a portal in to a request. Gives its name and its link. */
  async deliver(path: string, password = "") {
    const { grant, token, link } = await requireFound(openLink(host, parseLink(path), password || null));
    if (grant.capability !== "write") throw new Error("no link for writing");
    const request = { portal: link.portal, token, offerKey: grant.offerKey, title: grant.title };
    const made = await createPortal(host, { kind: "send" }, RULES, OPEN_LINK, FREE, request);
    const ownerToken = base64urlnopad.encode(made.ownerToken);
    return { portal: base64urlnopad.encode(made.link.portal), path: formatLink(made.link), ownerToken };
  },
  remember: rememberPortal,
  found: (portal: string) => requireFound(findKept(portal)),
  identity: () => requireFound(keptIdentity()),
  /** What is left when somebody closes the page right after the relay took a new owner's key. */
  async renewHalf(portal: string) {
    const { record } = await requireFound(findKept(portal));
    const next = createSecret();
    await changeKept(portal, (kept) => kept && { ...kept, nextOwnerSecret: next });
    const id = new Uint8Array(base64urlnopad.decode(portal));
    const tokenOf = async (secret: Uint8Array<ArrayBuffer>) =>
      relayToken(await ownerKey(secret), "own", location.origin, id);
    const token = await tokenOf(record.ownerSecret ?? createSecret());
    const ownerTokenHash = base64urlnopad.encode(tokenHash(await tokenOf(next)));
    await changePortal({ host, portal: id, token }, { ownerTokenHash });
  },
  /** Puts a record into the vault as another device of this person would. */
  async putElsewhere(record: PortalRecord) {
    const identity = await requireFound(keptIdentity());
    const name = await entryName(identity.keys.names, base64urlnopad.decode(record.portal));
    const sealed = await sealEntry(identity.keys.seal, { vault: identity.vault, name }, record);
    await putEntry(await vaultAccess(identity), name, sealed);
  },
};

globalThis.warpPortals = tools;
