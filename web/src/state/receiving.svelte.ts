/**
 * The receive page: a link is opened, unlocked where it must be, listed, and received into a sink.
 *
 * The link keeps its fragment in the address bar: a reload must find the portal again. It goes to the worker and nowhere
 * else; the worker keeps it for a resume, sealed.
 *
 * @module
 */
import { Failure, toFailure } from "../../../core/failure.ts";
import type { TransferSnapshot } from "../../../core/transfer/snapshot.ts";
import type { Entry, InterruptedTransfer, Overrides, SinkRequest } from "../../../workers/transfer/api.ts";
import { portalOf } from "../lib/address.ts";
import { startDownload } from "../lib/download.ts";
import { markDownload, unmarkDownload, wasDownloading } from "../lib/download-marker.ts";
import { rememberedFigures } from "../lib/engine-figures.ts";
import { formatEntries, nameOf } from "../lib/format.ts";
import { permitted, pickDirectory } from "../lib/handles.ts";
import { discardTransfer } from "../lib/journals.ts";
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
  #interrupted = $state.raw<InterruptedTransfer | null>(null);
  /** True when a download of this portal was cut off in this tab. */
  readonly wasDownloading: boolean;
  #isListing = false;
  readonly #folderCount = $derived(this.#entries.reduce((sum, { kind }) => sum + (kind === "directory" ? 1 : 0), 0));

  constructor(link: string, relayOrigin: string, overrides: Overrides) {
    this.#link = link;
    this.#relayOrigin = relayOrigin;
    this.#overrides = overrides;
    this.wasDownloading = wasDownloading(portalOf(link));
    this.transfer = new Transfer("receive", (snapshot) => {
      this.#follow(snapshot);
      void this.#list();
    });
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

  /** What an interrupted receive left, until another way is chosen. */
  get interrupted(): InterruptedTransfer | null {
    return this.#interrupted;
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
      const { passwordNeeded, interrupted } = await this.transfer.api.open(
        this.#link,
        this.#relayOrigin,
        this.#overrides,
        rememberedFigures(),
      );
      this.#interrupted = interrupted;
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
  receive(choice: SinkChoice, isStreamed: boolean): Promise<void> {
    return this.#receive(() => openSink(choice, isStreamed), false);
  }

  /**
   * Goes on with what was interrupted, or starts over in the same place. Must be called from a click: the browser may ask
   * whether the folder may be written to.
   */
  receiveAgain(resume: boolean): Promise<void> {
    return this.#receive(() => reopenSink(this.#interrupted), resume);
  }

  /** Leaves what was interrupted aside, for another way to save; it goes when that one starts. */
  chooseAnother(): void {
    this.#interrupted = null;
  }

  /** Forgets what was interrupted. What cannot be forgotten shows when the link is opened again. */
  async discard(): Promise<void> {
    await discardTransfer({ kind: "receive", portal: portalOf(this.#link) }).catch(() => {});
  }

  async #receive(open: () => Promise<SinkRequest>, resume: boolean): Promise<void> {
    let sink: SinkRequest;
    try {
      sink = await open();
    } catch (error) {
      // Closing the folder picker is a choice, not a failure.
      if (error instanceof DOMException && error.name === "AbortError") return;
      this.transfer.refuse(toFailure(error, "sink/denied"));
      return;
    }
    this.#received = sink.kind;
    this.#phase = "receiving";
    const portal = portalOf(this.#link);
    if (sink.kind === "download" || sink.kind === "blob") markDownload(portal);
    else unmarkDownload(portal);
    try {
      await this.transfer.api.receive(sink, resume);
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

  /** A download that came to its end, or was ended on purpose, was not interrupted. */
  #follow({ state }: TransferSnapshot): void {
    if (state === "done" || state === "cancelled") unmarkDownload(portalOf(this.#link));
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

/** The place of an interrupted receive. @throws Failure `sink/denied` */
async function reopenSink(interrupted: InterruptedTransfer | null): Promise<SinkRequest> {
  if (interrupted?.sink !== "directory") {
    await askToPersist();
    return { kind: "private" };
  }
  const [handle] = interrupted.handles;
  if (handle?.kind !== "directory") return { kind: "directory", handle: await pickDirectory() };
  if (!(await permitted([handle], "readwrite"))) throw new Failure("sink/denied");
  return { kind: "directory", handle: handle as FileSystemDirectoryHandle };
}
