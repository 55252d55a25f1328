/**
 * A relay's half of portals and links in memory, as far as a client's half needs it: it keeps what it is told and answers by
 * tokens' hashes.
 *
 * @module
 */
import type { HttpRequest, HttpResponse } from "../../core/edge/http-link.ts";
import type { RelayHost } from "../../core/portal/client.ts";
import { derivePasswordKey } from "../../core/portal/password.ts";
import type { CreatePortal, LinkAccess, NewLink } from "../../core/portal/portal.ts";
import { tokenHash } from "../../core/seal/keys.ts";
import { refuse, respond } from "./fake-http.ts";

export const ORIGIN = "https://relay.example";
export const EXPIRES_AT_MS = 2_000_000_000_000;

/** One that a test may look into, and make lie. */
export class FakePortals {
  readonly requests: HttpRequest[] = [];
  readonly portals: CreatePortal[] = [];
  readonly links = new Map<string, NewLink>();
  /** What the test makes of an answer about a link. */
  lie: (access: LinkAccess) => unknown = (access) => access;

  /** Argon2id takes long: this one does nothing with its parameters but check them. */
  get host(): RelayHost {
    const argon2id = async ({ password, salt }: { password: string; salt: Uint8Array }) =>
      tokenHash(Buffer.concat([Buffer.from(password), salt]));
    return {
      origin: ORIGIN,
      send: async (request) => this.#answer(request),
      passwordKey: (password, salt, parameters) => derivePasswordKey(argon2id, password, salt, parameters),
    };
  }

  #answer(request: HttpRequest): HttpResponse {
    this.requests.push(request);
    const { method, path, body, headers = {} } = request;
    if (method === "POST" && path === "/api/v1/portals") {
      const portal = JSON.parse(String(body)) as CreatePortal;
      this.portals.push(portal);
      for (const link of portal.links) this.links.set(`/api/v1/portals/${portal.portal}/links/${link.link}`, link);
      return respond(201, { expiresAtMs: EXPIRES_AT_MS, lease: 1 });
    }
    const [plainPath = "", query = ""] = path.split("?");
    const link = this.links.get(plainPath);
    if (method !== "GET" || link === undefined) return refuse("portal/unknown");
    const access = answerOf(link, hashOf(headers), query === "plain=1");
    return access === undefined ? refuse("portal/unknown") : respond(200, this.lie(access));
  }
}

function hashOf(headers: Readonly<Record<string, string>>): string {
  const token = (headers["Authorization"] ?? "").slice("Bearer ".length);
  return Buffer.from(tokenHash(Buffer.from(token, "base64url"))).toString("base64url");
}

function answerOf(link: NewLink, hash: string, isPlain: boolean): LinkAccess | undefined {
  const { password, capability, keyCommitment, grant } = link;
  if (isPlain && password !== null) return { password, opened: null };
  if (hash !== link.tokenHash) return undefined;
  const kind = capability === "write" ? "request" : "send";
  return { password, opened: { capability, kind, keyCommitment, grant, isLimited: false, expiresAtMs: EXPIRES_AT_MS } };
}
