/**
 * The receive page: a link is opened, unlocked where it must be, listed, and received into a sink.
 *
 * The link keeps its fragment in the address bar: a reload must find the portal again, and nothing else in this release
 * remembers its secret. It goes to the worker and nowhere else.
 *
 * @module
 */
import { toFailure } from "../../../core/failure.ts";
import type { Entry, Overrides, SinkRequest } from "../../../workers/transfer/api.ts";
import { startDownload } from "../lib/download.ts";
import { rememberedFigures } from "../lib/engine-figures.ts";
import { formatEntries, nameOf } from "../lib/format.ts";
import { pickDirectory } from "../lib/pick-directory.ts";
import { askToPersist, type SinkChoice } from "../lib/probe-sinks.ts";
import { saveFile } from "../lib/save-file.ts";
import { Transfer } from "./transfer.svelte.ts";

export type ReceivePhase = "opening" | "locked" | "unlocking" | "ready" | "receiving";

/** Entries asked for at once while the list is read from the worker. */
const ENTRIES_AT_ONCE = 4096;

export class Receiving {
  readonly #link: string;
  readonly #relayOrigin: string;
  readonly #overrides: Overrides;
  readonly transfer: Transfer;
  #phase = $state<ReceivePhase>("opening");
  #entries = $state.raw<readonly Entry[]>([]);
  #isWrongPassword = $state(false);
  #received = $state<SinkRequest["kind"] | null>(null);
  #isListing = false;
  readonly #folderCount = $derived(this.#entries.reduce((sum, { kind }) => sum + (kind === "directory" ? 1 : 0), 0));

  constructor(link: string, relayOrigin: string, overrides: Overrides) {
    this.#link = link;
    this.#relayOrigin = relayOrigin;
    this.#overrides = overrides;
    this.transfer = new Transfer("receive", () => void this.#list());
  }

  get phase(): ReceivePhase {
    return this.#phase;
  }

  /** Everything listed so far, in the manifest's order. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** "12 files and 1 empty folder". */
  get countText(): string {
    return formatEntries(this.#entries.length - this.#folderCount, this.#folderCount);
  }

  get isWrongPassword(): boolean {
    return this.#isWrongPassword;
  }

  /** The sink that was received into, or is being received into. */
  get received(): SinkRequest["kind"] | null {
    return this.#received;
  }

  /** True when all is listed and it is one file, which is saved as itself and not in an archive. */
  get isSingleFile(): boolean {
    return this.transfer.snapshot.listed && this.#entries.length === 1 && this.#entries[0]?.kind === "file";
  }

  /** True when there is something to receive: entries, or the certainty that the portal is empty. */
  get isReadable(): boolean {
    return this.transfer.snapshot.listed || this.#entries.length > 0;
  }

  /** Connects. Failures end in `transfer.failure`. */
  async open(): Promise<void> {
    try {
      const { passwordNeeded } = await this.transfer.api.open(
        this.#link,
        this.#relayOrigin,
        this.#overrides,
        rememberedFigures(),
      );
      this.#phase = passwordNeeded ? "locked" : "ready";
    } catch (error) {
      this.transfer.refuse(error);
    }
  }

  /** Tries a password; a wrong one may be tried again. */
  async unlock(password: string): Promise<void> {
    this.#phase = "unlocking";
    this.#isWrongPassword = false;
    try {
      await this.transfer.api.unlock(password);
      this.#phase = "ready";
    } catch (error) {
      this.#phase = "locked";
      if (toFailure(error, "worker/crashed").code === "password/wrong") this.#isWrongPassword = true;
      else this.transfer.refuse(error);
    }
  }

  /** Starts receiving. Must be called from a click: a folder can be picked only there. */
  async receive(choice: SinkChoice, isStreamed: boolean): Promise<void> {
    let sink: SinkRequest;
    try {
      sink = await openSink(choice, isStreamed);
    } catch (error) {
      // Closing the folder picker is a choice, not a failure.
      if (error instanceof DOMException && error.name === "AbortError") return;
      this.transfer.refuse(toFailure(error, "sink/denied"));
      return;
    }
    this.#received = sink.kind;
    this.#phase = "receiving";
    try {
      await this.transfer.api.receive(sink);
      if (sink.kind === "blob") {
        const file = await this.transfer.api.blob();
        saveFile(file, file.name);
      }
    } catch (error) {
      this.transfer.refuse(error);
    }
  }

  /** Saves one file out of the private file system. @throws Failure */
  async exportFile(path: string): Promise<void> {
    saveFile(await this.transfer.api.exportFile(path), nameOf(path));
  }

  /** Saves everything out of the private file system as one zip. @throws Failure */
  async exportArchive(): Promise<void> {
    await this.transfer.api.exportArchive(await startDownload());
  }

  [Symbol.dispose](): void {
    this.transfer[Symbol.dispose]();
  }

  /** Reads what the worker has listed since the last time. */
  async #list(): Promise<void> {
    if (this.#isListing) return;
    this.#isListing = true;
    try {
      while (this.#entries.length < this.transfer.snapshot.entriesTotal) {
        const from = this.#entries.length;
        const to = Math.min(from + ENTRIES_AT_ONCE, this.transfer.snapshot.entriesTotal);
        const more = await this.transfer.api.entries(from, to);
        if (more.length === 0) break;
        this.#entries = [...this.#entries, ...more];
      }
    } catch (error) {
      this.transfer.refuse(error);
    } finally {
      this.#isListing = false;
    }
  }
}

/** Asks for the place where the bytes go; a folder's permission is asked here too. */
async function openSink(choice: SinkChoice, isStreamed: boolean): Promise<SinkRequest> {
  if (choice === "directory") {
    return { kind: "directory", handle: await pickDirectory() };
  }
  if (choice === "private") {
    await askToPersist();
    return { kind: "private" };
  }
  return isStreamed ? { kind: "download", port: await startDownload() } : { kind: "blob" };
}
