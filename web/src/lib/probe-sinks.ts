/**
 * Which ways of receiving this browser really has, found by trying them, in order of preference, with the reason for
 * each one that is missing.
 *
 * @module
 */
import type { SinkKind } from "../../../core/ports/sink.ts";
import { MIB } from "../../../core/units.ts";
import { controllingServiceWorker } from "./service-worker-client.ts";

/** What `sink-select` offers. */
export type SinkChoice = SinkKind;

/** Why a way is missing or limited; a word for the page's messages. */
export type SinkMissing =
  | "no-directory-picker"
  | "no-service-worker"
  | "no-streaming"
  | "no-private-files"
  | "insecure-context";

export interface SinkOption {
  readonly kind: SinkChoice;
  readonly available: boolean;
  /** Why it is not available; for an available download, why it goes through memory and is limited. */
  readonly missing?: SinkMissing;
  /** Most bytes that it takes, where that is known. */
  readonly limitBytes?: number;
}

export interface ProbedSinks {
  /** Every way: the available ones first, the preferred one at the top. */
  readonly options: readonly SinkOption[];
  /** True when a download streams to the disk; else it goes through memory, the worker's `blob` sink. */
  readonly streams: boolean;
}

/** Most bytes of a download in memory, as the sink enforces it. */
const BLOB_LIMIT_BYTES = 256 * MIB;

/**
 * Tries everything, in at most a few seconds; never throws. For one file the download is preferred, for several a
 * folder, which needs no unpacking; a download through memory comes after the private file system.
 */
export async function probeSinks(files: "one" | "several"): Promise<ProbedSinks> {
  const [noStream, hidden] = await Promise.all([probeStream(), probePrivate()]);
  const streams = noStream === undefined;
  const noDirectory = probeDirectory();
  const directory: SinkOption = { kind: "directory", available: noDirectory === undefined, ...reason(noDirectory) };
  const download: SinkOption = {
    kind: "download",
    available: true,
    ...reason(noStream),
    ...(streams ? {} : { limitBytes: BLOB_LIMIT_BYTES }),
  };
  const order = files === "one" ? [download, directory, hidden] : [directory, download, hidden];
  const rank = (option: SinkOption): number => (option.available ? 0 : 2) + (option === download && !streams ? 1 : 0);
  return { options: order.toSorted((a, b) => rank(a) - rank(b)), streams };
}

/** Asks the browser to keep what is in the private file system; only a page may ask. Never throws. */
export async function askToPersist(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}

function reason(missing: SinkMissing | undefined): { missing?: SinkMissing } {
  return missing === undefined ? {} : { missing };
}

function probeDirectory(): SinkMissing | undefined {
  if (!isSecureContext) return "insecure-context";
  return "showDirectoryPicker" in globalThis ? undefined : "no-directory-picker";
}

async function probeStream(): Promise<SinkMissing | undefined> {
  if (!isSecureContext) return "insecure-context";
  try {
    await controllingServiceWorker();
  } catch {
    return "no-service-worker";
  }
  try {
    const response = await fetch("/download/probe", { cache: "no-store", signal: AbortSignal.timeout(3_000) });
    return (await response.text()) === "warp portal" ? undefined : "no-streaming";
  } catch {
    return "no-streaming";
  }
}

async function probePrivate(): Promise<SinkOption> {
  if (!isSecureContext) return { kind: "private", available: false, missing: "insecure-context" };
  try {
    // Present in name only in some private windows, so a file is made.
    const root = await navigator.storage.getDirectory();
    const name = `probe-${crypto.randomUUID()}`;
    await root.getFileHandle(name, { create: true });
    await root.removeEntry(name);
    const { quota, usage = 0 } = await navigator.storage.estimate();
    const space = quota === undefined ? {} : { limitBytes: Math.max(0, quota - usage) };
    return { kind: "private", available: true, ...space };
  } catch {
    return { kind: "private", available: false, missing: "no-private-files" };
  }
}
