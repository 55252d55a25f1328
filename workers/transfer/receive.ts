/**
 * One receive in the transfer worker: opens the portal, lists it, and runs core's receiver into a sink.
 *
 * @module
 */

import { base64urlnopad } from "@scure/base";
import { callApi } from "../../core/edge/http-link.ts";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import type { PortalAccess, RelayInfo } from "../../core/portal/portal.ts";
import type { Sink } from "../../core/ports/sink.ts";
import {
  commitmentMatches,
  deriveKeys,
  NO_PASSWORD,
  type PortalKeys,
  passwordSalt,
  relayToken,
} from "../../core/seal/keys.ts";
import { formatLink, type PortalLink, parseLink } from "../../core/seal/link.ts";
import { Gate } from "../../core/transfer/gate.ts";
import { PackWindow } from "../../core/transfer/pack-window.ts";
import { PageFeed } from "../../core/transfer/page-feed.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import { Receiver } from "../../core/transfer/receiver.ts";
import type { EngineFigures } from "../../core/transfer/snapshot.ts";
import { reasonOf } from "../../core/transfer/unless-aborted.ts";
import { systemClock } from "../../platform/clock.ts";
import type { JournalNote } from "../../platform/journal/journals.ts";
import { createDial, relayInfo, webtransportAbsent } from "../../platform/link/dial.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import { onNetworkChange } from "../../platform/link/wake.ts";
import { passwordKey } from "../../platform/password.ts";
import { removePrivate } from "../../platform/sinks/private.ts";
import { LanePool } from "../lane/client.ts";
import type { Overrides, ReceiveOpened, SinkRequest } from "./api.ts";
import { toInterrupted } from "./interrupted.ts";
import { findKept, KeptJournal, keptKeys, keptReceives, type SinkPlace } from "./kept-receive.ts";
import { follow } from "./send.ts";
import { commonFolder, titleOf } from "./title.ts";

/** Lanes that expand runs: one core is left for the network and the page. */
const MAX_LANES = 4;
/** A relay that does not answer must not keep a finished transfer open. */
const COMPLETE_LIMIT_MS = 3_000;

export class Receive {
  readonly #link: PortalLink;
  readonly #relayOrigin: string;
  readonly #overrides: Overrides;
  readonly #figures: EngineFigures | null;
  readonly #progress: Progress;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  readonly #gate = new Gate();
  readonly #feed = new PageFeed();
  #access: PortalAccess | undefined;
  #keys: PortalKeys | undefined;
  #steady: SteadyLink | undefined;
  #lanes: LanePool | undefined;
  #running = false;
  #ended: Promise<void> | undefined;

  /** @throws Failure `link/cut` | `link/version` */
  constructor(
    link: string,
    relayOrigin: string,
    overrides: Overrides,
    figures: EngineFigures | null,
    progress: Progress,
    onChange: () => void,
  ) {
    this.#link = parseLink(link);
    this.#relayOrigin = relayOrigin;
    this.#overrides = overrides;
    this.#figures = figures;
    this.#progress = progress;
    this.#onChange = onChange;
  }

  /** Asks the relay for the portal; without a password the listing starts. */
  async open(): Promise<ReceiveOpened> {
    this.#startLanes();
    const info = relayInfo(this.#relayOrigin);
    info.catch(() => {}); // a portal that is not there is told first
    const path = `/api/v1/portals/${base64urlnopad.encode(this.#link.portal)}/access`;
    const [access, kept] = await Promise.all([
      callApi<PortalAccess>(fetchFrom(this.#relayOrigin), { method: "GET", path }),
      findKept(this.#link),
    ]);
    this.#access = access;
    const interrupted = kept === undefined ? null : toInterrupted(kept);
    if (access.password === null) {
      await this.#unlock(NO_PASSWORD, "link/wrong-secret", info);
      return { passwordNeeded: false, interrupted };
    }
    const keys =
      kept === undefined ? undefined : keptKeys(kept, new Uint8Array(base64urlnopad.decode(access.keyCommitment)));
    if (keys === undefined) return { passwordNeeded: true, interrupted };
    await this.#connect(keys, info);
    return { passwordNeeded: false, interrupted };
  }

  async unlock(password: string): Promise<void> {
    const parameters = this.#access?.password;
    if (!parameters) throw new Failure("password/needed");
    const key = await passwordKey(password, await passwordSalt(this.#link), parameters);
    await this.#unlock(key, "password/wrong", relayInfo(this.#relayOrigin));
  }

  entries(from: number, to: number): readonly Entry[] {
    return this.#feed.manifest.entries.slice(from, to);
  }

  /**
   * Receives into the sink that `createSink` makes for `request`, behind what was interrupted there where `resume` says so.
   * @throws Failure; nothing that looks complete is left then, and what can be continued stays
   */
  async receive(request: SinkRequest, resume: boolean, createSink: (place: SinkPlace) => Sink): Promise<void> {
    const { keys, steady } = this.#opened();
    if (this.#running) throw new Error("already receiving");
    this.#running = true;
    const head = { link: this.#link, relayOrigin: this.#relayOrigin, keys };
    let journal: KeptJournal | undefined;
    try {
      journal = await KeptJournal.open(head, request, resume, () => this.#note(request));
    } catch (error) {
      this.#running = false;
      throw error;
    }
    const place = { id: journal && this.privateName, kept: await keptReceives() };
    this.#ended = this.#run(createSink(place), keys, steady, journal);
    await this.#ended;
  }

  async #run(sink: Sink, keys: PortalKeys, steady: SteadyLink, journal: KeptJournal | undefined): Promise<void> {
    const [progress, feed, gate, stop] = [this.#progress, this.#feed, this.#gate, this.#stop];
    const { signal } = stop;
    void journal?.lost.then(() => stop.abort(new Failure("transfer/elsewhere")));
    const onBytes = (bytes: number) => {
      progress.wireBytes += bytes;
    };
    const packs = new PackWindow({ portal: this.#link.portal, keys, link: steady, feed, signal, onBytes });
    const isResumed = journal?.resume === true;
    if (!isResumed) packs.start();
    const onTrouble = () => {
      progress.resumable = false;
      void journal?.remove();
    };
    const receiver = new Receiver({
      feed,
      packs,
      expander: this.#startLanes(),
      sink,
      clock: systemClock,
      progress,
      gate,
      title: this.title,
      signal,
      ...(journal && { keep: { journal, resume: isResumed, onTrouble } }),
    });
    try {
      await receiver.run();
      await journal?.remove();
      await this.#complete(steady);
      this.#finish("done");
    } catch (error) {
      const failure = signal.aborted ? reasonOf(signal) : asFailure(error);
      progress.resumable = receiver.canContinue(failure);
      await (progress.resumable ? journal?.close() : journal?.remove());
      // What is in the private file system can be reached only through a receive that is done, or that goes on.
      if (!progress.resumable && sink.kind === "private") await removePrivate(this.privateName).catch(() => {});
      this.#finish(failure);
      throw failure;
    }
  }

  /** What the page is shown when it is interrupted. */
  #note(request: SinkRequest): JournalNote {
    const { bytesDone, bytesTotal, entriesTotal, expiresAtMs } = this.#progress;
    return {
      link: formatLink(this.#link),
      title: titleOf(this.#feed.manifest.entries),
      bytesDone,
      bytesTotal,
      entriesTotal,
      expiresAtMs,
      sink: request.kind === "blob" ? "download" : request.kind,
    };
  }

  /** Name for an archive: the top folder that everything lies in, or the product's. */
  get title(): string {
    return commonFolder(this.#feed.manifest.entries) ?? "warp-portal";
  }

  /** Name of this portal's folder in the private file system. */
  get privateName(): string {
    return base64urlnopad.encode(this.#link.portal);
  }

  pause(): void {
    this.#gate.shut();
  }
  resume(): void {
    this.#gate.open();
  }

  /** Ends it at once; resolves when what it left is removed. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    this.#gate.open();
    this.#finish(new Failure("cancelled"));
    await this.#ended?.catch(() => {});
  }

  /** They start when the link is opened, so that they stand when the first pack arrives. */
  #startLanes(): LanePool {
    const size = Math.max(1, Math.min(MAX_LANES, navigator.hardwareConcurrency - 1));
    const wish = { override: this.#overrides.engine, figures: this.#figures };
    this.#lanes ??= new LanePool(size, wish, (status) => {
      this.#progress.engine = status.reason === "not-measured" ? { ...status, reason: "receiving" } : status;
    });
    return this.#lanes;
  }

  async #unlock(
    secondKey: Uint8Array,
    wrong: "link/wrong-secret" | "password/wrong",
    asked: Promise<RelayInfo>,
  ): Promise<void> {
    const keys = await deriveKeys(this.#link, secondKey);
    if (!this.#access || !commitmentMatches(keys, base64urlnopad.decode(this.#access.keyCommitment)))
      throw new Failure(wrong);
    await this.#connect(keys, asked);
  }

  async #connect(keys: PortalKeys, asked: Promise<RelayInfo>): Promise<void> {
    this.#keys = keys;
    const [info, token] = await Promise.all([
      asked,
      relayToken(keys.downloadAuth, "read", this.#relayOrigin, this.#link.portal),
    ]);
    const steady = new SteadyLink({
      dial: createDial(this.#relayOrigin, { portal: this.#link.portal, role: "receive", token }, info),
      clock: systemClock,
      forced: this.#overrides.path,
      webtransportAbsent: webtransportAbsent(info),
      random: Math.random,
      wake: onNetworkChange,
      onChange: () => this.#update(),
    });
    this.#steady = steady;
    await steady.connected();
    this.#feed.start(this.#link.portal, keys, steady, this.#stop.signal, () => this.#update());
  }

  #update(): void {
    const [progress, steady, { manifest }] = [this.#progress, this.#steady, this.#feed];
    if (steady !== undefined) {
      const { wireBytes } = progress;
      follow(progress, steady);
      progress.wireBytes = wireBytes;
      progress.peers = steady.state?.senders ?? 0;
      const stalled = manifest.end === null && steady.state?.commitment === null && progress.peers === 0;
      if (stalled) progress.waitingFor ??= "sender";
    }
    progress.entriesTotal = manifest.entries.length;
    progress.bytesTotal = manifest.totalBytes;
    progress.listed = manifest.listed;
    const { failure } = this.#feed;
    if (failure !== undefined && !this.#running && failure.code !== "cancelled") this.#finish(failure);
    this.#onChange();
  }

  /** Counts the download; the bytes are safe already, so a relay that cannot count does not make it fail. */
  async #complete(steady: SteadyLink): Promise<void> {
    const claim = crypto.getRandomValues(new Uint8Array(16));
    await Promise.race([steady.complete(claim).catch(() => {}), systemClock.sleep(COMPLETE_LIMIT_MS)]);
  }

  #opened(): { keys: PortalKeys; steady: SteadyLink } {
    if (this.#keys === undefined || this.#steady === undefined) throw new Failure("password/needed");
    return { keys: this.#keys, steady: this.#steady };
  }

  #finish(outcome: "done" | Failure): void {
    this.#progress.end(outcome);
    this.#stop.abort();
    this.#steady?.close();
    this.#lanes?.terminate();
    this.#onChange();
  }
}

function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure("engine/failed", {}, { cause: error });
}
