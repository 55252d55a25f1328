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
import { type PortalLink, parseLink } from "../../core/seal/link.ts";
import { Gate } from "../../core/transfer/gate.ts";
import { PackWindow } from "../../core/transfer/pack-window.ts";
import { PageFeed } from "../../core/transfer/page-feed.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import { Receiver } from "../../core/transfer/receiver.ts";
import type { EngineFigures } from "../../core/transfer/snapshot.ts";
import { systemClock } from "../../platform/clock.ts";
import { createDial, relayInfo, webtransportAbsent } from "../../platform/link/dial.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import { passwordKey } from "../../platform/password.ts";
import { LanePool } from "../lane/client.ts";
import type { Overrides, ReceiveOpened } from "./api.ts";
import { follow } from "./send.ts";

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
    this.#access = await callApi<PortalAccess>(fetchFrom(this.#relayOrigin), { method: "GET", path });
    if (this.#access.password !== null) return { passwordNeeded: true };
    await this.#unlock(NO_PASSWORD, "link/wrong-secret", info);
    return { passwordNeeded: false };
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

  /** Receives into the sink. @throws Failure; the sink was aborted then */
  async receive(sink: Sink): Promise<void> {
    const { keys, steady } = this.#opened();
    if (this.#running) throw new Error("already receiving");
    this.#running = true;
    const packs = new PackWindow({
      portal: this.#link.portal,
      keys,
      link: steady,
      feed: this.#feed,
      signal: this.#stop.signal,
      onBytes: (bytes) => {
        this.#progress.wireBytes += bytes;
      },
    });
    packs.start();
    try {
      const [progress, feed, gate] = [this.#progress, this.#feed, this.#gate];
      await new Receiver({
        feed,
        packs,
        expander: this.#startLanes(),
        sink,
        clock: systemClock,
        progress,
        gate,
        title: this.title,
      }).run();
      await this.#complete(steady);
      this.#finish("done");
    } catch (error) {
      const failure = this.#stop.signal.aborted ? new Failure("cancelled") : asFailure(error);
      this.#finish(failure);
      throw failure;
    }
  }

  /** Name for an archive: the top folder that everything lies in, or the product's. */
  get title(): string {
    const tops = new Set(this.#feed.manifest.entries.map((entry) => entry.path.split("/", 1)[0]));
    const [top] = tops;
    const single = tops.size === 1 && this.#feed.manifest.entries[0]?.path.includes("/");
    return single && top !== undefined ? top : "warp-portal";
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

  cancel(): void {
    this.#stop.abort();
    this.#gate.open();
    this.#finish(new Failure("cancelled"));
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
