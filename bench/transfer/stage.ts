/**
 * Everything that a transfer runs through: bench server, relay, tus server, and two browsers that share nothing.
 *
 * @module
 */
import { once } from "node:events";
import { join } from "node:path";
import { PINNED_NODE, ROOT } from "../../scripts/lib/process.ts";
import { launchRelay } from "../../tests/support/launch.ts";
import { adoptProcess, endProcess, removeFolder, startProcess, temporaryFolder } from "../lib/cleanup.ts";
import { BenchServer, limitFor } from "./bench-server.ts";
import { type BareBrowser, startBrowser } from "./browser.ts";
import type { DataFile } from "./data.ts";

/** A server in a process of its own. */
export interface Service {
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

/** Stands for a server that nobody uses. */
export const NO_SERVICE: Service = { url: "", pid: 0, close: async () => {} };

/** A data set that the sender's browser holds as a private file. */
export interface LoadedData extends DataFile {
  readonly name: string;
  /** Object hash of each 4 MiB, base64. */
  readonly objectHashes: readonly string[];
}

export interface Stage {
  readonly server: BenchServer;
  readonly sender: BareBrowser;
  readonly receiver: BareBrowser;
  close(): Promise<void>;
}

/** Starts both browsers on their pages. */
export async function openStage(pagesFolder: string, folder: string | undefined): Promise<Stage> {
  const server = new BenchServer(pagesFolder);
  await server.listen();
  const [sender, receiver] = await Promise.all([
    startBrowser("sender", server.pageUrl("sender"), folder),
    startBrowser("receiver", server.pageUrl("receiver"), folder),
  ]);
  const close = async () => {
    await Promise.all([sender.close(), receiver.close()]);
    server.close();
  };
  return { server, sender, receiver, close };
}

/** Puts a data set into the sender's private file system; this is not timed. */
export async function loadData(
  server: BenchServer,
  name: string,
  data: DataFile,
  hashed: boolean,
): Promise<LoadedData> {
  await server.order("sender", "load", { url: server.offer(name, data.path), name }, limitFor(data.bytes)).answer;
  const objectHashes = hashed ? await server.order("sender", "objectHashes", { name }).answer : [];
  return { ...data, name, objectHashes };
}

/** Starts a relay with an empty store, as `npm start` runs it. `profile` is a folder for a processor profile. */
export async function openRelay(folder: string | undefined, profile: string | undefined): Promise<Service> {
  const dataDir = await temporaryFolder("relay", folder);
  const profiling = profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` };
  const relay = await launchRelay({
    dataDir,

    env: { NODE_ENV: "production", LOG_LEVEL: "error", ...profiling },
  });
  const adopted = adoptProcess(relay.pid);
  const close = async () => {
    await relay.stop();
    adopted.release();
    await removeFolder(dataDir);
  };
  return { url: relay.url, pid: relay.pid, close };
}

export async function openTus(folder: string | undefined): Promise<Service> {
  const store = await temporaryFolder("tus", folder);
  const child = startProcess(PINNED_NODE, [join(ROOT, "bench/transfer/tus-server.ts"), store], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("tus server has no output");
  const ended = once(child, "exit").then(() => {
    throw new Error("the tus server ended at once");
  });
  const [port] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  ended.catch(() => {});
  const close = async () => {
    await endProcess(child);
    await removeFolder(store);
  };
  return { url: `http://localhost:${String(port).trim()}/files`, pid: child.pid ?? 0, close };
}
