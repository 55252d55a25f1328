/**
 * The dedicated worker of the sink tests: runs cases against the sinks that live in the transfer worker.
 *
 * @module
 */
import { createBlobSink } from "../../platform/sinks/blob.ts";
import { createDownloadSink } from "../../platform/sinks/download.ts";
import {
  createPrivateSink,
  exportPrivate,
  listPrivate,
  openPrivateFile,
  removePrivate,
} from "../../platform/sinks/private.ts";
import type { Outcome, SinkCase } from "./sink-cases.ts";
import { codeOf, drive, walk } from "./sink-driver.ts";
import { fillStream, measureSmallFiles, runDirectory } from "./sink-jobs.ts";
import { discardKept, type KeepArgument, keep } from "./sink-keep.ts";

/** What the page asks for; `port` for those that download. */
export interface Job {
  readonly name: keyof typeof JOBS;
  readonly argument?: unknown;
  readonly port?: MessagePort;
}

async function runPrivate(each: SinkCase): Promise<Outcome> {
  const name = crypto.randomUUID();
  const sink = createPrivateSink(name);
  const failure = await drive(sink, each);
  const received = await (await navigator.storage.getDirectory()).getDirectoryHandle("received");
  const arrived = await walk(await received.getDirectoryHandle(name));
  await removePrivate(name);
  if ((await listPrivate()).includes(name)) throw new Error("removePrivate removed nothing");
  return { failure, arrived, renamed: [] };
}

async function runBlob(each: SinkCase): Promise<{ failure: string | null; file: File | null }> {
  const sink = createBlobSink();
  const failure = await drive(sink, each);
  try {
    return { failure, file: sink.file() };
  } catch {
    return { failure, file: null };
  }
}

async function exportEverything(each: SinkCase, port: MessagePort): Promise<string | null> {
  const name = crypto.randomUUID();
  const sink = createPrivateSink(name);
  const failure = await drive(sink, each);
  const first = each.entries[0];
  if (first !== undefined) await openPrivateFile(name, first.path);
  const plan = { entries: each.entries, closed: true, totalBytes: 0, title: "Everything" };
  await exportPrivate(sink, plan, createDownloadSink(port));
  await removePrivate(name);
  return failure;
}

function need(port: MessagePort | undefined): MessagePort {
  if (port === undefined) throw new Error("this job needs a port");
  return port;
}

const JOBS = {
  directory: (job: Job) => runDirectory(job.argument as SinkCase),
  directoryWithoutMove: (job: Job) => {
    Reflect.deleteProperty(FileSystemFileHandle.prototype, "move");
    return runDirectory(job.argument as SinkCase);
  },
  private: (job: Job) => runPrivate(job.argument as SinkCase),
  blob: (job: Job) => runBlob(job.argument as SinkCase),
  download: (job: Job) => drive(createDownloadSink(need(job.port)), job.argument as SinkCase),
  exportEverything: (job: Job) => exportEverything(job.argument as SinkCase, need(job.port)),
  fillStream: (job: Job) => fillStream(createDownloadSink(need(job.port)), job.argument as number[]),
  keep: (job: Job) => keep(job.argument as KeepArgument, () => need(job.port).postMessage("there")),
  discardKept: (job: Job) => discardKept(job.argument as string),
  measureSmallFiles: (job: Job) => measureSmallFiles(job.argument as number),
};

self.onmessage = async ({ data, ports: [reply] }: MessageEvent<Job>) => {
  try {
    reply?.postMessage({ value: await JOBS[data.name](data) });
  } catch (error) {
    reply?.postMessage({ error: codeOf(error) });
  }
};
