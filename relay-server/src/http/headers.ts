/**
 * Security headers. The app's pages, workers and scripts share one strict policy; the API's answers may do nothing.
 *
 * @module
 */
import { RELAY_HEADER } from "../../../core/portal/portal.ts";
import { PROTOCOL_VERSION } from "../../../core/wire/frame.ts";
import { type Origin, webtransportName } from "./origin.ts";

/** Headers of every answer. */
const COMMON: Readonly<Record<string, string>> = {
  [RELAY_HEADER]: String(PROTOCOL_VERSION),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Robots-Tag": "noindex",
  "Permissions-Policy":
    "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), payment=(), browsing-topics=()",
  "Origin-Agent-Cluster": "?1",
};

const HSTS = "max-age=63072000; includeSubDomains";

/** @param isTls whether this request came over TLS, here or at the public address */
export function commonHeaders(isTls: boolean): Readonly<Record<string, string>> {
  return isTls ? { ...COMMON, "Strict-Transport-Security": HSTS } : COMMON;
}

/** Policy of the API: bytes and JSON, never a document. */
export const API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/**
 * Policy of the app. Connections go to the relay itself and the further relays that its operator names; the port of
 * WebTransport changes with its certificate, so any port of their names is allowed.
 *
 * @param listenHost the address that the relay listens on
 * @param relays origins
 */
export function appPolicy(origin: Origin, listenHost: string, relays: readonly string[]): string {
  const further = relays.flatMap((relay) => {
    const { protocol: scheme, hostname, host } = new URL(relay);
    return [relay, ...connectionsTo({ scheme, name: hostname, host }, listenHost)];
  });
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "font-src 'self'",
    ["connect-src 'self'", ...connectionsTo(origin, listenHost), ...further].join(" "),
    "worker-src 'self'",
    "manifest-src 'self'",
    "frame-src 'none'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types svelte-trusted-html app",
  ].join("; ");
}

function connectionsTo(origin: Origin, listenHost: string): readonly string[] {
  const webSocket = `${origin.scheme === "https:" ? "wss:" : "ws:"}//${origin.host}`;
  return [webSocket, `https://${webtransportName(origin, listenHost)}:*`];
}
