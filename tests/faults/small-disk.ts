/**
 * A real file system that is soon full: a tmpfs, or an ext4 in a file. Both need the right to mount.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type DiskKind = "tmpfs" | "ext4";

export interface SmallDisk extends AsyncDisposable {
  /** An empty folder on it. */
  readonly folder: string;
  /** Takes what is free, but for so many bytes. */
  fill(leaveBytes?: number): Promise<void>;
  /** Gives back what `fill` took. */
  empty(): Promise<void>;
  freeBytes(): Promise<number>;
}

const BLOCK_BYTES = 4096;

/** The kinds that this machine lets us mount; asked once, by doing it. */
export function mountableDisks(): DiskKind[] {
  return (["tmpfs", "ext4"] as const).filter((kind) => {
    const folder = spawnSync("mktemp", ["-d"], { encoding: "utf8" }).stdout?.trim();
    if (!folder) return false;
    const isMounted = mount(kind, folder, 16 * 2 ** 20);
    if (isMounted) unmount(folder);
    spawnSync("rm", ["-rf", folder, `${folder}.image`]);
    return isMounted;
  });
}

/** Mounts a new disk; disposing unmounts it. @throws Error when mounting is not permitted */
export async function smallDisk(kind: DiskKind, bytes: number): Promise<SmallDisk> {
  const root = await mkdtemp(join(tmpdir(), "warp-disk-"));
  const point = join(root, "disk");
  await mkdir(point);
  if (!mount(kind, point, bytes)) throw new Error(`${kind} cannot be mounted`);
  const filler = join(point, "filler");
  const folder = join(point, "data");
  await mkdir(folder);
  const freeBytes = async () => {
    const { bfree, bsize } = await statfs(point);
    return bfree * bsize;
  };
  return {
    folder,
    freeBytes,
    async fill(leaveBytes = 0) {
      takeAll(filler, Math.max(0, (await freeBytes()) - leaveBytes), leaveBytes === 0);
    },
    empty: () => rm(filler, { force: true }),
    async [Symbol.asyncDispose]() {
      unmount(point);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Appends `bytes` to a file; `toTheEnd` goes on until nothing fits. */
function takeAll(path: string, bytes: number, toTheEnd: boolean): void {
  const file = openSync(path, "a");
  try {
    append(file, bytes, BLOCK_BYTES * 256);
    // A file system finds some more when it has written what it promised.
    while (toTheEnd && append(file, Number.POSITIVE_INFINITY, 512) > 0) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives how many bytes fitted. */
function append(file: number, bytes: number, atATime: number): number {
  const block = Buffer.alloc(atATime, 1);
  let written = 0;
  try {
    while (written < bytes) written += writeSync(file, block, 0, Math.min(block.length, bytes - written));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
  return written;
}

function mount(kind: DiskKind, point: string, bytes: number): boolean {
  if (kind === "tmpfs") return isDone("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", point]);
  const image = `${point}.image`;
  const file = openSync(image, "w");
  ftruncateSync(file, bytes);
  closeSync(file);
  // No blocks for root, who would not see the disk full.
  return (
    isDone("mkfs.ext4", ["-q", "-b", String(BLOCK_BYTES), "-m", "0", image]) &&
    isDone("mount", ["-o", "loop", image, point])
  );
}

function unmount(point: string): void {
  // Lazily, when a process still has a file open: the disk goes with the last one.
  if (!isDone("umount", [point])) isDone("umount", ["-l", point]);
}

function isDone(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
