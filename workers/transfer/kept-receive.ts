/**
 * What is kept of a receive in this browser, so that it can be continued: its journal, what the page is shown of it, and
 * what lies in its target.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import type { RelayHost } from "../../core/portal/client.ts";
import { releaseClaim } from "../../core/portal/release-claim.ts";
import type { Journal } from "../../core/ports/journal.ts";
import { relayToken } from "../../core/seal/keys.ts";
import { formatLink, type PortalLink, parseLink } from "../../core/seal/link.ts";
import { systemClock } from "../../platform/clock.ts";
import {
  createJournal,
  type JournalNote,
  type ListedJournal,
  listJournals,
  type OpenJournal,
  openJournal,
  removeJournal,
} from "../../platform/journal/journals.ts";
import { relayHost } from "../../platform/relay-host.ts";
import { discardDirectory } from "../../platform/sinks/directory.ts";
import { removePrivate } from "../../platform/sinks/private.ts";
import type { SinkRequest } from "./api.ts";
import type { Readable } from "./opening.ts";

/** How often the note for the page is written, at the most. */
const NOTE_MS = 2_000;

/** A relay that does not answer must not keep the page waiting. */
const RELEASE_LIMIT_MS = 3_000;

/** Where the sink of a kept receive stands among others. */
export interface SinkPlace {
  /** Undefined where nothing is kept. */
  readonly id: string | undefined;
  /** Receives whose unfinished files must stay. */
  readonly kept: ReadonlySet<string>;
}

/** What is kept of a portal's receive, or undefined; a browser that keeps nothing has nothing. Never throws. */
export async function findKept(link: PortalLink): Promise<ListedJournal | undefined> {
  const portal = base64urlnopad.encode(link.portal);
  const listed = await listJournals().catch(() => []);
  // Another link to the same portal has another secret, so its keys are others too.
  return listed.find(
    ({ head, note }) => head.kind === "receive" && head.portal === portal && note.link === formatLink(link),
  );
}

/** The keys in a journal. Undefined when they are not there. */
export function keptKeys({ head }: ListedJournal): Pick<Readable, "keys" | "auth"> | undefined {
  const { pack, page, signal, auth } = head.keys;
  if (pack === undefined || page === undefined || auth === undefined) return undefined;
  return { keys: { pack, page, ...(signal && { signal }) }, auth };
}

/** Forgets an interrupted receive and removes what it left unfinished. @throws Failure `transfer/elsewhere` */
export async function discardReceive(portal: string): Promise<void> {
  let journal: OpenJournal;
  try {
    journal = await openJournal("receive", portal, false);
  } catch (error) {
    if (error instanceof Failure && error.code === "transfer/elsewhere") throw error;
    await removeJournal("receive", portal);
    await discardDirectory(await navigator.storage.getDirectory(), portal);
    return;
  }
  await Promise.all([removeLeft(journal), release(journal)]);
}

/** Lets somebody else have its download, where downloads are counted; a relay that does not hear it waits for the claim to lapse. */
async function release({ head, note }: OpenJournal): Promise<void> {
  const { claim, relayOrigin, keys } = head;
  const isOver = note.expiresAtMs !== null && note.expiresAtMs < Date.now();
  if (claim === undefined || keys["auth"] === undefined || isOver) return;
  const link = parseLink(note.link);
  const token = await relayToken(keys["auth"], "link", relayOrigin, link.portal);
  const told = releaseClaim(relayHost(relayOrigin), link.portal, token, claim).catch(() => {});
  await Promise.race([told, systemClock.sleep(RELEASE_LIMIT_MS)]);
}

async function removeLeft(journal: OpenJournal): Promise<void> {
  const { portal, handles } = journal.head;
  const [handle] = handles;
  // What was received into the private file system can be reached from nowhere else.
  if (journal.note.sink === "private") await removePrivate(portal).catch(() => {});
  if (handle instanceof FileSystemDirectoryHandle) await discardDirectory(handle, portal);
  await journal.remove();
}

/** What a receive is written down as. */
export interface KeptHead extends Pick<Readable, "keys" | "auth"> {
  readonly link: PortalLink;
  readonly host: RelayHost;
  /** u8[16] */
  readonly claim: Uint8Array<ArrayBuffer>;
}

/** The journal of a running receive, with its note kept fresh. */
export class KeptJournal implements Journal {
  readonly #journal: OpenJournal;
  readonly #note: () => JournalNote;
  /** Continue what it says. */
  readonly resume: boolean;
  #notedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(journal: OpenJournal, resume: boolean, note: () => JournalNote) {
    this.#journal = journal;
    this.resume = resume;
    this.#note = note;
  }

  /**
   * Opens the journal of a receive into `request`, or begins one, for which what an earlier receive left is removed.
   * Undefined where nothing can be kept: another kind of sink, or a browser that keeps nothing.
   * @throws Failure `transfer/elsewhere`
   */
  static async open(
    { link, host, keys, auth, claim }: KeptHead,
    request: SinkRequest,
    resume: boolean,
    note: () => JournalNote,
  ): Promise<KeptJournal | undefined> {
    const portal = base64urlnopad.encode(link.portal);
    const resumed = resume ? await reopen(portal, request) : undefined;
    if (resumed !== undefined) return new KeptJournal(resumed, true, note);
    if ((await findKept(link)) !== undefined) await discardReceive(portal);
    if (request.kind !== "directory" && request.kind !== "private") return undefined;
    const head = {
      kind: "receive" as const,
      portal,
      relayOrigin: host.origin,
      relays: [],
      startedAtMs: Date.now(),
      keys: { ...keys, auth },
      handles: request.kind === "directory" ? [request.handle] : [],
      claim,
    };
    try {
      return new KeptJournal(await createJournal(head, note()), false, note);
    } catch (error) {
      if (error instanceof Failure && error.code === "journal/damaged") return undefined;
      throw error;
    }
  }

  async append(record: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#journal.append(record);
    const now = Date.now();
    if (Math.abs(now - this.#notedAtMs) < NOTE_MS) return;
    this.#notedAtMs = now;
    void this.#journal.setNote(this.#note());
  }

  records(): AsyncIterable<Uint8Array<ArrayBuffer>> {
    return this.#journal.records();
  }

  /** The download that all attempts of this receive are, u8[16]; undefined in a journal of an older version. */
  get claim(): Uint8Array<ArrayBuffer> | undefined {
    return this.#journal.head.claim;
  }

  /** Resolves when another tab continues this receive. */
  get lost(): Promise<void> {
    return this.#journal.lost;
  }

  /** Nothing is left to continue. */
  remove(): Promise<void> {
    return this.#journal.remove();
  }

  /** It can be continued. */
  async close(): Promise<void> {
    await this.#journal.setNote(this.#note());
    await this.#journal.close();
  }
}

/** Ids of all kept receives. */
export async function keptReceives(): Promise<ReadonlySet<string>> {
  const listed = await listJournals().catch(() => []);
  return new Set(listed.flatMap(({ head }) => (head.kind === "receive" ? head.portal : [])));
}

/** The journal of an interrupted receive into the same place, taken from a tab that still runs. One of another place goes. */
async function reopen(portal: string, request: SinkRequest): Promise<OpenJournal | undefined> {
  let journal: OpenJournal;
  try {
    journal = await openJournal("receive", portal, true);
  } catch (error) {
    if (error instanceof Failure && error.code === "journal/absent") return undefined;
    throw error;
  }
  const [handle] = journal.head.handles;
  const isSame =
    journal.note.sink === request.kind &&
    (request.kind !== "directory" || (handle !== undefined && (await handle.isSameEntry(request.handle))));
  if (isSame) return journal;
  await journal.close();
  return undefined;
}
