/**
 * Reading zip archives with a reader that shares no code with the writer.
 *
 * @module
 */
import { type Entry, fromBuffer, open, type ZipFile } from "yauzl";

export interface ZippedEntry {
  readonly kind: "file" | "directory";
  /** Without the slash that ends a folder's name. */
  readonly path: string;
  readonly mtime: Date;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const OPTIONS = { lazyEntries: true, strictFileNames: true, validateEntrySizes: true } as const;

/** Every entry of an archive in memory; throws where sizes, checksums or names do not hold. */
export async function readZip(bytes: Uint8Array): Promise<ZippedEntry[]> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    fromBuffer(Buffer.from(bytes), OPTIONS, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const entries: ZippedEntry[] = [];
  await eachEntry(zip, async (entry) => {
    const isFolder = entry.fileName.endsWith("/");
    entries.push({
      kind: isFolder ? "directory" : "file",
      path: isFolder ? entry.fileName.slice(0, -1) : entry.fileName,
      mtime: entry.getLastModDate(),
      bytes: isFolder ? new Uint8Array() : await readAll(zip, entry),
    });
  });
  return entries;
}

/** One line of an archive's index. */
export interface ListedEntry {
  readonly name: string;
  readonly size: number;
  readonly crc32: number;
}

/** The index of an archive on disk. */
export async function listZip(path: string): Promise<ListedEntry[]> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    open(path, OPTIONS, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const listed: ListedEntry[] = [];
  await eachEntry(zip, async ({ fileName, uncompressedSize, crc32 }) => {
    listed.push({ name: fileName, size: uncompressedSize, crc32 });
  });
  return listed;
}

function eachEntry(zip: ZipFile, visit: (entry: Entry) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    zip.on("error", reject);
    zip.on("end", resolve);
    zip.on("entry", (entry: Entry) => {
      visit(entry).then(() => zip.readEntry(), reject);
    });
    zip.readEntry();
  });
}

function readAll(zip: ZipFile, entry: Entry): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(error);
      const read: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => void read.push(chunk));
      stream.on("error", reject);
      stream.on("end", () => resolve(new Uint8Array(Buffer.concat(read))));
    });
  });
}
