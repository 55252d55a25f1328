/**
 * How many TCP connections one address may have. A limit for all together would let one attacker lock everybody out; one
 * for each address locks out the attacker.
 *
 * @module
 */
import type { Server, Socket } from "node:net";
import { type BlockList, isIP } from "node:net";
import { network } from "./peer-address.ts";

export interface ConnectionLimit {
  readonly maxPerAddress: number;
  /** Proxies, which connect for many. */
  readonly exempt: BlockList;
}

/** Ends each connection beyond the limit at once, before anything is read from it. */
export function limitConnections(server: Server, { maxPerAddress, exempt }: ConnectionLimit): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = network(socket.remoteAddress ?? "");
    const version = isIP(socket.remoteAddress ?? "");
    if (version !== 0 && exempt.check(socket.remoteAddress ?? "", version === 4 ? "ipv4" : "ipv6")) return;
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
    if (count > maxPerAddress) socket.destroy();
  });
}
