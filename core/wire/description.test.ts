import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DESCRIPTION } from "../../tests/support/fake-channel.ts";
import { Failure } from "../failure.ts";
import { decodeCanonical, encodeCanonical } from "./codec.ts";
import {
  checkDescription,
  type Description,
  MAX_CANDIDATES,
  plainDescription,
  readSdp,
  writeSdp,
} from "./description.ts";

/** What Chromium says of itself, with what must not leave: a server's view, TCP, an address of the internet. */
const CHROMIUM = `v=0
o=- 5546833128400297146 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=candidate:1185948036 1 udp 2113937151 e4f11cc0-23b2-4bf4-8d6f-71ce94884a60.local 51520 typ host generation 0 network-cost 999
a=candidate:3 1 udp 1677729535 203.0.113.9 40404 typ srflx raddr 0.0.0.0 rport 0 generation 0
a=candidate:4 1 udp 33562367 198.51.100.4 3478 typ relay raddr 203.0.113.9 rport 40404
a=candidate:5 1 tcp 1518280447 192.168.1.7 9 typ host tcptype active generation 0
a=candidate:6 1 udp 2122260223 203.0.113.9 51521 typ host generation 0
a=candidate:7 1 UDP 2113942271 192.168.1.7 53435 typ host generation 0
a=ice-ufrag:Wx7+
a=ice-pwd:FPLgD6qnZDoW75cXoRQpHocw
a=ice-options:trickle
a=fingerprint:sha-256 ${[...DESCRIPTION.fingerprint].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}
a=setup:actpass
a=mid:0
a=sctp-port:5000
a=max-message-size:262144
`.replaceAll("\n", "\r\n");

const plain = (change: Record<string, unknown> = {}) => ({
  ...(plainDescription(DESCRIPTION) as Record<string, unknown>),
  ...change,
});
const withAddress = (address: unknown, port: unknown = 9, priority: unknown = 1) =>
  plain({ c: [[address, port, priority]] });

function codeOf(work: () => unknown): string {
  try {
    work();
    return "nothing";
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
}

describe("a description", () => {
  it("[PEER-5] is read from a browser's SDP: one fingerprint, and addresses of the local network over UDP", () => {
    expect(readSdp(CHROMIUM)).toEqual(DESCRIPTION);
  });

  it("[PEER-5] becomes SDP that says the same and holds nothing else", () => {
    const sdp = writeSdp(DESCRIPTION);
    expect(readSdp(sdp)).toEqual(DESCRIPTION);
    expect(sdp.match(/^a=fingerprint:.*$/gm)).toHaveLength(1);
    expect(sdp.match(/ typ (?!host)/g)).toBeNull();
    expect(sdp.endsWith("a=max-message-size:262144\r\n")).toBe(true);
  });

  it.each<[string, (sdp: string) => string]>([
    ["a second fingerprint", (sdp) => sdp.replace("a=setup", `a=fingerprint:sha-256 ${"00:".repeat(31)}00\r\na=setup`)],
    ["no fingerprint", (sdp) => sdp.replace(/a=fingerprint.*\r\n/, "")],
    ["a fingerprint by another hash", (sdp) => sdp.replace("sha-256", "sha-1")],
    ["a fingerprint that is too short", (sdp) => sdp.replace(/(a=fingerprint:sha-256 .*):..\r\n/, "$1\r\n")],
    ["sound beside the data", (sdp) => `${sdp}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`],
    ["no address from here", (sdp) => sdp.replaceAll(/a=candidate.*\r\n/g, "")],
    ["more text than any browser's", (sdp) => sdp + "a=x\r\n".repeat(20_000)],
  ])("[PEER-5] is not read from SDP with %s", (_what, change) => {
    expect(codeOf(() => readSdp(change(CHROMIUM)))).toBe("wire/malformed");
  });

  it("crosses as plain values", () => {
    const limits = { maxBytes: 8192, malformed: "wire/malformed", tooLarge: "wire/too-large" } as const;
    const crossed = decodeCanonical(encodeCanonical(plainDescription(DESCRIPTION)), limits);
    expect(checkDescription(crossed)).toEqual(DESCRIPTION);
  });

  it.each([
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.255.1",
    "169.254.7.7",
    "fe80::1c2d:3eff:fe4f:5061",
    "fd12:3456:789a::1",
    "E4F11CC0-23B2-4BF4-8D6F-71CE94884A60.local",
  ])("[PEER-5] may have the local address %s", (address) => {
    expect(checkDescription(withAddress(address)).candidates[0]?.address).toBe(address);
  });

  it.each([
    "8.8.8.8",
    "172.32.0.1",
    "172.15.0.1",
    "192.169.0.1",
    "10.0.0.256",
    "10.0.0",
    "127.0.0.1",
    "0.0.0.0",
    "2001:db8::1",
    "::1",
    "ff02::1",
    "fe80::1%eth0",
    "printer.local",
    "e4f11cc0-23b2-4bf4-8d6f-71ce94884a60.local.example.com",
    "192.168.1.7 9 typ relay",
    "10.0.0.1\r\na=fingerprint:sha-256 00",
    "",
  ])("[PEER-5] with the address %j is refused", (address) => {
    expect(codeOf(() => checkDescription(withAddress(address)))).toBe("wire/malformed");
  });

  it.each<[string, unknown]>([
    ["no map", [1]],
    ["nothing", {}],
    ["a field more", plain({ more: 1 })],
    ["a short user", plain({ u: "abc" })],
    ["a user with a line end", plain({ u: "abcd\r\na=x" })],
    ["a long user", plain({ u: "a".repeat(65) })],
    ["a short password", plain({ p: "a".repeat(21) })],
    ["a short fingerprint", plain({ f: new Uint8Array(31) })],
    ["a fingerprint as text", plain({ f: "00".repeat(32) })],
    ["an unknown setup", plain({ s: "holdconn" })],
    ["no address", plain({ c: [] })],
    ["too many addresses", plain({ c: Array(MAX_CANDIDATES + 1).fill(["10.0.0.1", 9, 1]) })],
    ["an address of two values", plain({ c: [["10.0.0.1", 9]] })],
    ["port 0", withAddress("10.0.0.1", 0)],
    ["a port past the last", withAddress("10.0.0.1", 65_536)],
    ["a priority below the first", withAddress("10.0.0.1", 9, 0)],
    ["a priority past the last", withAddress("10.0.0.1", 9, 2 ** 31)],
  ])("[PEER-5] with %s is refused", (_what, value) => {
    expect(codeOf(() => checkDescription(value))).toBe("wire/malformed");
  });

  it("[PEER-5] never gives SDP with a line of its own, whatever its text is", () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (user, password, address) => {
        let description: Description;
        try {
          description = checkDescription(plain({ u: user, p: password, c: [[address, 9, 1]] }));
        } catch (error) {
          expect(error).toMatchObject({ code: "wire/malformed" });
          return;
        }
        expect(writeSdp(description).split("\r\n")).toHaveLength(writeSdp(DESCRIPTION).split("\r\n").length - 1);
      }),
    ));
});
