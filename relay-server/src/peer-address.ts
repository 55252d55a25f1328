/**
 * Whom a request comes from, for limits: the socket's address, or what a trusted proxy says.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { type BlockList, isIP } from "node:net";

/** Follows `X-Forwarded-For` from the right for as long as the hops are trusted. IPv6 counts by its /64 network. */
export function peerAddress(request: IncomingMessage, trusted: BlockList): string {
  const hops = String(request.headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((hop) => hop.trim());
  let address = plain(request.socket.remoteAddress ?? "");
  while (isTrusted(address, trusted)) {
    const hop = plain(hops.pop() ?? "");
    if (isIP(hop) === 0) break;
    address = hop;
  }
  return network(address);
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && trusted.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** IPv4 addresses may come in their IPv6 form. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

/** The part of an address that one customer usually has. */
export function network(address: string): string {
  const text = plain(address);
  if (isIP(text) !== 6) return text;
  const [head = "", tail = ""] = text.split("%")[0]?.split("::") ?? [];
  const left = head.split(":").filter(Boolean);
  const right = tail.split(":").filter(Boolean);
  const full = [...left, ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return `${full
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
