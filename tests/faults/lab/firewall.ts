/**
 * Blocking UDP for a network namespace, as many offices and hotels do: without a word to anybody.
 *
 * @module
 */
import { run, tryRun } from "./command.ts";
import { inside } from "./namespaces.ts";

/** Packets are dropped where they come in: a rule where they go out would tell the program that sends them. */
const BLOCK = `
table inet warp {
  chain in {
    type filter hook input priority 0
    meta l4proto udp drop
  }
}
`;
/** The table is made first, so that there is one to delete. */
const OPEN = `
add table inet warp
delete table inet warp
`;

function nft(namespace: string): [string, string[]] {
  const [program = "", ...prefix] = inside(namespace);
  return [program, [...prefix, "nft", "-f", "-"]];
}

/** Drops every UDP packet that comes to a namespace. @throws Error without nftables */
export function blockUdp(namespace: string): void {
  run(...nft(namespace), OPEN + BLOCK);
}

/** Lets UDP through again. */
export function openUdp(namespace: string): void {
  run(...nft(namespace), OPEN);
}

/** Whether rules can be set in a namespace that has none. */
export function canFilter(namespace: string): boolean {
  return tryRun(...nft(namespace), BLOCK).ok && tryRun(...nft(namespace), OPEN).ok;
}
