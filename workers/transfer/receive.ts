/**
 * One receive in the transfer worker: opens the portal, lists it, and runs core's receiver into a sink.
 *
 * @module
 */

import { base64urlnopad } from "@scure/base";
import type { Conditions } from "../../core/edge/constraints.ts";
import { lastWord } from "../../core/edge/last-word.ts";
import { RelayEdge } from "../../core/edge/relay-edge.ts";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { Failure, toFailure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import type { RelayHost } from "../../core/portal/client.ts";
import type { RelayInfo } from "../../core/portal/portal.ts";
import { releaseClaim } from "../../core/portal/release-claim.ts";
import type { Sink } from "../../core/ports/sink.ts";
import { formatLink, type PortalLink, parseLink } from "../../core/seal/link.ts";
import { Fleet } from "../../core/transfer/fleet.ts";
import { followReceive } from "../../core/transfer/follow.ts";
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
import { onNetworkChange } from "../../platform/link/wake.ts";
import { relayHost } from "../../platform/relay-host.ts";
import { removePrivate } from "../../platform/sinks/private.ts";
import type { PageBroker } from "../../platform/webrtc/page-broker.ts";
import { LanePool } from "../lane/client.ts";
import type { LinkPurpose, Overrides, ReceiveOpened, SinkRequest } from "./api.ts";
import { joinFurther } from "./further-relays.ts";
import { toInterrupted } from "./interrupted.ts";
import { findKept, KeptJournal, keptKeys, keptReceives, type SinkPlace } from "./kept-receive.ts";
import { type Opening, openFresh, openKept, type Readable, readableOf } from "./opening.ts";
import { Peers } from "./peers.ts";
import { Remembered } from "./remembered.ts";
import { secondWayOf } from "./second-way.ts";
import { commonFolder, titleOf } from "./title.ts";

/** Bytes of a claim. */
const CLAIM_BYTES = 16;

export class Receive {
  readonly #link: PortalLink;
  readonly #host: RelayHost;
  readonly #overrides: Overrides;
  readonly #progress: Progress;
  readonly #onChange: () => void;
  readonly #broker: PageBroker | undefined;
  readonly #conditions: () => Conditions;
  readonly #stop = new AbortController();
  readonly #gate = new Gate();
  readonly #feed = new PageFeed();
  readonly #lanes: LanePool;
  #opening: Opening | undefined;
  #steady: SteadyLink | undefined;
  #fleet: Fleet | undefined;
  #peers: Peers | undefined;
  #remembered: Remembered | undefined;
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
    broker: PageBroker | undefined,
    conditions: () => Conditions,
  ) {
    this.#broker = broker;
    this.#conditions = conditions;
    this.#link = parseLink(link);
    this.#host = relayHost(relayOrigin);
    this.#overrides = overrides;
    this.#progress = progress;
    this.#onChange = onChange;
    // Now, so that they stand when the first pack arrives.
    this.#lanes = new LanePool({ work: "receive", override: overrides.engine, figures }, (status) => {
      progress.engine = status;
    });
  }

  /** Opens the link; without a password the listing starts. */
  async open(): Promise<ReceiveOpened> {
    const info = this.#askInfo();
    const kept = await findKept(this.#link);
    const interrupted = kept === undefined ? null : toInterrupted(kept);
    const keys = kept && keptKeys(kept);
    const opening =
      keys === undefined ? await openFresh(this.#host, this.#link, null) : await openKept(this.#host, this.#link, keys);
    if (opening === null) return { passwordNeeded: true, purpose: null, interrupted };
    return { passwordNeeded: false, purpose: await this.#begin(opening, info), interrupted };
  }

  async unlock(password: string): Promise<LinkPurpose> {
    if (this.#opening !== undefined) return this.#opening.purpose;
    const info = this.#askInfo();
    const opening = await openFresh(this.#host, this.#link, password);
    if (opening === null) throw new Failure("password/needed");
    return this.#begin(opening, info);
  }

  entries(from: number, to: number): readonly Entry[] {
    return this.#feed.manifest.entries.slice(from, to);
  }

  /**
   * Receives into the sink that `createSink` makes for `request`, behind what was interrupted there where `resume` says so.
   * @throws Failure; nothing that looks complete is left then, and what can be continued stays
   */
  async receive(request: SinkRequest, resume: boolean, createSink: (place: SinkPlace) => Sink): Promise<void> {
    const readable = readableOf(this.#opening);
    if (this.#running) throw new Error("already receiving");
    this.#running = true;
    const claim = crypto.getRandomValues(new Uint8Array(CLAIM_BYTES));
    const head = { link: this.#link, host: this.#host, keys: readable.keys, auth: readable.auth, claim };
    let journal: KeptJournal | undefined;
    try {
      journal = await KeptJournal.open(head, request, resume, () => this.#note(request));
    } catch (error) {
      this.#running = false;
      throw error;
    }
    const place = { id: journal && this.privateName, kept: await keptReceives() };
    this.#ended = this.#run(createSink(place), readable, journal, journal?.claim ?? claim);
    await this.#ended;
  }

  async #run(
    sink: Sink,
    { keys, token, isLimited }: Readable,
    journal: KeptJournal | undefined,
    claim: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { steady, fleet } = this.#connected();
    const [progress, feed, gate, stop] = [this.#progress, this.#feed, this.#gate, this.#stop];
    const { signal } = stop;
    this.#tellLanes();
    void journal?.lost.then(() => stop.abort(new Failure("transfer/elsewhere")));
    const onBytes = (bytes: number) => {
      progress.wireBytes += bytes;
    };
    const packs = new PackWindow({ portal: this.#link.portal, keys, link: fleet, feed, signal, onBytes });
    const isResumed = journal?.resume === true;
    const onTrouble = () => {
      progress.resumable = false;
      void journal?.remove();
    };
    const receiver = new Receiver({
      feed,
      packs,
      expander: this.#lanes,
      sink,
      clock: systemClock,
      progress,
      gate,
      title: this.title,
      signal,
      ...(journal && { keep: { journal, resume: isResumed, onTrouble } }),
    });
    try {
      steady.setClaim(claim);
      if (isLimited) await steady.claim(claim, signal);
      if (!isResumed) packs.start();
      await receiver.run();
      await journal?.remove();
      await lastWord(systemClock, steady.complete(claim));
      this.#finish("done");
    } catch (error) {
      const failure = signal.aborted ? reasonOf(signal) : toFailure(error, "engine/failed");
      progress.resumable = receiver.canContinue(failure);
      await (progress.resumable ? journal?.close() : journal?.remove());
      // What is in the private file system can be reached only through a receive that is done, or that goes on.
      if (!progress.resumable && sink.kind === "private") await removePrivate(this.privateName).catch(() => {});
      this.#finish(failure);
      // Somebody else may have this download.
      const isClaimed = steady.isClaimed && !progress.resumable;
      if (isClaimed) await lastWord(systemClock, releaseClaim(this.#host, this.#link.portal, token, claim));
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
    this.#peers?.changed();
  }
  resume(): void {
    this.#gate.open();
    this.#peers?.changed();
  }

  /** Somebody asks for a new plan. */
  replan(): void {
    this.#fleet?.replan();
  }

  /** Ends it at once; resolves when what it left is removed. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    this.#gate.open();
    this.#finish(new Failure("cancelled"));
    await this.#ended?.catch(() => {});
  }

  #askInfo(): Promise<RelayInfo> {
    const info = relayInfo(this.#host.origin);
    info.catch(() => {}); // a portal that is not there is told first
    return info;
  }

  async #begin(opening: Opening, asked: Promise<RelayInfo>): Promise<LinkPurpose> {
    this.#opening = opening;
    if (opening.readable === null) this.#lanes.terminate();
    else await this.#connect(opening.readable, asked);
    return opening.purpose;
  }

  async #connect({ keys, token, auth, isLimited, expiresAtMs }: Readable, asked: Promise<RelayInfo>): Promise<void> {
    const [info, { origin }] = [await asked, this.#host];
    const steady = new SteadyLink({
      dial: createDial(origin, { portal: this.#link.portal, role: "receive", token }, info),
      clock: systemClock,
      forced: this.#overrides.path,
      webtransportAbsent: webtransportAbsent(info),
      random: Math.random,
      wake: onNetworkChange,
      onChange: () => this.#update(),
      onSignal: (from, body) => this.#peers?.signalled(from, body),
    });
    this.#steady = steady;
    const peers = new Peers({
      portal: this.#link.portal,
      keys,
      link: steady,
      broker: this.#broker,
      isWanted: this.#overrides.peers !== false,
      isLimited,
      isPaused: () => this.#progress.paused,
    });
    this.#peers = peers;
    const home = new RelayEdge(new URL(origin).host, steady);
    const { portal } = this.#link;
    const isCounted = () => steady.isClaimed;
    const second = secondWayOf({ origin, portal, token, home, overrides: this.#overrides, isLimited, isCounted });
    const fleet = new Fleet({
      home,
      ...(second && { second }),
      clock: systemClock,
      seed: crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
      conditions: this.#conditions,
      ...(this.#overrides.policy && { policy: this.#overrides.policy }),
      shelf: peers.shelf,
      onBarred: (edge) => peers.distrust(edge),
    });
    this.#fleet = fleet;
    peers.onEdges = (edges) => {
      for (const edge of edges) fleet.join(edge);
      fleet.changed();
    };
    this.#progress.edges = (waits) => fleet.snapshot(waits);
    await steady.connected();
    const { signal } = this.#stop;
    // Downloads are counted at home, so packs of a portal that counts them come from there alone.
    if (!isLimited) {
      joinFurther({
        origins: info.relays.origins,
        link: this.#link,
        auth,
        overrides: this.#overrides,
        signal,
        onChange: () => this.#update(),
        onEdge: (edge) => fleet.join(edge, edge),
      });
    }
    this.#remembered = Remembered.received(this.#link, origin, expiresAtMs);
    this.#feed.start(this.#link.portal, keys, fleet, signal, () => this.#update());
  }

  #update(): void {
    const [progress, steady, fleet, { manifest, failure }] = [this.#progress, this.#steady, this.#fleet, this.#feed];
    if (steady !== undefined && fleet !== undefined) {
      fleet.changed();
      fleet.setEnd(manifest.packCount);
      followReceive(progress, { status: fleet.status, state: steady.state }, manifest);
    }
    this.#peers?.changed();
    this.#tellLanes();
    if (manifest.listed) this.#remembered?.tell(titleOf(manifest.entries), progress);
    if (failure !== undefined && !this.#running && failure.code !== "cancelled") this.#finish(failure);
    this.#onChange();
  }

  /** Whether a GPU is worth looking for depends on how much there is, so it is looked for once all of that is known. */
  #tellLanes(): void {
    const { manifest } = this.#feed;
    if (this.#running && manifest.listed) this.#lanes.expect(manifest.totalBytes);
  }

  #connected(): { readonly steady: SteadyLink; readonly fleet: Fleet } {
    const [steady, fleet] = [this.#steady, this.#fleet];
    if (steady === undefined || fleet === undefined) throw new Failure("password/needed");
    return { steady, fleet };
  }

  #finish(outcome: "done" | Failure): void {
    this.#progress.end(outcome);
    this.#stop.abort();
    this.#fleet?.close();
    this.#peers?.close();
    this.#steady?.close();
    this.#lanes.terminate();
    this.#onChange();
  }
}
