/**
 * One send in the transfer worker: a portal is created, or taken up again from its journal; what is to be sent is gathered;
 * core's sender runs over a lane.
 *
 * @module
 */
import type { Conditions } from "../../core/edge/constraints.ts";
import { Failure, type FailureCode, toFailure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath } from "../../core/manifest/path.ts";
import { formatLink } from "../../core/seal/link.ts";
import { follow } from "../../core/transfer/follow.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import type { ScanStart } from "../../core/transfer/scan.ts";
import { Sender } from "../../core/transfer/sender.ts";
import { PACK_PAYLOAD_BYTES } from "../../core/units.ts";
import { systemClock } from "../../platform/clock.ts";
import type { JournalNote, OpenJournal } from "../../platform/journal/journals.ts";
import type { PageBroker } from "../../platform/webrtc/page-broker.ts";
import { LaneClient } from "../lane/client.ts";
import { layAhead } from "./ahead.ts";
import type { ResumeOptions, SendItem, SendOptions } from "./api.ts";
import { KeptFiles } from "./kept-files.ts";
import { Peers } from "./peers.ts";
import { deletePortal } from "./portal.ts";
import { SendRelays } from "./send-relays.ts";
import { type SendStart, startKept, startNew } from "./send-start.ts";
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

export class Send {
  readonly #start: SendStart;
  readonly #progress: Progress;
  readonly #onChange: () => void;
  readonly #lane: LaneClient;
  readonly #items: SendItem[] = [];
  readonly #entries: Entry[];
  readonly #files: KeptFiles;
  readonly #relays: SendRelays;
  readonly #peers: Peers;
  /** Where the portal may live beside home. */
  #further: readonly string[];
  #sender: Sender | undefined;
  readonly #stop = new AbortController();
  #noteTimer: ReturnType<typeof setInterval> | undefined;

  private constructor(start: SendStart, progress: Progress, onChange: () => void, conditions: () => Conditions) {
    this.#start = start;
    this.#progress = progress;
    this.#onChange = onChange;
    this.#entries = [...(start.kept ?? [])];
    this.#files = new KeptFiles(this.#entries);
    const { portal, relayOrigin: origin, info, options, journal, further } = start;
    const { ownerToken, lease } = portal;
    this.#further = further.further;
    progress.expiresAtMs = portal.expiresAtMs;
    const wish = { work: "send", override: options.overrides.engine, figures: options.figures } as const;
    this.#lane = new LaneClient(wish, (status) => {
      progress.engine = status;
    });
    // It connects while the list of files is still on its way here.
    this.#relays = new SendRelays({
      ...further,
      portal: portal.link.portal,
      home: { origin, info, ownerToken, lease },
      mode: info.relays.mode,
      isKept: journal.then((open) => open !== undefined),
      path: options.overrides.path,
      policy: options.overrides.policy,
      conditions,
      onChange: () => this.#onLinkChange(),
      onLost: (kind, index) => this.#sender?.lost(kind, index),
      onWider: (packs) => this.#sender?.widen(packs),
      onSignal: (from, body) => this.#peers.signalled(from, body),
    });
    progress.edges = this.#relays.edges;
    void this.#relays.used.then((used) => this.#onUsed(used));
    this.#peers = new Peers({
      portal: portal.link.portal,
      keys: portal.keys,
      link: this.#relays.home,
      broker: start.broker,
      isWanted: options.overrides.peers !== false,
      isLimited: start.isLimited,
      isPaused: () => progress.paused,
    });
    void journal.then((open) => open?.lost.then(() => this.#finish(new Failure("transfer/elsewhere"))));
  }

  /** Creates the portal. @throws Failure */
  static async start(
    options: SendOptions,
    progress: Progress,
    onChange: () => void,
    broker: PageBroker | undefined,
    conditions: () => Conditions,
  ): Promise<Send> {
    return new Send(await startNew(options, broker), progress, onChange, conditions);
  }

  /** Takes up an interrupted send; `add` gives its items again. @throws Failure */
  static async resume(
    id: string,
    options: ResumeOptions,
    progress: Progress,
    onChange: () => void,
    broker: PageBroker | undefined,
    conditions: () => Conditions,
  ): Promise<Send> {
    return new Send(await startKept(id, options, progress, broker), progress, onChange, conditions);
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
    this.#relays.setEnd(Math.ceil(progress.bytesTotal / PACK_PAYLOAD_BYTES));
    this.#start.remembered.tell(titleOf(this.#entries), progress, true);
    this.#run().then(
      () => this.#finish("done"),
      (error: unknown) => this.#finish(toFailure(error, "engine/failed")),
    );
  }

  pause(): void {
    this.#sender?.gate.shut();
    this.#peers.changed();
  }
  resume(): void {
    this.#sender?.gate.open();
    this.#peers.changed();
  }

  /** Somebody asks for a new plan. */
  replan(): void {
    this.#relays.replan();
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
    if (resume) await this.#relays.used; // what a relay holds need not be made again
    const sender = new Sender({
      portal: portal.link.portal,
      keys: portal.keys,
      link: this.#relays.link,
      inFlightPacks: this.#relays.inFlightPacks,
      entries: this.#entries,
      source: this.#lane,
      progress,
      clock: systemClock,
      onSealed: (object) => this.#peers.shelf.put(object),
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
    if (journal !== undefined) layAhead(sender, this.#peers, progress, this.#stop.signal);
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
      follow(this.#progress, this.#relays.link);
      this.#progress.wireBytes = this.#relays.link.objectBytes;
      this.#progress.peers = this.#relays.receivers;
      this.#peers.changed();
    }
    const { status } = this.#relays.link;
    // No further try: one that is paused, or has nothing under way, would not hear of it otherwise.
    if (status.failure !== null && status.nextTryAtMs === null) void this.#finish(new Failure(status.failure));
    this.#onChange();
  }

  /** A portal that was just made lives at those further relays that took it. */
  #onUsed(used: readonly string[]): void {
    const { kept, further, remembered } = this.#start;
    if (this.#progress.ended || kept !== undefined || used.length === further.further.length) return;
    this.#further = used;
    remembered.change({ relays: used });
  }

  /** A portal that will never be complete is ended, so that receivers do not wait for it. */
  async #finish(outcome: "done" | Failure): Promise<void> {
    if (this.#progress.ended) return;
    this.#progress.end(outcome);
    this.#stop.abort();
    this.#peers.close();
    this.#relays.close();
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
      const { remembered, relayOrigin, portal } = this.#start;
      remembered.change({ ended: isGone ? "unknown" : "owner" });
      await this.#relays.used;
      remembered.change({ relays: await deletePortal(relayOrigin, this.#further, portal) });
    }
    await this.#start.remembered.settle();
  }
}

function toEntry({ path, file }: SendItem): Entry {
  checkPath(path);
  if (file === null) return { kind: "directory", path, size: 0, mtimeMs: 0 };
  return { kind: "file", path, size: file.size, mtimeMs: Math.max(0, Math.trunc(file.lastModified)) };
}
