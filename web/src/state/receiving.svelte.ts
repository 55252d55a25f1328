/**
 * The receive page: a link is opened, unlocked where it must be, listed, and received into a sink.
 *
 * The link's fragment goes to the worker and nowhere else. It leaves the address bar as soon as this browser's list finds the
 * link again without it, so that a reload works; where nothing is remembered it stays.
 *
 * @module
 */
import { toFailure } from "../../../core/failure.ts";
import type { TransferSnapshot } from "../../../core/transfer/snapshot.ts";
import type { Entry, InterruptedTransfer, LinkPurpose, Overrides, SinkRequest } from "../../../workers/transfer/api.ts";
import { portalOf } from "../lib/address.ts";
import { startDownload } from "../lib/download.ts";
import { markDownload, unmarkDownload, wasDownloading } from "../lib/download-marker.ts";
import { rememberedFigures } from "../lib/engine-figures.ts";
import { formatEntries, nameOf } from "../lib/format.ts";
import { discardTransfer } from "../lib/journals.ts";
import { openSink, reopenSink } from "../lib/open-sink.ts";
import type { SinkChoice } from "../lib/probe-sinks.ts";
import { saveFile } from "../lib/save-file.ts";
import type { Portals } from "./portals.svelte.ts";
import type { Relay } from "./relay.svelte.ts";
import { Sending } from "./sending.svelte.ts";
import { Transfer } from "./transfer.svelte.ts";

export type ReceivePhase = "opening" | "locked" | "unlocking" | "ready" | "receiving";

/** Entries asked for at once while the list is read from the worker. */
const ENTRIES_AT_ONCE = 4096;

export class Receiving {
  #link = $state("");
  readonly #relay: Relay;
  readonly #portals: Portals;
  readonly #overrides: Overrides;
  readonly transfer: Transfer;
  #phase = $state<ReceivePhase>("opening");
  #entries = $state.raw<readonly Entry[]>([]);
  #isWrongPassword = $state(false);
  #received = $state<SinkRequest["kind"] | null>(null);
  #interrupted = $state.raw<InterruptedTransfer | null>(null);
  /** True when a download of this portal was cut off in this tab. */
  readonly wasDownloading: boolean;
  #purpose = $state.raw<LinkPurpose | null>(null);
  #handingIn = $state.raw<Sending | null>(null);
  #isFromList = $state(false);
  /** The one that unlocked the link; empty for none. */
  #password = "";
  #isListing = false;
  #isOver = false;
  readonly #folderCount = $derived(this.#entries.reduce((sum, { kind }) => sum + (kind === "directory" ? 1 : 0), 0));

  constructor(link: string, relay: Relay, portals: Portals, overrides: Overrides) {
    this.#link = link;
    this.#relay = relay;
    this.#portals = portals;
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

  /** What the link is for; null until it is open. */
  get purpose(): LinkPurpose | null {
    return this.#purpose;
  }

  /** Set where the link is for handing files in: how that goes. */
  get handingIn(): Sending | null {
    return this.#handingIn;
  }

  /** The transfer that the page is about; null while nothing is handed in yet. */
  get shown(): Transfer | null {
    return this.#handingIn === null ? this.transfer : this.#handingIn.transfer;
  }

  /** The whole link. */
  get link(): string {
    return this.#relay.origin + this.#link;
  }

  /** True when the address had no secret, and this browser's list had. */
  get isFromList(): boolean {
    return this.#isFromList;
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
      await this.#findLink();
      const { passwordNeeded, purpose, interrupted } = await this.transfer.api.open(
        this.#link,
        this.#relay.origin,
        this.#overrides,
        rememberedFigures(),
      );
      this.#interrupted = interrupted;
      if (passwordNeeded || purpose === null) this.#phase = "locked";
      else this.#take(purpose);
    } catch (error) {
      this.transfer.refuse(error);
    }
  }

  /** Tries a password; a wrong one may be tried again. */
  async unlock(password: string): Promise<void> {
    this.#phase = "unlocking";
    this.#isWrongPassword = false;
    try {
      const purpose = await this.transfer.api.unlock(password);
      this.#password = password;
      this.#take(purpose);
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

  /** Puts the portal of an admin link onto the list. Gives its id. @throws Failure */
  adopt(): Promise<string> {
    return this.#portals.api.adopt(this.#link, this.#password, this.#relay.origin);
  }

  #take(purpose: LinkPurpose): void {
    if (this.#isOver) return;
    this.#purpose = purpose;
    if (purpose.capability === "write") {
      const request = { link: this.#link, password: this.#password };
      this.#handingIn = new Sending(this.#relay, this.#overrides, request);
      void this.#relay.ask();
    }
    this.#phase = "ready";
    void this.#hideSecret();
  }

  /** An address without its secret: the list may have the link. Where it has none the worker says that the link is cut. */
  async #findLink(): Promise<void> {
    if (this.#link.includes("#")) return;
    const link = await this.#portals.api.linkOf(portalOf(this.#link)).catch(() => null);
    if (link === null) return;
    this.#link = link;
    this.#isFromList = true;
  }

  /** The link is remembered a moment after it was opened. */
  async #hideSecret(): Promise<void> {
    const look = async (): Promise<void> => {
      if (this.#isOver || location.hash === "") return;
      const kept = await this.#portals.api.linkOf(portalOf(this.#link)).catch(() => null);
      if (kept !== this.#link || location.pathname + location.hash !== this.#link) return;
      history.replaceState(history.state, "", location.pathname + location.search);
    };
    await this.#portals.api.subscribe(() => void look()).catch(() => {});
    await look();
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
    this.#isOver = true;
    this.#handingIn?.[Symbol.dispose]();
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
