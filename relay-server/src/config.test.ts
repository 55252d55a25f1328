import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

const wrong: Record<string, Record<string, string>> = {
  "a port that is no number": { PORT: "http" },
  "a port beyond the last": { PORT: "65536" },
  "a host that is a name": { HOST: "example.org" },
  "a public address with a path": { PUBLIC_URL: "https://warp.example/app" },
  "a public address of another scheme": { PUBLIC_URL: "ftp://warp.example" },
  "a public address with a user": { PUBLIC_URL: "https://me@warp.example" },
  "a size without a number": { MAX_PORTAL_BYTES: "lots" },
  "a size in an unknown unit": { MAX_STORE_BYTES: "10GB" },
  "a size below one pack": { MAX_PORTAL_BYTES: "1MiB" },
  "a portal larger than the store": { MAX_PORTAL_BYTES: "2GiB", MAX_STORE_BYTES: "1GiB" },
  "an expiry that is too short": { DEFAULT_EXPIRY: "59" },
  "a default expiry above the longest": { DEFAULT_EXPIRY: "8d" },
  "a scrub period that is too short": { SCRUB_PERIOD: "10s" },
  "an unknown log level": { LOG_LEVEL: "trace" },
  "a proxy that is no address": { TRUST_PROXY: "proxy.local" },
  "a proxy network that is too long": { TRUST_PROXY: "10.0.0.0/33" },
  "a certificate without a key": { TLS_CERT: "package.json" },
  "a key without a certificate": { TLS_KEY: "package.json" },
  "a certificate that does not exist": { TLS_CERT: "no/such.pem", TLS_KEY: "package.json" },
  "a limit of creations that is none": { MAX_CREATES_PER_HOUR: "0" },
  "a limit of bytes below one pack": { MAX_BYTES_PER_DAY: "1" },
  "more work than anybody does": { WORK_BITS: "29" },
  "half an invitation": { INVITE_ONLY: "yes" },
  "invitations that nobody can give": { INVITE_ONLY: "1" },
  "an operator's token that can be guessed": { OPERATOR_TOKEN: "x".repeat(31) },
  "an operator's token that no header carries": { OPERATOR_TOKEN: `${"x".repeat(16)} ${"y".repeat(16)}` },
  "a further relay with a path": { RELAYS: "https://b.example/relay" },
  "a further relay with a query": { RELAYS: "https://b.example/?x" },
  "a further relay with a user": { RELAYS: "https://me@b.example" },
  "a further relay that is no address": { RELAYS: "https://b.example,b" },
  "a further relay of another scheme": { RELAYS: "wss://b.example" },
  "a further relay without TLS on the internet": { RELAYS: "http://b.example" },
  "a further relay without TLS at a public address": { RELAYS: "http://93.184.216.34:8080" },
  "a further relay twice": { RELAYS: "https://b.example,https://B.example:443/" },
  "more further relays than a portal uses": { RELAYS: [..."bcdefghi"].map((name) => `https://${name}.example`).join() },
  "itself as a further relay": { RELAYS: "https://warp.example", PUBLIC_URL: "https://warp.example" },
  "an unknown mode of several relays": { RELAYS: "https://b.example", RELAYS_MODE: "mirrored" },
  "a store that is not built": { STORE_URL: "postgres://db" },
  "a blob store that is not built": { BLOB_URL: "s3://bucket" },
};

describe("the configuration", () => {
  it("has defaults for everything", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ port: 8080, host: "127.0.0.1", publicUrl: null, tls: null, logLevel: "info" });
    expect(config.defaultExpirySeconds).toBe(86_400);
    expect(config.maxExpirySeconds).toBe(604_800);
    expect(config.scrubPeriodSeconds).toBe(86_400);
    expect(config).toMatchObject({ maxCreatesPerHour: 240, maxBytesPerDay: 2 ** 40, workBits: 0, inviteOnly: false });
    expect(config.operatorTokenHash).toBeNull();
    expect(config.relays).toEqual({ origins: [], mode: "striped" });
  });

  it("[RELAY-74] reads further relays as browsers write them, without TLS only where nobody else is on the way", () => {
    const near = [
      "http://127.0.0.1:8081",
      "http://[::1]:8082",
      "http://localhost",
      "http://nas:8080",
      "http://a.local",
    ];
    const config = readConfig({ RELAYS: [" https://B.example:443/", ...near].join(" , "), RELAYS_MODE: "replicated" });
    expect(config.relays).toEqual({ origins: ["https://b.example", ...near], mode: "replicated" });
    for (const address of ["10.1.2.3", "172.31.0.1", "192.168.1.1", "[fd00::1]"])
      expect(readConfig({ RELAYS: `http://${address}` }).relays.origins).toEqual([`http://${address}`]);
    expect(() => readConfig({ RELAYS: "http://172.32.0.1" })).toThrow(ConfigError);
  });

  it("[RELAY-33] keeps only the hash of the operator's token, and shows none that cannot be used", () => {
    const token = "t0ken/".repeat(6);
    const config = readConfig({ OPERATOR_TOKEN: token, INVITE_ONLY: "1", WORK_BITS: "28" });
    expect(config).toMatchObject({ inviteOnly: true, workBits: 28 });
    expect(config.operatorTokenHash).toEqual(Uint8Array.from(createHash("sha256").update(token).digest()));
    expect(JSON.stringify(config)).not.toContain(token);
    expect(() => readConfig({ OPERATOR_TOKEN: `${token} ` })).toThrow(/^(?!.*t0ken)/);
  });

  it("reads sizes, times, addresses and networks", () => {
    const config = readConfig({
      PORT: " 9000 ",
      HOST: "localhost",
      PUBLIC_URL: "https://warp.example:8443/",
      MAX_PORTAL_BYTES: "20GiB",
      MAX_STORE_BYTES: "1TiB",
      MIN_FREE_BYTES: "0",
      DEFAULT_EXPIRY: "90m",
      MAX_EXPIRY: "30d",
      SCRUB_PERIOD: "0",
      TRUST_PROXY: "127.0.0.1,10.0.0.0/8,fd00::/8",
    });
    expect(config).toMatchObject({ port: 9000, host: "127.0.0.1", minFreeBytes: 0, defaultExpirySeconds: 5400 });
    expect(config.publicUrl?.origin).toBe("https://warp.example:8443");
    expect(config.maxPortalBytes).toBe(20 * 2 ** 30);
    expect(config.maxExpirySeconds).toBe(30 * 86_400);
    expect(config.scrubPeriodSeconds).toBe(0);
    expect(config.trustedProxies.check("10.9.9.9")).toBe(true);
    expect(config.trustedProxies.check("11.9.9.9")).toBe(false);
    expect(config.trustedProxies.check("fd12::1", "ipv6")).toBe(true);
  });

  it.each(Object.keys(wrong))("[RELAY-33] refuses %s and names the variable", (name) => {
    const environment = wrong[name] ?? {};
    expect(() => readConfig(environment)).toThrow(ConfigError);
    expect(() => readConfig(environment)).toThrow(new RegExp(Object.keys(environment).join("|")));
  });
});
