/**
 * What the operator may set, read from the environment once and checked: a wrong value stops the start with a sentence
 * that names the variable and what is expected.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { resolve } from "node:path";
import { MIN_EXPIRY_SECONDS, RELAYS_MODES } from "../../core/portal/portal.ts";
import { MAX_WORK_BITS } from "../../core/portal/work.ts";
import { GIB, MIB, SEALED_PACK_BYTES } from "../../core/units.ts";
import { type FurtherRelays, parseRelays, parseRelaysMode, RELAYS_EXPECTED } from "./further-relays.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

export interface Config {
  readonly port: number;
  /** An IP address */
  readonly host: string;
  /** Where people reach the relay, when that is not what requests say; no path. */
  readonly publicUrl: URL | null;
  readonly dataDir: string;
  readonly tls: { readonly certificatePath: string; readonly keyPath: string } | null;
  readonly maxPortalBytes: number;
  readonly maxStoreBytes: number;
  readonly maxPortals: number;
  readonly minFreeBytes: number;
  readonly defaultExpirySeconds: number;
  readonly maxExpirySeconds: number;
  /** Time in which the scrubber reads everything once; 0 for never. */
  readonly scrubPeriodSeconds: number;
  readonly maxLinks: number;
  readonly maxLinksPerAddress: number;
  /** Portals and vaults that one address may create in an hour. */
  readonly maxCreatesPerHour: number;
  /** Object bytes that one address may store in a day. */
  readonly maxBytesPerDay: number;
  /** Creating needs an invitation. */
  readonly inviteOnly: boolean;
  /** Zero bits that the stamp of a creation needs; 0 for none. */
  readonly workBits: number;
  /** SHA-256 of the operator's token, u8[32]; null when there are no routes for the operator. */
  readonly operatorTokenHash: Uint8Array<ArrayBuffer> | null;
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: BlockList;
  /** Portals of this relay may live there too; no origins where there are none. */
  readonly relays: FurtherRelays;
  readonly logLevel: LogLevel;
}

/** A value that cannot be used; the message is for the operator. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;

const YEAR_SECONDS = 366 * 86_400;
/** What an `Authorization` header carries as it is. */
const OPERATOR_TOKEN = /^[!-~]{32,512}$/;

/** @throws ConfigError naming the first variable that is wrong */
export function readConfig(environment: Environment): Config {
  const read = <T>(name: string, fallback: string, parse: (text: string) => T | undefined, expected: string): T => {
    const text = environment[name]?.trim() || fallback;
    const value = parse(text);
    if (value === undefined)
      throw new ConfigError(`${name}=${JSON.stringify(text)} cannot be used: expected ${expected}.`);
    return value;
  };
  refuseUnbuilt(environment);
  const config = {
    port: read("PORT", "8080", (text) => parseCount(text, 0, 65_535), "a port number from 0 to 65535"),
    host: read("HOST", "127.0.0.1", parseHost, "an IP address to listen on, such as 127.0.0.1 or 0.0.0.0"),
    publicUrl: read("PUBLIC_URL", "", parsePublicUrl, "an address such as https://warp.example without a path"),
    dataDir: read("DATA_DIR", "./data", (text) => resolve(text), "a directory"),
    tls: readTls(environment),
    maxPortalBytes: read("MAX_PORTAL_BYTES", "100GiB", parseBytes, "a size such as 20GiB, at least 4MiB"),
    maxStoreBytes: read("MAX_STORE_BYTES", "500GiB", parseBytes, "a size such as 500GiB, at least 4MiB"),
    maxPortals: read("MAX_PORTALS", "100000", (text) => parseCount(text, 1, 10_000_000), "a number from 1 to 10000000"),
    minFreeBytes: read("MIN_FREE_BYTES", "512MiB", parseAnyBytes, "a size such as 2GiB"),
    defaultExpirySeconds: read("DEFAULT_EXPIRY", "1d", parseExpiry, EXPIRY_EXPECTED),
    maxExpirySeconds: read("MAX_EXPIRY", "7d", parseExpiry, EXPIRY_EXPECTED),
    scrubPeriodSeconds: read(
      "SCRUB_PERIOD",
      "1d",
      (text) => (text === "0" ? 0 : parseExpiry(text)),
      `0, or ${EXPIRY_EXPECTED}`,
    ),
    maxLinks: read("MAX_LINKS", "1000", (text) => parseCount(text, 1, 100_000), "a number from 1 to 100000"),
    maxLinksPerAddress: read(
      "MAX_LINKS_PER_ADDRESS",
      "32",
      (text) => parseCount(text, 1, 100_000),
      "a number from 1 to 100000",
    ),
    maxCreatesPerHour: read(
      "MAX_CREATES_PER_HOUR",
      "240",
      (text) => parseCount(text, 1, 100_000_000),
      "a number from 1 to 100000000",
    ),
    maxBytesPerDay: read("MAX_BYTES_PER_DAY", "1TiB", parseBytes, "a size such as 1TiB, at least 4MiB"),
    inviteOnly: read("INVITE_ONLY", "0", (text) => ({ "0": false, "1": true })[text], "0 or 1"),
    workBits: read(
      "WORK_BITS",
      "0",
      (text) => parseCount(text, 0, MAX_WORK_BITS),
      `a number from 0 to ${MAX_WORK_BITS}`,
    ),
    operatorTokenHash: readOperatorToken(environment),
    trustedProxies: read("TRUST_PROXY", "", parseProxies, "IP addresses or networks such as 127.0.0.1,10.0.0.0/8"),
    relays: {
      origins: read("RELAYS", "", parseRelays, RELAYS_EXPECTED),
      mode: read("RELAYS_MODE", RELAYS_MODES[0], parseRelaysMode, RELAYS_MODES.join(" or ")),
    },
    logLevel: read(
      "LOG_LEVEL",
      "info",
      (text) => LOG_LEVELS.find((level) => level === text),
      `one of ${LOG_LEVELS.join(", ")}`,
    ),
  };
  if (config.defaultExpirySeconds > config.maxExpirySeconds) {
    throw new ConfigError("DEFAULT_EXPIRY is longer than MAX_EXPIRY: expected at most that.");
  }
  if (config.inviteOnly && config.operatorTokenHash === null) {
    throw new ConfigError("INVITE_ONLY is set without OPERATOR_TOKEN: expected both, or nobody could be invited.");
  }
  if (config.publicUrl !== null && config.relays.origins.includes(config.publicUrl.origin)) {
    throw new ConfigError("RELAYS names this relay's own PUBLIC_URL: expected only other relays.");
  }
  if (config.maxPortalBytes > config.maxStoreBytes) {
    throw new ConfigError("MAX_PORTAL_BYTES is larger than MAX_STORE_BYTES: expected at most that.");
  }
  return config;
}

function refuseUnbuilt(environment: Environment): void {
  for (const name of ["STORE_URL", "BLOB_URL"]) {
    if (environment[name]) {
      throw new ConfigError(`${name} is set, but this relay has only its embedded store in DATA_DIR: unset it.`);
    }
  }
}

/** The token itself is not kept, nor shown when it cannot be used. */
function readOperatorToken({ OPERATOR_TOKEN: token }: Environment): Config["operatorTokenHash"] {
  if (!token) return null;
  if (!OPERATOR_TOKEN.test(token))
    throw new ConfigError("OPERATOR_TOKEN cannot be used: expected 32 to 512 characters from ! to ~, without spaces.");
  return Uint8Array.from(createHash("sha256").update(token).digest());
}

function readTls(environment: Environment): Config["tls"] {
  const { TLS_CERT: certificate, TLS_KEY: key } = environment;
  if (!certificate && !key) return null;
  if (!certificate) throw new ConfigError("TLS_KEY is set without TLS_CERT: expected both, as PEM files.");
  if (!key) throw new ConfigError("TLS_CERT is set without TLS_KEY: expected both, as PEM files.");
  for (const [name, path] of [["TLS_CERT", certificate] as const, ["TLS_KEY", key] as const]) {
    if (!existsSync(path)) throw new ConfigError(`${name} names a file that does not exist: expected a PEM file.`);
  }
  return { certificatePath: resolve(certificate), keyPath: resolve(key) };
}

function parseCount(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function parseHost(text: string): string | undefined {
  if (text === "localhost") return "127.0.0.1";
  return isIP(text) > 0 ? text : undefined;
}

function parsePublicUrl(text: string): URL | null | undefined {
  if (text === "") return null;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain =
    url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  return isPlain && /^https?:$/.test(url.protocol) ? url : undefined;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: MIB, GiB: GIB, TiB: 1024 * GIB };

function parseAnyBytes(text: string): number | undefined {
  const match = /^(\d{1,15})\s*([KMGT]iB)?$/.exec(text);
  const value = Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

function parseBytes(text: string): number | undefined {
  const value = parseAnyBytes(text);
  return value !== undefined && value >= SEALED_PACK_BYTES ? value : undefined;
}

const EXPIRY_EXPECTED = "a time such as 3600, 90m, 24h or 7d, from one minute to one year";
const TIMES: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

function parseExpiry(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])?$/.exec(text);
  const seconds = Number(match?.[1]) * (TIMES[match?.[2] ?? ""] ?? Number.NaN);
  return seconds >= MIN_EXPIRY_SECONDS && seconds <= YEAR_SECONDS ? seconds : undefined;
}

function parseProxies(text: string): BlockList | undefined {
  const list = new BlockList();
  for (const entry of text.split(",").filter((part) => part !== "")) {
    const [address = "", prefix] = entry.trim().split("/");
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    const length = prefix === undefined ? bits : parseCount(prefix, 0, bits);
    if (version === 0 || length === undefined) return undefined;
    list.addSubnet(address, length, version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
