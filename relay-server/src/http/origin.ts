/**
 * Which name and scheme people reach the relay by: PUBLIC_URL where it is set, else the request's Host header, which is
 * checked before anything is built from it.
 *
 * @module
 */
import { isIP, isIPv6 } from "node:net";
import { Failure } from "../../../core/failure.ts";

/** A checked origin. */
export interface Origin {
  /** `http:` or `https:` */
  readonly scheme: string;
  /** Name or address, without brackets. */
  readonly name: string;
  /** Name with its port, as in a URL. */
  readonly host: string;
}

const HOST = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?))(?::(\d{1,5}))?$/;

/** @throws Failure `wire/malformed` when the Host header is no host */
export function originOf(hostHeader: string | undefined, isTls: boolean, publicUrl: URL | null): Origin {
  const match = HOST.exec(hostHeader ?? "");
  const name = match?.[1] ?? match?.[2];
  if (name === undefined || (match?.[1] !== undefined && !isIPv6(name)))
    throw new Failure("wire/malformed", { what: "host" });
  if (publicUrl !== null) {
    return { scheme: publicUrl.protocol, name: publicUrl.hostname.replace(/^\[|\]$/g, ""), host: publicUrl.host };
  }
  const port = match?.[3] === undefined ? "" : `:${Number(match[3])}`;
  return { scheme: isTls ? "https:" : "http:", name, host: bracketed(name) + port };
}

/**
 * The name under which WebTransport is reached: browsers resolve `localhost` to either family, and the listener has one.
 * @param listenHost the address that the relay listens on
 */
export function webtransportName(origin: Origin, listenHost: string): string {
  if (origin.name !== "localhost") return bracketed(origin.name);
  const isLoopback = listenHost !== "0.0.0.0" && listenHost !== "::";
  return bracketed(isLoopback && isIP(listenHost) > 0 ? listenHost : "127.0.0.1");
}

function bracketed(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}
