/**
 * The list and what can be done with it: remembered in this browser, asked for at the relays, changed there.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { createPortal, endPortal, openLink } from "../../core/portal/client.ts";
import { type Grant, MAX_TITLE_LENGTH } from "../../core/portal/grant.ts";
import {
  addPortalLink,
  changePortal,
  isGone,
  type Manager,
  portalDetails,
  revokePortalLink,
} from "../../core/portal/manage.ts";
import { describeLink, OPEN_LINK } from "../../core/portal/new-link.ts";
import { offerKeys } from "../../core/portal/offer.ts";
import type { PortalDetails } from "../../core/portal/portal.ts";
import { MAX_LABEL_LENGTH, type PortalRecord } from "../../core/portal/record.ts";
import { formatLink, parseLink, SECRET_BYTES } from "../../core/seal/link.ts";
import { relayInfo } from "../../platform/link/dial.ts";
import { findPortal, listPortals, rememberPortal, updatePortal } from "../../platform/registry/registry.ts";
import { relayHost } from "../../platform/relay-host.ts";
import { admission } from "../transfer/portal.ts";
import type { KnownPortal, LinkOptions, LivePortal, RequestOptions, RuleChange } from "./api.ts";
import { endAllFurther, endUntold, makeAllAlike, queueLink } from "./further.ts";
import { inParallel } from "./in-parallel.ts";
import { clockLead, nameOf, toLive, withoutRevoked } from "./live.ts";
import { canManage, managerOf, note, recordOf } from "./managing.ts";

/** Portals asked for at a time. */
const MOST_AT_ONCE = 4;
/** Of what was asked for before, as many are asked for again at a time; those that waited longest come first. */
const MOST_AGAIN = 200;
/** While many are asked for, what they told is shown so often. */
const SHOW_MS = 500;
/** The end of a portal is written again when it differs by more: clocks are never quite alike. */
const SAME_END_MS = 60_000;

export class PortalList {
  /** What the relays told last, by portal. */
  readonly #live = new Map<string, LivePortal>();
  /** When which portal was asked for last. */
  readonly #askedAt = new Map<string, number>();
  readonly #onLive: () => void;

  /** @param onLive called when what the relays told has changed */
  constructor(onLive: () => void) {
    this.#onLive = onLive;
  }

  async list(): Promise<readonly KnownPortal[]> {
    const nowMs = Date.now();
    return (await listPortals()).map((record) => this.#toKnown(record, nowMs));
  }

  /**
   * Asks for everything that can be managed and has not ended.
   * @throws Failure the first one, when no relay answered
   */
  async refresh(): Promise<void> {
    let [answered, shownAt] = [0, performance.now()];
    let failure: Failure | undefined;
    await inParallel(await this.#due(), MOST_AT_ONCE, async (record) => {
      try {
        await this.#ask(record);
        answered += 1;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        failure ??= error;
      }
      if (performance.now() - shownAt < SHOW_MS) return;
      shownAt = performance.now();
      this.#onLive();
    });
    this.#onLive();
    await endUntold();
    if (answered === 0 && failure !== undefined) throw failure;
  }

  async linkOf(portal: string): Promise<string | null> {
    const record = await findPortal(portal);
    return record === undefined ? null : (firstLink(record) ?? record.adminLink);
  }

  async adopt(text: string, password: string, relayOrigin: string): Promise<string> {
    const link = parseLink(text);
    const opened = await openLink(relayHost(relayOrigin), link, password === "" ? null : password);
    if (opened === null) throw new Failure("password/needed");
    const { grant, kind, token, expiresAtMs } = opened;
    if (grant.capability !== "admin") throw new Failure("link/purpose", { capability: grant.capability });
    const [portal, nowMs] = [base64urlnopad.encode(link.portal), Date.now()];
    const record: PortalRecord = {
      as: "managed",
      portal,
      relayOrigin,
      relays: [],
      kind,
      title: "",
      bytesTotal: 0,
      entriesTotal: 0,
      createdAtMs: nowMs,
      expiresAtMs,
      secret: grant.secret,
      ownerSecret: null,
      adminLink: formatLink(link),
      adminToken: token,
      links: [],
      ended: null,
      changedAtMs: nowMs,
    };
    await rememberPortal(record);
    await this.#ask(record);
    return portal;
  }

  async change(portal: string, change: RuleChange): Promise<void> {
    const record = await recordOf(portal);
    const manager = await managerOf(record);
    if (typeof change.maxDownloads === "number") await endAllFurther(portal);
    const details = await this.#orGone(record, changePortal(manager, change));
    await updatePortal(portal, { expiresAtMs: details.expiresAtMs - clockLead(details) });
    await this.#told(manager, record, details);
    this.#onLive();
    await makeAllAlike(portal, details);
  }

  async end(portal: string): Promise<void> {
    const record = await recordOf(portal);
    const { host, portal: id, token } = await managerOf(record);
    try {
      await endPortal(host, id, token);
    } catch (error) {
      if (!isGone(error)) throw error; // else it was over before
      await this.#ask(record);
      return;
    }
    this.#live.delete(portal);
    await updatePortal(portal, { ended: "owner" });
    await endAllFurther(portal);
  }

  async addLink(portal: string, options: LinkOptions): Promise<string> {
    const record = await recordOf(portal);
    const manager = await managerOf(record);
    const details = await this.#orGone(record, portalDetails(manager));
    const link = { portal: manager.portal, secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)) };
    const there = (timeMs: number | null) => (timeMs === null ? null : Math.round(timeMs + clockLead(details)));
    const described = await describeLink(manager.host, link, await grantOf(record, options.capability), {
      password: options.password,
      maxUses: options.maxUses,
      notBeforeMs: there(options.notBeforeMs),
      expiresAtMs: there(options.expiresAtMs),
    });
    if (options.maxUses !== null) await endAllFurther(portal); // what is counted is counted at home
    await this.#orGone(record, addPortalLink(manager, described.body));
    const path = formatLink(link);
    const made = { path, link: null, label: options.label.slice(0, MAX_LABEL_LENGTH) };
    // Read again: the time since was the network's.
    await updatePortal(portal, { links: [...(await recordOf(portal)).links, made] });
    await queueLink(record, described);
    await this.#askAgain(portal);
    return path;
  }

  async revokeLink(portal: string, link: string): Promise<void> {
    const record = await recordOf(portal);
    await this.#orGone(record, revokePortalLink(await managerOf(record), link));
    const { links } = await recordOf(portal);
    const marked = await Promise.all(
      links.map(async (each) => ((await nameOf(each)) === link ? { ...each, isRevoked: true } : each)),
    );
    await updatePortal(portal, { links: marked });
    await this.#askAgain(portal);
  }

  async createRequest(options: RequestOptions): Promise<string> {
    const { relayOrigin, expirySeconds, maxUses, password } = options;
    const host = relayHost(relayOrigin);
    const title = options.title.slice(0, MAX_TITLE_LENGTH).toWellFormed();
    const rules = { expirySeconds, idleSeconds: null, maxDownloads: null };
    const needed = await admission(await relayInfo(relayOrigin));
    const linkRules = { ...OPEN_LINK, password, maxUses };
    const made = await createPortal(host, { kind: "request", title }, rules, linkRules, needed);
    const { link, secret, ownerSecret, ownerToken } = made;
    const [path, nowMs] = [formatLink(link), Date.now()];
    try {
      await rememberPortal({
        as: "request",
        portal: base64urlnopad.encode(link.portal),
        relayOrigin,
        relays: [],
        kind: "request",
        title,
        bytesTotal: 0,
        entriesTotal: 0,
        createdAtMs: nowMs,
        expiresAtMs: nowMs + expirySeconds * 1000,
        secret,
        ownerSecret,
        adminLink: null,
        links: [{ path, link: null, label: "" }],
        ended: null,
        changedAtMs: nowMs,
      });
    } catch (error) {
      // Nobody could read what is handed in.
      await endPortal(host, link.portal, ownerToken).catch(() => {});
      throw error;
    }
    return path;
  }

  /** What is to be asked for: everything once, and of the rest a part in turn. */
  async #due(): Promise<readonly PortalRecord[]> {
    const askedAt = ({ portal }: PortalRecord) => this.#askedAt.get(portal) ?? Number.NEGATIVE_INFINITY;
    const all = (await listPortals()).filter((record) => canManage(record) && record.ended === null);
    const known = all.filter(({ portal }) => this.#askedAt.has(portal)).sort((a, b) => askedAt(a) - askedAt(b));
    return [...all.filter(({ portal }) => !this.#askedAt.has(portal)), ...known.slice(0, MOST_AGAIN)];
  }

  /** Asks the relay for one portal. @throws Failure `relay/…` */
  async #ask(record: PortalRecord, isHasty = false): Promise<void> {
    this.#askedAt.set(record.portal, performance.now());
    const manager = await managerOf(record);
    try {
      const details = await portalDetails(manager);
      await this.#told(manager, record, details);
      if (isHasty) this.#onLive();
      if (record.relays.length > 0) await makeAllAlike(record.portal, details, isHasty);
    } catch (error) {
      if (!isGone(error)) throw error;
      this.#live.delete(record.portal);
      await note(record.portal, { ended: "unknown" });
    }
  }

  /** After a change, for show. */
  async #askAgain(portal: string): Promise<void> {
    await this.#ask(await recordOf(portal), true).catch(() => {});
    this.#onLive();
  }

  async #told(manager: Manager, record: PortalRecord, details: PortalDetails): Promise<void> {
    const live = await toLive(manager, record, details);
    this.#live.set(record.portal, live);
    if (live.phase === "expired" || live.phase === "archived") {
      await note(record.portal, { ended: details.endReason ?? "unknown" });
      return;
    }
    const links = await withoutRevoked(record.links, details.links);
    const isSameEnd = Math.abs((record.expiresAtMs ?? 0) - live.expiresAtMs) <= SAME_END_MS;
    if (links === undefined && isSameEnd) return;
    await note(record.portal, { ...(links !== undefined && { links }), expiresAtMs: live.expiresAtMs });
  }

  /** What ends a change because the portal is over shows on the list too. */
  async #orGone<T>(record: PortalRecord, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (isGone(error)) await this.#ask(record).catch(() => {});
      throw error;
    }
  }

  #toKnown(record: PortalRecord, nowMs: number): KnownPortal {
    const { portal, relayOrigin, relays, as, kind, title, bytesTotal, entriesTotal, createdAtMs, expiresAtMs } = record;
    // Of what cannot be managed no relay is asked.
    const isLate = !canManage(record) && expiresAtMs !== null && expiresAtMs <= nowMs;
    return {
      ...{ portal, relayOrigin, relays, as, kind, title, bytesTotal, entriesTotal, createdAtMs, expiresAtMs },
      canManage: canManage(record),
      link: firstLink(record),
      live: this.#live.get(portal) ?? null,
      ended: record.ended ?? (isLate ? "time" : null),
    };
  }
}

function firstLink({ links }: PortalRecord): string | null {
  return links.find(({ path, isRevoked }) => path !== null && isRevoked !== true)?.path ?? null;
}

/** @throws Failure `link/purpose` for a link that such a portal cannot have, or that only its owner may make */
async function grantOf(record: PortalRecord, capability: Grant["capability"]): Promise<Grant> {
  const { secret, ownerSecret, portal, kind, title } = record;
  const isAllowed =
    capability === "admin" ? ownerSecret !== null : capability === (kind === "request" ? "write" : "read");
  if (secret === null || !isAllowed) throw new Failure("link/purpose", { capability });
  if (capability !== "write") return { capability, secret };
  const { publicKey } = await offerKeys(secret, base64urlnopad.decode(portal));
  return { capability, offerKey: publicKey, title: title.slice(0, MAX_TITLE_LENGTH).toWellFormed() };
}
