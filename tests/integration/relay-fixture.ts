/**
 * A relay inside the test's own process, on a free port and with a store of its own.
 *
 * @module
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RelaysMode } from "../../core/portal/portal.ts";
import { type Config, readConfig } from "../../relay-server/src/config.ts";
import { Logger } from "../../relay-server/src/log.ts";
import { type Relay, type RelayParts, startRelay } from "../../relay-server/src/relay.ts";

export interface TestRelay extends AsyncDisposable {
  readonly url: string;
  readonly relay: Relay;
  readonly dataDir: string;
  /** Every line that was logged. */
  readonly log: string[];
}

/**
 * Two relays that name each other, on `localhost`, at ports that were free a moment ago.
 * @param door how they serve WebTransport; not at all without
 */
export async function relayPair(
  mode: RelaysMode,
  door?: NonNullable<RelayParts["door"]>,
): Promise<readonly [TestRelay, TestRelay]> {
  const [a = 0, b = 0] = await freePorts(2);
  const start = (port: number, other: number) =>
    testRelay({ port, relays: { origins: [`http://localhost:${other}`], mode } }, door && { door });
  return [await start(a, b), await start(b, a)];
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** All tests come from one address. */
const PLENTY = 1_000_000;
const LIMITS = {
  failuresOfPair: PLENTY,
  failuresOfPortal: PLENTY,
  failuresOfAddress: PLENTY,
  vaultChangesPerMinute: PLENTY,
} as const;

/** Starts a relay without WebTransport, which needs a browser on the other side, unless `parts` say otherwise. */
export async function testRelay(config: Partial<Config> = {}, parts: RelayParts = {}): Promise<TestRelay> {
  const dataDir = config.dataDir ?? (await mkdtemp(join(tmpdir(), "warp-relay-")));
  const log: string[] = [];
  const noEngine = () => Promise.reject(new Error("not in this test"));
  const environment = { PORT: "0", DATA_DIR: dataDir, MIN_FREE_BYTES: "1", MAX_LINKS_PER_ADDRESS: "200" };
  const logger = new Logger("debug", (line) => log.push(line));
  const relay = await startRelay(
    { ...readConfig(environment), maxCreatesPerHour: PLENTY, ...config },
    { log: logger, door: { findEngine: noEngine }, limits: LIMITS, ...parts },
  );
  return {
    url: relay.url,
    relay,
    dataDir,
    log,
    async [Symbol.asyncDispose]() {
      await relay.stop();
      if (config.dataDir === undefined) await rm(dataDir, { recursive: true });
    },
  };
}
