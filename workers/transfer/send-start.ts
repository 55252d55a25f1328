/**
 * What a send begins with: a portal that is made now, or what an interrupted one left in its journal.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import type { RelayInfo } from "../../core/portal/portal.ts";
import { formatLink } from "../../core/seal/link.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import { readEntries } from "../../core/transfer/take-up.ts";
import { createJournal, type OpenJournal, openJournal } from "../../platform/journal/journals.ts";
import { relayInfo } from "../../platform/link/dial.ts";
import type { PageBroker } from "../../platform/webrtc/page-broker.ts";
import type { ResumeOptions, SendOptions } from "./api.ts";
import { findPlace, makePlace } from "./places.ts";
import { keptPortal, makePortal, type OwnedPortal } from "./portal.ts";
import { Remembered } from "./remembered.ts";
import type { SendRelaysParts } from "./send-relays.ts";

/** What a send begins with. */
export interface SendStart {
  readonly portal: OwnedPortal;
  readonly relayOrigin: string;
  readonly info: RelayInfo;
  /** Further relays where the portal may live, and how it gets there. */
  readonly further: Pick<SendRelaysParts, "further" | "placeAt">;
  readonly options: Pick<SendOptions, "overrides" | "figures">;
  /** Undefined where the browser keeps nothing. */
  readonly journal: Promise<OpenJournal | undefined>;
  /** All entries of a send that is resumed; they are gathered otherwise. */
  readonly kept: readonly Entry[] | undefined;
  readonly remembered: Remembered;
  /** Downloads are counted. */
  readonly isLimited: boolean;
  readonly broker: PageBroker | undefined;
}

/** Creates the portal at home. @throws Failure */
export async function startNew(options: SendOptions, broker: PageBroker | undefined): Promise<SendStart> {
  const { relayOrigin } = options;
  const info = await relayInfo(relayOrigin);
  const { portal, made, record } = await makePortal(options, info);
  const { relays } = record;
  return {
    portal,
    relayOrigin,
    info,
    further: { further: relays, placeAt: (origin, stop) => makePlace(origin, made, stop) },
    options,
    journal: beginJournal(portal, relays, options),
    kept: undefined,
    remembered: Remembered.made(record),
    isLimited: options.maxDownloads !== null,
    broker,
  };
}

/** Takes up what an interrupted send left; `progress` is told of it. @throws Failure */
export async function startKept(
  id: string,
  options: ResumeOptions,
  progress: Progress,
  broker: PageBroker | undefined,
): Promise<SendStart> {
  const journal = await openJournal("send", id, options.takeOver);
  try {
    const { relayOrigin, relays } = journal.head;
    const { entries, listed } = await readEntries(journal);
    if (!listed) throw new Failure("journal/absent");
    const portal = await keptPortal(journal);
    const info = await relayInfo(relayOrigin);
    progress.bytesTotal = entries.reduce((sum, { size }) => sum + size, 0);
    progress.bytesDone = journal.note.bytesDone;
    progress.entriesTotal = entries.length;
    progress.listed = true;
    return {
      portal,
      relayOrigin,
      info,
      further: { further: relays, placeAt: (origin, stop) => findPlace(origin, portal, stop) },
      options,
      journal: Promise.resolve(journal),
      kept: entries,
      remembered: new Remembered(id),
      // A relay that counts passes no signals on.
      isLimited: false,
      broker,
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** A transfer that cannot be written down runs all the same. */
async function beginJournal(
  { link, keys, ownerKey, expiresAtMs }: OwnedPortal,
  relays: readonly string[],
  { relayOrigin, handles }: SendOptions,
): Promise<OpenJournal | undefined> {
  const head = {
    kind: "send" as const,
    portal: base64urlnopad.encode(link.portal),
    relayOrigin,
    relays,
    startedAtMs: Date.now(),
    keys: { ...keys, owner: ownerKey },
    handles,
  };
  const blank = { title: "", bytesDone: 0, bytesTotal: 0, entriesTotal: 0, expiresAtMs, sink: null };
  return createJournal(head, { ...blank, link: formatLink(link) }).catch(() => undefined);
}
