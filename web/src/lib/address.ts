/**
 * What the page's address says: which page, which link, which overrides. A tiny router.
 * The fragment is a secret: it is handed to the worker and to nothing else.
 *
 * @module
 */

import type { SinkKind } from "../../../core/ports/sink.ts";
import type { Overrides } from "../../../workers/transfer/api.ts";

export type Page =
  | { readonly name: "send" }
  | { readonly name: "receive"; readonly link: string }
  | { readonly name: "transfers" }
  | { readonly name: "dashboard" }
  | { readonly name: "absent" };

/** The parts of `location` that are read. */
export interface Address {
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}

/** Only the page; `link` is the path and the fragment, as the transfer worker takes it. */
export function pageOf(address: Address): Page {
  if (address.pathname === "/" || address.pathname === "/index.html") return { name: "send" };
  if (address.pathname.startsWith("/p/")) return { name: "receive", link: address.pathname + address.hash };
  if (address.pathname === "/transfers") return { name: "transfers" };
  if (address.pathname === "/dashboard") return { name: "dashboard" };
  return { name: "absent" };
}

/** The id of the portal that a link opens, from the link's path; never a part of its secret. */
export function portalOf(link: string): string {
  return /^\/p\/([^/?#]*)/.exec(link)?.[1] ?? "";
}

/** What `/transfers` shows: the list, one of its forms, or one portal. */
export type TransfersView =
  | { readonly name: "list" | "request" | "phrase" | "restore" }
  | { readonly name: "portal"; readonly portal: string };

/** From the fragment, which holds no secret there. A portal's id is 22 letters long, so no form is taken for one. */
export function transfersViewOf(hash: string): TransfersView {
  const name = hash.slice(1);
  if (name === "request" || name === "phrase" || name === "restore") return { name };
  return /^[\w-]{16,64}$/.test(name) ? { name: "portal", portal: name } : { name: "list" };
}

/** The invitation in `/#invite=…`, or in anything that people paste; the text itself where it is the bare code. */
export function inviteOf(text: string): string {
  const code = /#invite=([^&\s]*)/.exec(text)?.[1];
  try {
    return code === undefined ? text.trim() : decodeURIComponent(code);
  } catch {
    return "";
  }
}

/** `?engine=`, `?path=` and `?peers=`; a value that is not built is ignored. */
export function overridesOf(address: Address): Overrides {
  const query = new URLSearchParams(address.search);
  const path = query.get("path");
  const engine = query.get("engine");
  const peers = query.get("peers");
  return {
    ...(engine === "cpu" || engine === "gpu" ? { engine } : {}),
    ...(path === "webtransport" || path === "tcp" ? { path } : {}),
    ...(peers === "on" || peers === "off" ? { peers: peers === "on" } : {}),
  };
}

/** `?sink=`, or null. */
export function sinkOf(address: Address): SinkKind | null {
  const sink = new URLSearchParams(address.search).get("sink");
  return sink === "download" || sink === "directory" || sink === "private" ? sink : null;
}
