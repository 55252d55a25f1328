/**
 * One send in the transfer worker: a portal is created, or taken up again from its journal; what is to be sent is gathered;
 * core's sender runs over a lane.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { Failure, type FailureCode, toFailure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath } from "../../core/manifest/path.ts";
import type { RelayInfo } from "../../core/portal/portal.ts";
import { formatLink } from "../../core/seal/link.ts";
import { follow } from "../../core/transfer/follow.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import type { ScanStart } from "../../core/transfer/scan.ts";
import { Sender } from "../../core/transfer/sender.ts";
import { readEntries } from "../../core/transfer/take-up.ts";
import { systemClock } from "../../platform/clock.ts";
import { createJournal, type JournalNote, type OpenJournal, openJournal } from "../../platform/journal/journals.ts";
import { createDial, relayInfo, webtransportAbsent } from "../../platform/link/dial.ts";
import { onNetworkChange } from "../../platform/link/wake.ts";
import { LaneClient } from "../lane/client.ts";
import type { ResumeOptions, SendItem, SendOptions } from "./api.ts";
import { KeptFiles } from "./kept-files.ts";
import { deletePortal, keptPortal, makePortal, type OwnedPortal } from "./portal.ts";
import { Remembered } from "./remembered.ts";
import { titleOf } from "./title.ts";

/** How often the journal's note, which is only for show, follows the progress. */
const NOTE_MS = 2_000;
/** Items that cross to a lane in one message. */
const ITEMS_AT_ONCE = 1_000;
/** After these nothing is left that a resume could finish. */
const FINAL: readonly FailureCode[] = [
  "portal/unknown",
  "portal/expired",
  "portal/full",
  "portal/closed",
  "object/conflict",
  "pack/unrepeatable",
  "journal/damaged",
  "manifest/limit",
  "path/rejected",
  "cancelled",
];

/** What a send begins with. */
interface Start {
  readonly portal: OwnedPortal;
  readonly relayOrigin: string;
  readonly info: RelayInfo;
  readonly options: Pick<SendOptions, "overrides" | "figures">;
  /** Undefined where the browser keeps nothing. */
  readonly journal: Promise<OpenJournal | undefined>;
  /** All entries of a send that is resumed; they are gathered otherwise. */
  readonly kept: readonly Entry[] | undefined;
  readonly remembered: Remembered;
}

export class Send {
  readonly #start: Start;
  readonly #progress: Progress;
  readonly #onChange: () => void;
  readonly #lane: LaneClient;
  readonly #items: SendItem[] = [];
  readonly #entries: Entry[];
  readonly #files: KeptFiles;
  readonly #steady: SteadyLink;
  #sender: Sender | undefined;
  #noteTimer: ReturnType<typeof setInterval> | undefined;

  private constructor(start: Start, progress: Progress, onChange: () => void) {
    this.#start = start;
    this.#progress = progress;
    this.#onChange = onChange;
    this.#entries = [...(start.kept ?? [])];
    this.#files = new KeptFiles(this.#entries);
    const { portal, relayOrigin, info, options, journal } = start;
    progress.expiresAtMs = portal.expiresAtMs;
    this.#lane = new LaneClient({ override: options.overrides.engine, figures: options.figures }, (status) => {
      progress.engine = status;
    });
    // It connects while the list of files is still on its way here.
    this.#steady = new SteadyLink({
      dial: createDial(relayOrigin, { portal: portal.link.portal, role: "send", token: portal.ownerToken }, info),
      clock: systemClock,
      forced: options.overrides.path,
      webtransportAbsent: webtransportAbsent(info),
      random: Math.random,
      wake: onNetworkChange,
      lease: portal.lease,
      onChange: () => this.#onLinkChange(),
      onLost: (kind, index) => this.#sender?.lost(kind, index),
    });
    void journal.then((open) => open?.lost.then(() => this.#finish(new Failure("transfer/elsewhere"))));
  }

  /** Creates the portal. @throws Failure */
  static async start(options: SendOptions, progress: Progress, onChange: () => void): Promise<Send> {
    const { relayOrigin } = options;
    const info = await relayInfo(relayOrigin);
    const { portal, record } = await makePortal(options, info);
    const begun = { journal: beginJournal(portal, options), remembered: Remembered.made(record) };
    return new Send({ portal, relayOrigin, info, options, kept: undefined, ...begun }, progress, onChange);
  }

  /** Takes up an interrupted send; `add` gives its items again. @throws Failure */
  static async resume(id: string, options: ResumeOptions, progress: Progress, onChange: () => void): Promise<Send> {
    const journal = await openJournal("send", id, options.takeOver);
    try {
      const { relayOrigin } = journal.head;
      const { entries, listed } = await readEntries(journal);
      if (!listed) throw new Failure("journal/absent");
      const portal = await keptPortal(journal);
      const info = await relayInfo(relayOrigin);
      progress.bytesTotal = entries.reduce((sum, { size }) => sum + size, 0);
      progress.bytesDone = journal.note.bytesDone;
      progress.entriesTotal = entries.length;
      progress.listed = true;
      const remembered = new Remembered(id);
      const start = {
        portal,
        relayOrigin,
        info,
        options,
        journal: Promise.resolve(journal),
        kept: entries,
        remembered,
      };
      return new Send(start, progress, onChange);
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Path and fragment of the share link. */
  get link(): string {
    return formatLink(this.#start.portal.link);
  }

  /** Takes more items, in order; the last ones start the transfer, and progress tells how it goes. @throws Failure */
  async add(items: readonly SendItem[], isLast: boolean): Promise<void> {
    const progress = this.#progress;
    if (progress.ended) return;
    try {
      for (const item of items) this.#items.push(item);
      this.#files.add(items);
      if (this.#start.kept === undefined) await this.#addNew(items, isLast);
    } catch (error) {
      void this.#finish(toFailure(error, "engine/failed"));
      throw error;
    }
    if (!isLast || progress.ended) return;
    progress.listed = true;
    this.#start.remembered.tell(titleOf(this.#entries), progress, true);
    this.#run().then(
      () => this.#finish("done"),
      (error: unknown) => this.#finish(toFailure(error, "engine/failed")),
    );
  }

  pause(): void {
    this.#sender?.gate.shut();
  }
  resume(): void {
    this.#sender?.gate.open();
  }

  /** BLAKE3-256 of an item, hexadecimal. @throws Failure `file/…` */
  hashFile(index: number): Promise<string> {
    const file = this.#items[index]?.file;
    if (!file) throw new Failure("file/unreadable");
    return this.#lane.hashFile(file);
  }

  /** Ends it; a portal that is not complete is deleted. */
  async cancel(): Promise<void> {
    const finished = this.#finish(new Failure("cancelled"));
    this.#sender?.gate.open();
    this.#lane.terminate();
    await finished;
  }

  async #addNew(items: readonly SendItem[], isLast: boolean): Promise<void> {
    for (const item of items) {
      const entry = toEntry(item);
      this.#entries.push(entry);
      this.#progress.bytesTotal += entry.size;
    }
    this.#progress.entriesTotal = this.#entries.length;
    await this.#lane.addItems(items, isLast);
  }

  async #run(): Promise<void> {
    const { portal, kept } = this.#start;
    const progress = this.#progress;
    const journal = await this.#start.journal;
    if (journal !== undefined) this.#keepNote(journal);
    const resume = kept && { begin: (start: ScanStart) => this.#beginAt(start) };
    const sender = new Sender({
      portal: portal.link.portal,
      keys: portal.keys,
      link: this.#steady,
      entries: this.#entries,
      source: this.#lane,
      progress,
      clock: systemClock,
      ...(journal && {
        journal: {
          journal,
          repeater: this.#files,
          onFailed: () => void journal.remove(),
          ...(resume && { resume }),
        },
      }),
    });
    this.#sender = sender;
    if (progress.paused) sender.gate.shut();
    await sender.run();
  }

  /** Gives the lane the files that are still to be read, and its place in them. */
  async #beginAt(start: ScanStart): Promise<void> {
    const items = this.#files.laneItems(start.entry);
    for (let from = 0; from < items.length; from += ITEMS_AT_ONCE)
      await this.#lane.addItems(items.slice(from, from + ITEMS_AT_ONCE), false);
    await this.#lane.begin(start, this.#progress.bytesTotal);
  }

  #keepNote(journal: OpenJournal): void {
    const tell = () => void journal.setNote(this.#note());
    tell();
    this.#noteTimer = setInterval(tell, NOTE_MS);
  }

  #note(): JournalNote {
    const { bytesDone, bytesTotal, entriesTotal, expiresAtMs } = this.#progress;
    const title = titleOf(this.#entries);
    return { link: this.link, title, bytesDone, bytesTotal, entriesTotal, expiresAtMs, sink: null };
  }

  #onLinkChange(): void {
    if (!this.#progress.ended) {
      follow(this.#progress, this.#steady);
      this.#progress.wireBytes = this.#steady.objectBytes;
      this.#progress.peers = this.#steady.state?.receivers ?? 0;
    }
    const { status } = this.#steady;
    // No further try: one that is paused, or has nothing under way, would not hear of it otherwise.
    if (status.failure !== null && status.nextTryAtMs === null) void this.#finish(new Failure(status.failure));
    this.#onChange();
  }

  /** A portal that will never be complete is ended, so that receivers do not wait for it. */
  async #finish(outcome: "done" | Failure): Promise<void> {
    if (this.#progress.ended) return;
    this.#progress.end(outcome);
    this.#steady.close();
    this.#files.terminate();
    clearInterval(this.#noteTimer);
    this.#onChange();
    const journal = await this.#start.journal;
    const isFinal = outcome !== "done" && FINAL.includes(outcome.code);
    if (outcome !== "done" && !isFinal && this.#progress.resumable && journal !== undefined) {
      await journal.setNote(this.#note());
      await journal.close();
      return;
    }
    await journal?.remove();
    if (outcome !== "done") {
      const isGone = outcome.code === "portal/unknown" || outcome.code === "portal/expired";
      this.#start.remembered.change({ ended: isGone ? "unknown" : "owner" });
      await deletePortal(this.#start.relayOrigin, this.#start.portal);
    }
    await this.#start.remembered.settle();
  }
}

/** A transfer that cannot be written down runs all the same. */
async function beginJournal(portal: OwnedPortal, options: SendOptions): Promise<OpenJournal | undefined> {
  const { link, keys, ownerKey, expiresAtMs } = portal;
  const head = {
    kind: "send" as const,
    portal: base64urlnopad.encode(link.portal),
    relayOrigin: options.relayOrigin,
    startedAtMs: Date.now(),
    keys: { pack: keys.pack, page: keys.page, owner: ownerKey },
    handles: options.handles,
  };
  const blank = { title: "", bytesDone: 0, bytesTotal: 0, entriesTotal: 0, expiresAtMs, sink: null };
  return createJournal(head, { ...blank, link: formatLink(link) }).catch(() => undefined);
}

function toEntry({ path, file }: SendItem): Entry {
  checkPath(path);
  if (file === null) return { kind: "directory", path, size: 0, mtimeMs: 0 };
  return { kind: "file", path, size: file.size, mtimeMs: Math.max(0, Math.trunc(file.lastModified)) };
}
