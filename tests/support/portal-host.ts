/**
 * A real relay as core's half of portals sees it, and what an owner does there.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { fetchFrom } from "../../cli/http.ts";
import { passwordKey } from "../../cli/password.ts";
import { callApi } from "../../core/edge/http-link.ts";
import { type Admission, createPortal, type MadePortal, portalPath, type RelayHost } from "../../core/portal/client.ts";
import type { Grant } from "../../core/portal/grant.ts";
import { describeLink, type LinkRules, OPEN_LINK } from "../../core/portal/new-link.ts";
import type { Deliveries, PortalChange, PortalDetails } from "../../core/portal/portal.ts";
import { linkId } from "../../core/seal/keys.ts";
import { createLink, type PortalLink } from "../../core/seal/link.ts";

const FREE: Admission = { invite: null, workBits: 0 };

export function portalHost(origin: string): RelayHost {
  return { origin, send: fetchFrom(origin), passwordKey };
}

/** Asks for files. */
export function makeRequest(origin: string, title: string, rules: Partial<LinkRules> = {}): Promise<MadePortal> {
  const life = { expirySeconds: 3600, idleSeconds: null, maxDownloads: null };
  return createPortal(portalHost(origin), { kind: "request", title }, life, { ...OPEN_LINK, ...rules }, FREE);
}

/** What an owner may do with its token. */
export class Owner {
  readonly #origin: string;
  readonly #portal: Uint8Array;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(origin: string, portal: Uint8Array, ownerToken: Uint8Array) {
    this.#origin = origin;
    this.#portal = portal;
    this.#headers = {
      Authorization: `Bearer ${base64urlnopad.encode(ownerToken)}`,
      "Content-Type": "application/json",
    };
  }

  details(): Promise<PortalDetails> {
    return this.#call("GET", "/details");
  }

  deliveries(): Promise<Deliveries> {
    return this.#call("GET", "/deliveries");
  }

  change(change: PortalChange): Promise<PortalDetails> {
    return this.#call("PATCH", "", change);
  }

  /** Makes one more link. */
  async addLink(grant: Grant, rules: Partial<LinkRules> = {}): Promise<PortalLink> {
    const link = { ...createLink(), portal: new Uint8Array(this.#portal) };
    const { body } = await describeLink(portalHost(this.#origin), link, grant, { ...OPEN_LINK, ...rules });
    await this.#call("POST", "/links", body);
    return link;
  }

  async revokeLink(link: PortalLink): Promise<void> {
    await this.#call("DELETE", `/links/${base64urlnopad.encode(await linkId(link))}`);
  }

  #call<T>(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
    const request = { method, path: portalPath(this.#portal) + path, headers: this.#headers };
    return callApi<T>(
      fetchFrom(this.#origin),
      body === undefined ? request : { ...request, body: JSON.stringify(body) },
    );
  }
}
