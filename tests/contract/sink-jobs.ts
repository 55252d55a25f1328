/**
 * Jobs of the sink tests that run in any thread of a browser.
 *
 * @module
 */
import type { Sink } from "../../core/ports/sink.ts";
import { createDirectorySink } from "../../platform/sinks/directory.ts";
import { file, type Outcome, type SinkCase } from "./sink-cases.ts";
import { drive, walk } from "./sink-driver.ts";

/** Runs `work` with a fresh folder of the private file system, which goes afterwards. */
export async function withFolder<T>(work: (folder: FileSystemDirectoryHandle) => Promise<T>): Promise<T> {
  const root = await navigator.storage.getDirectory();
  const name = `test-${crypto.randomUUID()}`;
  try {
    return await work(await root.getDirectoryHandle(name, { create: true }));
  } finally {
    await root.removeEntry(name, { recursive: true });
  }
}

export function runDirectory(each: SinkCase): Promise<Outcome> {
  return withFolder(async (folder) => {
    const renamed: (readonly [string, string])[] = [];
    const sink = createDirectorySink(folder, { onRename: (path, actual) => void renamed.push([path, actual]) });
    const failure = await drive(sink, each);
    return { failure, arrived: await walk(folder), renamed };
  });
}

/** Milliseconds that `count` files of 100 bytes take, in folders of 1000. */
export function measureSmallFiles(count: number): Promise<number> {
  return withFolder(async (folder) => {
    const sink = createDirectorySink(folder);
    const start = performance.now();
    await sink.begin({ entries: [], closed: false, totalBytes: 0, title: "" });
    for (let index = 0; index < count; index += 1) {
      const writer = await sink.openFile(file(`folder ${Math.floor(index / 1000)}/${index}.txt`, 100));
      await writer.write(new Uint8Array(100).fill(index));
      await writer.close();
    }
    await sink.finish();
    return performance.now() - start;
  });
}

/** Writes files of `sizes` bytes of zeros under the names `0`, `1`, …; gives the milliseconds it took. */
export async function fillStream(sink: Sink, sizes: readonly number[]): Promise<number> {
  const start = performance.now();
  const entries = sizes.map((size, index) => file(`files/${index}`, size));
  await sink.begin({ entries, closed: true, totalBytes: 0, title: "Filled" });
  const slice = 1024 * 1024;
  for (const entry of entries) {
    const writer = await sink.openFile(entry);
    for (let at = 0; at < entry.size; at += slice) await writer.write(new Uint8Array(Math.min(slice, entry.size - at)));
    await writer.close();
  }
  await sink.finish();
  return performance.now() - start;
}
