/**
 * What two browsers must know of each other to connect: credentials of ICE, the fingerprint of the certificate that DTLS will
 * show, and addresses. It travels as these few checked values and not as SDP, so that no text of a stranger reaches a browser's
 * parser, exactly one fingerprint can be in it, and every address in it is one of the same local network.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { asArray, asBytes, asFields, asInteger, asOneOf, asString, malformed } from "./check.ts";

/** Addresses of one description; a device has fewer. */
export const MAX_CANDIDATES = 16;
/** Bytes of a certificate's SHA-256. */
const FINGERPRINT_BYTES = 32;
/** ICE's own limit is 256; browsers take 4 to 32. */
const MAX_CREDENTIAL_LENGTH = 64;
const MIN_USER_LENGTH = 4;
const MIN_PASSWORD_LENGTH = 22;
const MAX_ADDRESS_LENGTH = 45;
const MAX_PRIORITY = 2 ** 31 - 1;
/** Who opens DTLS: an offer leaves it open, an answer says it. */
const SETUPS = ["actpass", "active", "passive"] as const;
/** SDP longer than this is no browser's. */
const MAX_SDP_LENGTH = 65_536;

/** One address of this device over UDP, as the network that it is in knows it. */
export interface Candidate {
  /** A private or link-local address, or a name that only this network resolves (`….local`). */
  readonly address: string;
  readonly port: number;
  readonly priority: number;
}

/** One side of a connection to be. */
export interface Description {
  readonly user: string;
  readonly password: string;
  /** SHA-256 of the certificate, u8[32]. */
  readonly fingerprint: Uint8Array<ArrayBuffer>;
  readonly setup: (typeof SETUPS)[number];
  /** At least one. */
  readonly candidates: readonly Candidate[];
}

/**
 * Reads what this browser says of its own side; addresses that are not of the local network are left out.
 * @throws Failure `wire/malformed` when it is not for data alone, has not exactly one fingerprint (SHA-256), or no local address
 */
export function readSdp(sdp: string): Description {
  if (sdp.length > MAX_SDP_LENGTH) malformed("sdp");
  const lines = sdp.split(/\r?\n/);
  if (lines.filter((line) => line.startsWith("m=")).length !== 1) malformed("sdp");
  const fingerprint = only(lines, "fingerprint").toLowerCase();
  if (!/^sha-256 [0-9a-f]{2}(:[0-9a-f]{2}){31}$/.test(fingerprint)) malformed("fingerprint");
  const hex = fingerprint.slice("sha-256 ".length).split(":");
  return checkDescription({
    u: only(lines, "ice-ufrag"),
    p: only(lines, "ice-pwd"),
    f: Uint8Array.from(hex, (byte) => Number.parseInt(byte, 16)),
    s: only(lines, "setup"),
    c: valuesOf(lines, "candidate").flatMap(localCandidate).slice(0, MAX_CANDIDATES),
  });
}

/** The SDP of the other side, made here of checked values. */
export function writeSdp({ user, password, fingerprint, setup, candidates }: Description): string {
  const hex = Array.from(fingerprint, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
  const lines = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    ...candidates.map((one, i) => `a=candidate:${i + 1} 1 udp ${one.priority} ${one.address} ${one.port} typ host`),
    "a=end-of-candidates",
    `a=ice-ufrag:${user}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${hex}`,
    `a=setup:${setup}`,
    "a=mid:0",
    "a=sctp-port:5000",
    "a=max-message-size:262144",
  ];
  return `${lines.join("\r\n")}\r\n`;
}

/** As plain values for MessagePack; `checkDescription` reads them. */
export function plainDescription({ user, password, fingerprint, setup, candidates }: Description): unknown {
  const addresses = candidates.map(({ address, port, priority }) => [address, port, priority]);
  return { u: user, p: password, f: fingerprint, s: setup, c: addresses };
}

/** Checks one that came from outside. @throws Failure `wire/malformed` */
export function checkDescription(value: unknown): Description {
  const fields = asFields(value, "description");
  if (Object.keys(fields).length !== 5) malformed("fields");
  const candidates = asArray(fields["c"], "c", MAX_CANDIDATES).map(checkCandidate);
  if (candidates.length === 0) malformed("c");
  return {
    user: credential(fields["u"], MIN_USER_LENGTH),
    password: credential(fields["p"], MIN_PASSWORD_LENGTH),
    fingerprint: asBytes(fields["f"], "f", FINGERPRINT_BYTES).slice(),
    setup: asOneOf(fields["s"], SETUPS, "s"),
    candidates,
  };
}

function checkCandidate(value: unknown): Candidate {
  const list = asArray(value, "candidate", 3);
  if (list.length !== 3) malformed("candidate");
  const address = asString(list[0], "address", MAX_ADDRESS_LENGTH);
  if (!isLocal(address)) malformed("address");
  return {
    address,
    port: asInteger(list[1], "port", 65_535, 1),
    priority: asInteger(list[2], "priority", MAX_PRIORITY, 1),
  };
}

/** ICE's alphabet, so that no line can be put into an SDP. */
function credential(value: unknown, minLength: number): string {
  const text = asString(value, "credential", MAX_CREDENTIAL_LENGTH);
  if (text.length < minLength || !/^[A-Za-z0-9+/]+$/.test(text)) malformed("credential");
  return text;
}

/** `1 1 udp 2113937151 192.168.1.7 51520 typ host …`; others (TCP, other types, addresses of the internet) give nothing. */
function localCandidate(text: string): unknown[] {
  const [, component, transport = "", priority, address = "", port, typ, type] = text.split(" ");
  if (component !== "1" || transport.toLowerCase() !== "udp" || typ !== "typ" || type !== "host") return [];
  return isLocal(address) ? [[address, Number(port), Number(priority)]] : [];
}

/**
 * An address that means something in one local network only. A browser sends checks to every address that it is told, so one of
 * the internet would have it knock where whoever has the link likes.
 */
function isLocal(address: string): boolean {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local$/i.test(address)) return true;
  if (/^f(e[89ab][0-9a-f]|[cd][0-9a-f]{2}):[0-9a-f:]{1,34}$/i.test(address)) return true;
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (bytes === undefined || bytes.some((byte) => byte > 255)) return false;
  const [a = 0, b = 0] = bytes;
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254);
}

/** The value of an attribute that must be there exactly once. */
function only(lines: readonly string[], name: string): string {
  const [value, ...others] = valuesOf(lines, name);
  if (value === undefined || others.length > 0) throw new Failure("wire/malformed", { what: name });
  return value;
}

function valuesOf(lines: readonly string[], name: string): string[] {
  const start = `a=${name}:`;
  return lines.flatMap((line) => (line.startsWith(start) ? line.slice(start.length) : []));
}
