import type { IncomingMessage } from "node:http";
import { BlockList } from "node:net";
import { expect, it } from "vitest";
import { network, peerAddress } from "./peer-address.ts";

function from(address: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return { headers, socket: { remoteAddress: address } } as unknown as IncomingMessage;
}

const proxies = new BlockList();
proxies.addSubnet("10.0.0.0", 8, "ipv4");
proxies.addAddress("fd00::1", "ipv6");

it.each([
  ["the socket's address", from("1.2.3.4"), "1.2.3.4"],
  ["an IPv4 address in its IPv6 form", from("::ffff:1.2.3.4"), "1.2.3.4"],
  ["nobody's word but a proxy's", from("1.2.3.4", "9.9.9.9"), "1.2.3.4"],
  ["what a proxy says", from("10.1.1.1", "9.9.9.9"), "9.9.9.9"],
  ["the first hop that is not ours", from("10.1.1.1", "6.6.6.6, 9.9.9.9, 10.2.2.2"), "9.9.9.9"],
  ["the proxy itself when it says nothing", from("10.1.1.1"), "10.1.1.1"],
  ["the proxy itself when it says nonsense", from("10.1.1.1", "unknown"), "10.1.1.1"],
  ["the network of an IPv6 address", from("fd00::1", "2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64"],
])("[RELAY-22] counts %s", (_name, request, expected) => {
  expect(peerAddress(request, proxies)).toBe(expected);
});

it.each([
  ["::1", "0:0:0:0::/64"],
  ["2001:DB8::1", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["8.8.8.8", "8.8.8.8"],
])("takes %s as %s", (address, expected) => {
  expect(network(address)).toBe(expected);
});
