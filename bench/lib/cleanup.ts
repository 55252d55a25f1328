/**
 * Everything that a bench starts or writes is undone when it ends, also when it fails or is interrupted: processes are
 * ended by their id, temporary folders removed.
 *
 * @module
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listProcesses, treeOf } from "./proc.ts";

const children = new Set<ChildProcess>();
const folders = new Set<string>();
/** Processes that something else started. */
const adopted = new Set<number>();
/** How long a process may take to end after SIGTERM. */
const TERM_MS = 3_000;

function endAllNow(): void {
  for (const pid of [...adopted, ...[...children].map((child) => child.pid ?? 0)]) killTree(pid, "SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

process.once("exit", endAllNow);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

function killTree(root: number, signal: NodeJS.Signals): void {
  if (root === 0) return;
  for (const pid of [root, ...treeOf([root], listProcesses()).map((each) => each.pid)]) {
    try {
      process.kill(pid, signal);
    } catch {
      // ended already
    }
  }
}

/** Sees to it that a process ends with the bench, until `release`. */
export function adoptProcess(pid: number): { release(): void } {
  adopted.add(pid);
  return { release: () => void adopted.delete(pid) };
}

/** Starts a process that ends with the bench at the latest. */
export function startProcess(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(program, args, options);
  children.add(child);
  child.once("exit", () => children.delete(child));
  child.once("error", () => children.delete(child));
  return child;
}

/** Ends a process and everything below it, gently first; resolves when it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => killTree(child.pid ?? 0, "SIGKILL"), TERM_MS);
  await gone;
  clearTimeout(timer);
}

/** A fresh temporary folder, under `parent` or where the system keeps them; removed at the end. */
export async function temporaryFolder(name: string, parent: string = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, `warp-bench-${name}-`));
  folders.add(folder);
  return folder;
}

/** Removes a temporary folder before the end. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  folders.delete(folder);
}
