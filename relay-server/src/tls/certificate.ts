/**
 * Self-signed P-256 certificates for `serverCertificateHashes`: browsers want ECDSA, version 3 and at most 14 days.
 * X.509 in DER, written by hand because node:crypto reads certificates and writes none.
 *
 * @module
 */
import { createHash, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Certificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** SHA-256 of the DER form, base64. */
  readonly sha256: string;
  readonly expiresAtMs: number;
}

const HOUR_MS = 3600 * 1000;
/** Thirteen days: one less than browsers allow, for clocks that differ. */
export const CERTIFICATE_VALIDITY_MS = 13 * 24 * HOUR_MS;

/** Makes a certificate for localhost whose validity began an hour ago, for clients whose clocks are behind. */
export function makeCertificate(nowMs: number, validityMs: number = CERTIFICATE_VALIDITY_MS): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const from = new Date(nowMs - HOUR_MS);
  // Certificates count in whole seconds.
  const until = new Date(Math.floor((nowMs + validityMs) / 1000) * 1000);
  const name = sequence(tlv(SET, sequence(oid(COMMON_NAME), tlv(UTF8_STRING, Buffer.from("warp relay")))));
  const toBeSigned = sequence(
    tlv(0xa0, tlv(INTEGER, Buffer.of(2))),
    tlv(INTEGER, serialNumber()),
    SIGNATURE_ALGORITHM,
    name,
    sequence(utcTime(from), utcTime(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(...extensions(["localhost", "127.0.0.1"]))),
  );
  const signature = createSign("sha256").update(toBeSigned).sign(privateKey);
  const der = sequence(toBeSigned, SIGNATURE_ALGORITHM, tlv(BIT_STRING, Buffer.concat([Buffer.of(0), signature])));
  const lines = der.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return {
    certificatePem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    sha256: createHash("sha256").update(der).digest("base64"),
    expiresAtMs: until.getTime(),
  };
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

const COMMON_NAME = "550403";
const SIGNATURE_ALGORITHM = sequence(oid("2a8648ce3d040302"));

function extensions(hosts: readonly string[]): Buffer[] {
  const names = hosts.map((host) =>
    isIPv4(host) ? tlv(0x87, Buffer.from(host.split(".").map(Number))) : tlv(0x82, Buffer.from(host)),
  );
  return [
    extension("551d13", true, sequence()), // basic constraints: no authority
    extension("551d0f", true, tlv(BIT_STRING, Buffer.of(7, 0x80))), // key usage: digital signature
    extension("551d25", false, sequence(oid("2b06010505070301"))), // extended key usage: server
    extension("551d11", false, sequence(...names)), // subject alternative names
  ];
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [tlv(BOOLEAN, Buffer.of(0xff))] : []), tlv(OCTET_STRING, value));
}

/** Positive, without leading zeros. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  return serial;
}

/** Two digits of the year: right until 2049. */
function utcTime(date: Date): Buffer {
  return tlv(UTC_TIME, Buffer.from(`${date.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));
}

function oid(hex: string): Buffer {
  return tlv(OBJECT_IDENTIFIER, Buffer.from(hex, "hex"));
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(SEQUENCE, ...parts);
}

/** Tag, length, value. */
function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const n = value.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.of(tag, ...length), value]);
}
