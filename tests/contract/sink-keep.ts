/**
 * Receives into a directory sink with a real journal, as core's receiver does, until it ends or its worker is killed.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { KeptReceive } from "../../core/transfer/kept-receive.ts";
import { systemClock } from "../../platform/clock.ts";
import { createJournal, listJournals, openJournal } from "../../platform/journal/journals.ts";
import { createDirectorySink, discardDirectory } from "../../platform/sinks/directory.ts";
import { type CaseEntry, caseBytes, file, folder } from "./sink-cases.ts";
import { codeOf } from "./sink-driver.ts";

/** What the target is: in the private file system, or taken for a picked folder. */
export type KeptTarget =
  | "own"
  | "picked"
  | "picked, with moves"
  | "picked, without sync access"
  | "picked, with little room for staging";

export interface KeepArgument {
  readonly target: KeptTarget;
  /** Name of the folder in the private file system, and of the receive. */
  readonly folder: string;
  readonly resume: boolean;
  /** Where it waits forever, to be killed there: a step, or so many bytes of the large file; null for going to the end. */
  readonly killAt: number | { readonly largeBytes: number } | null;
}

export interface KeepResult {
  /** Entries that were there, and bytes of others. */
  readonly placed: readonly number[];
  readonly bytes: readonly (readonly [number, number])[];
  readonly written: number;
  readonly renamed: readonly string[];
}

const MIB = 1024 * 1024;
const SLICE_BYTES = 4 * MIB;

const LARGE = file("large.bin", 57 * MIB + 11);

/** Small ones, two that are larger than any buffer, and one that is staged for a picked folder. */
export const KEPT_ENTRIES: readonly CaseEntry[] = [
  ...Array.from({ length: 24 }, (_, index) => file(`small/${index}`, index * 9_001)),
  folder("empty"),
  file("middle.bin", 5 * MIB + 3),
  LARGE,
  file("other.bin", 2 * MIB),
  ...Array.from({ length: 24 }, (_, index) => file(`more/${index}`, index * 30_001)),
];

/** Receives everything; where it is to be killed it calls `onThere` and never resolves. */
export async function keep(
  { target, folder: name, resume, killAt }: KeepArgument,
  onThere: () => void,
): Promise<KeepResult> {
  pretend(target);
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
  let steps = 0;
  const die = () => {
    onThere();
    return new Promise(() => {});
  };
  const step = async () => {
    steps += 1;
    if (typeof killAt === "number" && steps >= killAt) await die();
  };
  const journal = resume ? await openJournal("receive", name, true) : await begin(name);
  const stepped = {
    append: async (record: Uint8Array<ArrayBuffer>) => {
      await step();
      await journal.append(record);
      await step();
    },
    records: () => journal.records(),
  };
  const renamed: string[] = [];
  const sink = createDirectorySink(root, { id: name, onRename: (path, actual) => renamed.push(`${path} > ${actual}`) });
  const kept = KeptReceive.over(
    sink,
    { journal: stepped, resume, onTrouble: (error) => renamed.push(codeOf(error)) },
    systemClock,
  );
  if (kept === undefined) throw new Error("the sink cannot be continued");
  await kept.begin({ entries: KEPT_ENTRIES, closed: true, totalBytes: 0, title: "" });
  const numbers = [...KEPT_ENTRIES.keys()];
  const placed = numbers.filter((number) => kept.isPlaced(number));
  const bytes = numbers.filter((number) => kept.bytesOf(number) > 0).map((n) => [n, kept.bytesOf(n)] as const);
  let written = 0;
  for (const [number, entry] of KEPT_ENTRIES.entries()) {
    if (kept.isPlaced(number)) continue;
    await step();
    if (entry.kind === "directory") {
      await sink.createDirectory(entry);
      continue;
    }
    const from = kept.bytesOf(number);
    const writer = await sink.openFile(entry, { number, bytes: from });
    for (let at = from; at < entry.size; at += SLICE_BYTES) {
      const slice = Math.min(SLICE_BYTES, entry.size - at);
      await writer.write(caseBytes(entry.path, at, slice));
      written += slice;
      await kept.wrote(number, slice);
      if (typeof killAt === "object" && entry === LARGE && at >= (killAt?.largeBytes ?? entry.size)) await die();
      await step();
    }
    await writer.close();
    await step();
  }
  await sink.finish();
  await journal.remove();
  return { placed, bytes, written, renamed: renamed.toSorted() };
}

/** Ends what a killed one left aside. Gives the names that are left at the top of the private file system, and of journals. */
export async function discardKept(name: string): Promise<readonly string[]> {
  const own = await navigator.storage.getDirectory();
  await discardDirectory(await own.getDirectoryHandle(name), name);
  const left: string[] = [];
  for await (const each of own.keys()) left.push(each);
  return [...left, ...(await listJournals()).map(({ head }) => head.portal)];
}

function begin(portal: string) {
  const note = { link: "", title: "", bytesDone: 0, bytesTotal: 0, entriesTotal: 0, expiresAtMs: null, sink: null };
  const head = { kind: "receive" as const, portal, relayOrigin: "", relays: [], startedAtMs: 0, keys: {}, handles: [] };
  return createJournal(head, note);
}

/** The private file system stands in for the folders that people pick: no test can pick one. */
function pretend(target: KeptTarget): void {
  if (target === "own") return;
  FileSystemDirectoryHandle.prototype.resolve = async () => null;
  if (target !== "picked, with moves") Reflect.deleteProperty(FileSystemFileHandle.prototype, "move");
  if (target === "picked, without sync access")
    Reflect.deleteProperty(FileSystemFileHandle.prototype, "createSyncAccessHandle");
  if (target === "picked, with little room for staging") fillUp();
  if ("move" in FileSystemFileHandle.prototype !== (target === "picked, with moves")) throw new Failure("sink/failed");
}

/** The private file system takes no more than the first 24 MiB of a staged file. */
function fillUp(): void {
  const { prototype } = FileSystemSyncAccessHandle;
  const { write } = prototype;
  prototype.write = function (bytes, options) {
    if ((options?.at ?? 0) >= 24 * MIB) throw new DOMException("no room", "QuotaExceededError");
    return write.call(this, bytes, options);
  };
}
