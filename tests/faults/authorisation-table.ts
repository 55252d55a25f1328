/**
 * Who may do what at a relay, as data: every route about a portal × every token that somebody may have.
 *
 * @module
 */
import { HASH_HEADER, LEASE_HEADER } from "../../core/portal/portal.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import {
  base64url,
  inventLink,
  inventPortal,
  random,
  sha256,
  type TestLinkEntry,
} from "../integration/relay-client.ts";

/** A portal with all that it holds. */
export interface Target {
  /** base64url */
  readonly portal: string;
  /** Of a portal that sends: a read link; of a request: a write link. */
  readonly link: TestLinkEntry;
  readonly admin: TestLinkEntry;
  readonly pack: SealedObject;
}

/** One request, without its token. */
export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** What the portal's own tokens get; everybody else gets `portal/unknown`. `link` is the read link's, or the write link's. */
export interface Row {
  readonly ask: (target: Target) => Ask;
  /** [link, admin, owner] of a portal that sends, of a request, and of one that sent and has ended. */
  readonly send: readonly [string, string, string];
  readonly request: readonly [string, string, string];
  readonly ended: readonly [string, string, string];
}

const NO = "portal/unknown";
const OVER = "portal/expired";
const CLOSED = "portal/closed";

const json =
  (method: string, path: (target: Target) => string, body?: (target: Target) => unknown) => (at: Target) => ({
    method,
    path: `/api/v1/portals/${at.portal}${path(at)}`,
    headers: { "Content-Type": "application/json", [LEASE_HEADER]: "1" },
    ...(body && { body: JSON.stringify(body(at)) }),
  });
const to = (path: string) => () => path;
const aClaim = () => ({ claim: base64url(random(16)) });

const put = ({ portal, pack }: Target): Ask => ({
  method: "PUT",
  path: `/api/v1/portals/${portal}/packs/0?final=1`,
  headers: { [HASH_HEADER]: base64url(pack.header.hash), [LEASE_HEADER]: "1" },
  body: pack.bytes,
});

const deliver = ({ portal }: Target): Ask => ({
  method: "POST",
  path: "/api/v1/portals",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(inventPortal({ delivery: { request: portal, offer: base64url(random(80)) } }).body),
});

const readers = { send: ["ok", "ok", "ok"], ended: [NO, OVER, OVER] } as const;
const managers = { send: [NO, "ok", "ok"], ended: [NO, OVER, OVER] } as const;
const owner = { send: [NO, NO, "ok"], ended: [NO, NO, OVER] } as const;
const kindLink = ({ link }: Target) => inventLink(link.body.capability).body;
const commitment = { packs: 0, pages: 1, root: base64url(random(32)) };

/** Every route about a portal. */
export const TABLE: Readonly<Record<string, Row>> = {
  "GET state": { ask: json("GET", to("")), ...readers, request: [NO, "ok", "ok"] },
  "HEAD state": { ask: json("HEAD", to("")), ...readers, request: [NO, "ok", "ok"] },
  "POST lease": { ask: json("POST", to("/lease"), () => ({ takeOver: true })), ...owner, request: [NO, NO, CLOSED] },
  "POST commit": {
    ask: json("POST", to("/commit"), () => commitment),
    send: [NO, NO, "portal/incomplete"],
    request: [NO, NO, CLOSED],
    ended: [NO, NO, OVER],
  },
  "PUT pack": { ask: put, ...owner, request: [NO, NO, CLOSED] },
  "GET pack": { ask: json("GET", to("/packs/0")), ...readers, request: [NO, "object/absent", "object/absent"] },
  "HEAD pack": { ask: json("HEAD", to("/packs/0")), ...readers, request: [NO, "object/absent", "object/absent"] },
  "GET page": { ask: json("GET", to("/pages/0")), ...readers, request: [NO, "object/absent", "object/absent"] },
  "GET the link": {
    ask: json("GET", ({ link }) => `/links/${link.link}`),
    send: ["ok", NO, NO],
    request: ["ok", NO, NO],
    ended: [NO, NO, NO],
  },
  "GET the admin link": {
    ask: json("GET", ({ admin }) => `/links/${admin.link}`),
    send: [NO, "ok", NO],
    request: [NO, "ok", NO],
    ended: [NO, NO, NO],
  },
  "POST a link": { ask: json("POST", to("/links"), kindLink), ...managers, request: [NO, "ok", "ok"] },
  "POST an admin link": {
    ask: json("POST", to("/links"), () => inventLink("admin").body),
    send: [NO, NO, "ok"],
    request: [NO, NO, "ok"],
    ended: [NO, OVER, OVER],
  },
  "DELETE the link": {
    ask: json("DELETE", ({ link }) => `/links/${link.link}`),
    ...managers,
    request: [NO, "ok", "ok"],
  },
  "DELETE the admin link": {
    ask: json("DELETE", ({ admin }) => `/links/${admin.link}`),
    send: [NO, NO, "ok"],
    request: [NO, NO, "ok"],
    ended: [NO, OVER, OVER],
  },
  "GET details": {
    ask: json("GET", to("/details")),
    send: [NO, "ok", "ok"],
    request: [NO, "ok", "ok"],
    ended: [NO, "ok", "ok"],
  },
  "PATCH rules": { ask: json("PATCH", to(""), () => ({ paused: true })), ...managers, request: [NO, "ok", "ok"] },
  "PATCH owner": {
    ask: json("PATCH", to(""), () => ({ ownerTokenHash: base64url(sha256(random(32))) })),
    send: [NO, NO, "ok"],
    request: [NO, NO, "ok"],
    ended: [NO, OVER, OVER],
  },
  "GET deliveries": { ask: json("GET", to("/deliveries")), ...managers, request: [NO, "ok", "ok"] },
  "POST claims": { ask: json("POST", to("/claims"), aClaim), ...readers, request: [NO, "ok", "ok"] },
  "DELETE claims": {
    ask: json("DELETE", () => `/claims/${base64url(random(16))}`),
    ...readers,
    request: [NO, "ok", "ok"],
  },
  "POST downloads": { ask: json("POST", to("/downloads"), aClaim), ...readers, request: [NO, "ok", "ok"] },
  "POST a delivery": { ask: deliver, send: [NO, NO, NO], request: ["ok", NO, NO], ended: [NO, NO, NO] },
  DELETE: { ask: json("DELETE", to("")), send: [NO, "ok", "ok"], request: [NO, "ok", "ok"], ended: [NO, "ok", "ok"] },
};

/** What the owner gets whose request's path is written in another way; nobody else ever gets more than `portal/unknown`. */
export const ODD_PATHS: readonly (readonly [path: (id: string) => string, owner: string])[] = [
  [(id) => `/api/v1/portals/${id}/details`, "ok"],
  [(id) => `/api/v1/portals/${id}/details?x=/../y`, "ok"],
  [(id) => `/api/v1/portals/${id}/details#x`, "ok"],
  [(id) => `/api/v1/portals/%${(id.codePointAt(0) ?? 0).toString(16)}${id.slice(1)}/details`, "ok"],
  [(id) => `/%61pi/v1/portals/${id}/details`, "ok"],
  [(id) => `//api/v1/portals/${id}/details`, "no route"],
  [(id) => `/api//v1/portals/${id}/details`, "no route"],
  [(id) => `/api/v1/portals//${id}/details`, "no route"],
  [(id) => `/api/v1/portals/${id}//details`, "no route"],
  [(id) => `/api/v1/portals/${id}/details/`, "no route"],
  [(id) => `/api/v1/portals/${id}/details//`, "no route"],
  [(id) => `/api/v1/portals%2F${id}/details`, "no route"],
  [(id) => `/api/v1/portals/${id}%2Fdetails`, "portal/unknown"],
  [(id) => `/api/v1/portals/x%2F..%2F${id}/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/${id};x=1/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/${id}/details;x=1`, "no route"],
  [(id) => `/api/v1/portals/${id}%00/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/${id}/details%00`, "no route"],
  [(id) => `/api/v1/portals/${id}%20/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/${id}%/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/${id}=/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/${id.slice(0, -1)}/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/${id}A/details`, "portal/unknown"],
  [(id) => `/api/v1/portals/./${id}/details`, "ok"],
  [(id) => `/api/v1/portals/x/../${id}/details`, "ok"],
  [(id) => `/api/v1/portals/${id}/x/../details`, "ok"],
  [(id) => `/api/v1/portals/%2e%2e/portals/${id}/details`, "ok"],
  [(id) => `/../api/v1/portals/${id}/details`, "ok"],
  [(id) => `/API/V1/PORTALS/${id}/details`, "no route"],
  [(id) => `/api/v1/portals/${id}/DETAILS`, "no route"],
  [(id) => `\\api\\v1\\portals\\${id}\\details`, "400"],
];

/** Host headers, and what the owner gets with them; 400 from the server under the relay, which takes none but canonical ones. */
export const ODD_HOSTS: readonly (readonly [host: string, owner: string])[] = [
  ["localhost", "ok"],
  ["LOCALHOST", "ok"],
  ["localhost.", "wire/malformed"],
  ["127.0.0.1", "ok"],
  ["[::1]", "ok"],
  ["[::1]:8080", "ok"],
  ["[::ffff:127.0.0.1]", "400"],
  ["[0:0:0:0:0:0:0:1]", "400"],
  ["::1", "400"],
  ["[::1", "400"],
  ["[::1%25eth0]", "400"],
  ["localhost:99999", "400"],
  ["localhost/../x", "400"],
  ["user@localhost", "400"],
];
