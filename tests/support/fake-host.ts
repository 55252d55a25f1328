/**
 * What a host gives to core, in memory: files to send, and a sink that takes what it is given.
 *
 * @module
 */
import type { Entry } from "../../core/manifest/entry.ts";
import type { SourceEntry, SourceFile } from "../../core/ports/byte-source.ts";
import type { FileWriter, Sink, SinkPlan } from "../../core/ports/sink.ts";

/** A file in memory; counts what is read and not yet dropped by the reader. */
export function memoryFile(path: string, bytes: Uint8Array, mtimeMs = 1_700_000_000_000): SourceFile {
  return {
    kind: "file",
    path,
    size: bytes.length,
    mtimeMs,
    read: async (offset, length) => {
      await new Promise((resolve) => setImmediate(resolve));
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}

export function emptyFolder(path: string): SourceEntry {
  return { kind: "directory", path, size: 0, mtimeMs: 0 };
}

/** Keeps what has its final name apart from what has not. Takes buffers away from the writer, as a transfer does. */
export class MemorySink implements Sink {
  readonly kind = "private";
  readonly files = new Map<string, Uint8Array>();
  readonly folders: string[] = [];
  readonly entries: Entry[] = [];
  plan: SinkPlan | undefined;
  state: "idle" | "begun" | "finished" | "aborted" = "idle";
  abortCode = "";
  /** Files that were opened and neither closed nor aborted. */
  open = 0;
  writes = 0;
  /** Called before each write; a test may wait in it. */
  onWrite: (path: string) => Promise<void> = async () => {};

  async begin(plan: SinkPlan): Promise<void> {
    this.plan = plan;
    this.state = "begun";
  }

  async createDirectory(entry: Entry): Promise<void> {
    this.folders.push(entry.path);
    this.entries.push(entry);
  }

  async openFile(entry: Entry): Promise<FileWriter> {
    const slices: Uint8Array[] = [];
    this.open += 1;
    return {
      write: async (bytes) => {
        const taken = structuredClone(bytes, { transfer: [bytes.buffer] });
        this.writes += 1;
        await this.onWrite(entry.path);
        slices.push(taken);
      },
      close: async () => {
        this.open -= 1;
        this.files.set(entry.path, Buffer.concat(slices));
        this.entries.push(entry);
      },
      abort: async () => {
        this.open -= 1;
      },
    };
  }

  async finish(): Promise<void> {
    this.state = "finished";
  }

  async abort(code: string): Promise<void> {
    this.state = "aborted";
    this.abortCode = code;
  }
}
