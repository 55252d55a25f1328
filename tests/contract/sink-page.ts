/**
 * The page of the sink tests: what tests call through `window.sinks`.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { createDirectorySink } from "../../platform/sinks/directory.ts";
import { startDownload } from "../../web/src/lib/download.ts";
import { probeSinks } from "../../web/src/lib/probe-sinks.ts";
import { appScriptUrl } from "../../workers/script-url.ts";
import { type Arrived, file, type SinkCase } from "./sink-cases.ts";
import { codeOf, walk } from "./sink-driver.ts";
import { runDirectory, withFolder } from "./sink-jobs.ts";
import type { KeepArgument, KeepResult } from "./sink-keep.ts";
import type { Job } from "./sink-worker.ts";

function newWorker(): Worker {
  return new Worker(appScriptUrl("/sink-worker.js"), { type: "module" });
}

async function ask(worker: Worker, job: Job): Promise<unknown> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<{ value?: unknown; error?: string }>((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  worker.postMessage(job, job.port === undefined ? [port2] : [port2, job.port]);
  const { value, error } = await answer;
  if (error !== undefined) throw new Error(error);
  return value;
}

/** Runs one job in a worker of its own. */
async function inWorker(name: Job["name"], argument: unknown): Promise<unknown> {
  const worker = newWorker();
  try {
    return await ask(worker, { name, argument });
  } finally {
    worker.terminate();
  }
}

/** Runs a job that downloads; `window.sinkWorker` may be terminated meanwhile. Gives a failure's code or the result. */
async function inWorkerDownloading(name: Job["name"], argument: unknown): Promise<unknown> {
  const worker = newWorker();
  window.sinkWorker = worker;
  return await ask(worker, { name, argument, port: await startDownload() });
}

/** The bytes of a download in memory, as the page would save them; null when there are none. */
async function blobBytes(each: SinkCase): Promise<{ failure: string | null; name: string; bytes: string } | null> {
  const { failure, file: made } = (await inWorker("blob", each)) as { failure: string | null; file: File | null };
  if (made === null) return failure === null ? null : { failure, name: "", bytes: "" };
  return { failure, name: made.name, bytes: new Uint8Array(await made.arrayBuffer()).toBase64() };
}

/** Receives two files into a folder that holds things of these names already. */
function intoUsedFolder(): Promise<unknown> {
  return withFolder(async (folder) => {
    const mine = await (await folder.getFileHandle("a.txt", { create: true })).createWritable();
    await mine.write("mine");
    await mine.close();
    await folder.getDirectoryHandle("b", { create: true });
    await folder.getFileHandle("c", { create: true });
    const abandoned = await folder.getDirectoryHandle(".warp-partial", { create: true });
    await (await abandoned.getDirectoryHandle("dead", { create: true })).getFileHandle("1", { create: true });
    const renamed: string[] = [];
    const sink = createDirectorySink(folder, { onRename: (path, actual) => void renamed.push(`${path} > ${actual}`) });
    await sink.begin({ entries: [], closed: false, totalBytes: 0, title: "" });
    for (const path of ["a.txt", "b", "c/d", "c/e", ".warp-partial/x"]) {
      const writer = await sink.openFile(file(path, 1));
      await writer.write(new Uint8Array(1));
      await writer.close();
    }
    await sink.finish();
    const arrived = await walk(folder);
    const kept = await (await (await folder.getFileHandle("a.txt")).getFile()).text();
    return { renamed: renamed.sort(), paths: arrived.map(({ path }) => path).sort(), kept };
  });
}

/** Receives until the step at which it is to be killed; null when it was, else what it tells of the whole run. */
async function keepAndKill(argument: KeepArgument): Promise<KeepResult | null> {
  const worker = newWorker();
  const { port1, port2 } = new MessageChannel();
  const there = new Promise<null>((resolve) => {
    port1.onmessage = () => resolve(null);
  });
  try {
    const result = ask(worker, { name: "keep", argument, port: port2 }) as Promise<KeepResult>;
    return await Promise.race([there, result]);
  } finally {
    worker.terminate();
  }
}

/** Everything that is seen in a folder of the private file system but what is kept aside. */
async function seen(name: string): Promise<readonly Arrived[]> {
  const own = await navigator.storage.getDirectory();
  const all = await walk(await own.getDirectoryHandle(name, { create: true }));
  return all.filter(({ path }) => !path.startsWith(".warp-partial"));
}

/** Writes, or with null removes, a file in a folder of the private file system, as someone else does. */
async function meddle(name: string, path: string, text: string | null): Promise<void> {
  const own = await navigator.storage.getDirectory();
  let folder = await own.getDirectoryHandle(name, { create: true });
  const [file = "", ...parents] = path.split("/").reverse();
  for (const parent of parents.reverse()) folder = await folder.getDirectoryHandle(parent, { create: true });
  if (text === null) {
    await folder.removeEntry(file);
    return;
  }
  const writable = await (await folder.getFileHandle(file, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

/** The code of what opening a file under `path` throws. */
function codeOfPath(path: string): Promise<string> {
  return withFolder(async (folder) => {
    const sink = createDirectorySink(folder);
    await sink.begin({ entries: [], closed: false, totalBytes: 0, title: "" });
    try {
      await (await sink.openFile(file(path, 0))).close();
      await sink.finish();
      return "accepted";
    } catch (error) {
      if (error instanceof Failure) await sink.abort("path/rejected");
      return codeOf(error);
    }
  });
}

const SINKS = {
  inWorker,
  inWorkerDownloading,
  blobBytes,
  runDirectory,
  intoUsedFolder,
  keepAndKill,
  seen,
  meddle,
  codeOfPath,
  probeSinks,
  startDownload,
};

declare global {
  interface Window {
    sinks: typeof SINKS;
    sinkWorker: Worker;
  }
  interface Uint8Array {
    toBase64(): string;
  }
}

window.sinks = SINKS;
