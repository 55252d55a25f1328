/**
 * The network between browsers and a relay, to be broken by tests: two network namespaces with an emulator where the
 * machine permits that, a proxy in this process elsewhere. Both do the same for a test.
 *
 * @module
 */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import { findChromium } from "../../../scripts/lib/chromium.ts";
import { type BrowserOptions, launchBrowser, launchProfile } from "../../support/chromium.ts";
import { freePort, launchRelay, type RelayOptions, type RunningRelay } from "../../support/launch.ts";
import { compileEmulator, Emulator } from "./emulator.ts";
import { blockUdp, canFilter, openUdp } from "./firewall.ts";
import type { Line } from "./line.ts";
import { inside, NamespacePair, removeStale } from "./namespaces.ts";
import { BEHIND, FaultProxy } from "./proxy.ts";

/** A relay's port in a namespace of its own. */
const PORT = 8080;

/** What can be done to the network. All of it holds until it is changed again. */
export interface Network extends AsyncDisposable {
  /** Where browsers find the relay, without a trailing slash; a secure origin. */
  readonly url: string;
  /** A relay behind the line. Its `url` is for this process and avoids the line. */
  launchRelay(options?: RelayOptions): Promise<RunningRelay>;
  /** A browser before the line. */
  launchBrowser(): Promise<Browser>;
  /** The same with a profile that stays in `folder`. */
  launchProfile(folder: string): Promise<BrowserContext>;
  set(line: Line): Promise<void>;
  /** Nothing gets through, and nobody is told. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  blockUdp(): void;
  openUdp(): void;
  /** Browsers have another address. */
  changeAddress(): void;
  /** Bytes that came out at either end of the line so far, with all that the network adds to them. */
  crossedBytes(): Promise<number>;
}

/** Two namespaces with everything in them that the faults need. */
export interface NamespaceNetwork extends Network {
  readonly pair: NamespacePair;
  readonly emulator: Emulator;
}

const program = findProgram();

/** How this machine plays networks, for the titles of tests. */
export const NETWORK: string = program === undefined ? "through the in-process proxy" : "between network namespaces";

/** The emulator, if all that namespaces need is here and permitted; undefined otherwise. */
function findProgram(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  removeStale();
  try {
    using pair = new NamespacePair();
    return canFilter(pair.client) ? compileEmulator() : undefined;
  } catch {
    return undefined; // a container without the right to make namespaces
  }
}

/** The best that this machine has. Disposing ends everything that was launched in it. */
export async function openNetwork(): Promise<Network> {
  return (await openNamespaces()) ?? (await openProxied());
}

/** Undefined where namespaces are not permitted. */
export async function openNamespaces(): Promise<NamespaceNetwork | undefined> {
  if (program === undefined) return undefined;
  const pair = new NamespacePair();
  const both = [pair.relay, pair.client];
  const folder = await mkdtemp(join(tmpdir(), "warp-lab-"));
  const emulator = await Emulator.start(program, pair.client, pair.relay);
  pair.connect();
  // Chromium is started by its path alone.
  const executable = join(folder, "chromium");
  await writeFile(executable, `#!/bin/sh\nexec ${inside(pair.client).join(" ")} ${findChromium()} "$@"\n`);
  await chmod(executable, 0o755);
  const browser: BrowserOptions = { executable, args: [`--host-resolver-rules=MAP localhost ${pair.relayAddress}`] };
  return {
    pair,
    emulator,
    // By this name the origin is a secure one; the relay tells the address for WebTransport.
    url: `http://localhost:${PORT}`,
    launchRelay: (options) =>
      launchRelay({ ...options, host: pair.relayAddress, port: PORT, prefix: inside(pair.relay) }),
    launchBrowser: () => launchBrowser(browser),
    launchProfile: (profile) => launchProfile(profile, browser),
    set: (line) => emulator.set(line),
    cut: () => emulator.cut(),
    heal: () => emulator.heal(),
    blockUdp: () => both.forEach(blockUdp),
    openUdp: () => both.forEach(openUdp),
    changeAddress: () => pair.changeAddress(),
    crossedBytes: async () => (await emulator.counters()).reduce((sum, { bytes }) => sum + bytes, 0),
    async [Symbol.asyncDispose]() {
      await emulator[Symbol.asyncDispose]();
      pair[Symbol.dispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A network that is played in this process; it can also become captive. */
export interface ProxiedNetwork extends Network {
  /** Whether every request is answered by a page to sign in. */
  setCaptive(isCaptive: boolean): void;
}

export async function openProxied(): Promise<ProxiedNetwork> {
  const port = await freePort();
  const proxy = await FaultProxy.open(port);
  return {
    // By its address: asked for by the name, the relay would tell browsers its own address for WebTransport.
    url: `http://127.0.0.1:${port}`,
    launchRelay: (options) => launchRelay({ ...options, host: BEHIND, port }),
    launchBrowser: () => launchBrowser(),
    launchProfile: (profile) => launchProfile(profile),
    set: async (line) => proxy.set(line),
    cut: async () => proxy.cut(),
    heal: async () => proxy.heal(),
    blockUdp: () => proxy.blockUdp(),
    openUdp: () => proxy.openUdp(),
    changeAddress: () => proxy.changeAddress(),
    crossedBytes: async () => proxy.crossedBytes(),
    setCaptive: (isCaptive) => proxy.setCaptive(isCaptive),
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
