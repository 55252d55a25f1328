/**
 * One send in the transfer worker: creates the portal, gathers what is to be sent, runs core's sender over a lane.
 *
 * @module
 */
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath } from "../../core/manifest/path.ts";
import type { RelayInfo } from "../../core/portal/portal.ts";
import { formatLink } from "../../core/seal/link.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import { Sender } from "../../core/transfer/sender.ts";
import { systemClock } from "../../platform/clock.ts";
import { createDial, relayInfo, webtransportAbsent } from "../../platform/link/dial.ts";
import { LaneClient } from "../lane/client.ts";
import type { SendItem, SendOptions } from "./api.ts";
import { createPortal, deletePortal, type OwnedPortal } from "./portal.ts";

export class Send {
  readonly #portal: OwnedPortal;
  readonly #options: SendOptions;
  readonly #progress: Progress;
  readonly #onChange: () => void;
  readonly #lane: LaneClient;
  readonly #items: SendItem[] = [];
  readonly #entries: Entry[] = [];
  readonly #steady: SteadyLink;
  #sender: Sender | undefined;

  private constructor(
    portal: OwnedPortal,
    info: RelayInfo,
    options: SendOptions,
    progress: Progress,
    onChange: () => void,
  ) {
    this.#portal = portal;
    this.#options = options;
    this.#progress = progress;
    this.#onChange = onChange;
    progress.expiresAtMs = portal.expiresAtMs;
    const { relayOrigin, overrides, figures } = options;
    const { link, ownerToken } = portal;
    this.#lane = new LaneClient({ override: overrides.engine, figures }, (status) => {
      progress.engine = status;
    });
    // It connects while the list of files is still on its way here.
    this.#steady = new SteadyLink({
      dial: createDial(relayOrigin, { portal: link.portal, role: "send", token: ownerToken }, info),
      clock: systemClock,
      forced: overrides.path,
      webtransportAbsent: webtransportAbsent(info),
      random: Math.random,
      onChange: () => this.#onLinkChange(),
    });
  }

  /** Creates the portal. @throws Failure */
  static async start(options: SendOptions, progress: Progress, onChange: () => void): Promise<Send> {
    const asked = relayInfo(options.relayOrigin);
    asked.catch(() => {}); // the portal's failure is told first
    const portal = await createPortal(options);
    try {
      return new Send(portal, await asked, options, progress, onChange);
    } catch (error) {
      await deletePortal(options.relayOrigin, portal);
      throw error;
    }
  }

  /** Path and fragment of the share link. */
  get link(): string {
    return formatLink(this.#portal.link);
  }

  /** Takes more items, in order; the last ones start the transfer, and progress tells how it goes. @throws Failure */
  async add(items: readonly SendItem[], isLast: boolean): Promise<void> {
    const [progress] = [this.#progress];
    if (progress.ended) return;
    try {
      for (const item of items) {
        const entry = toEntry(item);
        this.#items.push(item);
        this.#entries.push(entry);
        progress.bytesTotal += entry.size;
      }
      progress.entriesTotal = this.#entries.length;
      await this.#lane.addItems(items, isLast);
    } catch (error) {
      void this.#finish(asFailure(error));
      throw error;
    }
    if (!isLast || progress.ended) return;
    progress.listed = true;
    this.#run().then(
      () => this.#finish("done"),
      (error: unknown) => this.#finish(asFailure(error)),
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

  async #run(): Promise<void> {
    const { link, keys } = this.#portal;
    const progress = this.#progress;
    const parts = {
      portal: link.portal,
      keys,
      link: this.#steady,
      entries: this.#entries,
      source: this.#lane,
      progress,
    };
    this.#sender = new Sender({ ...parts, clock: systemClock });
    if (progress.paused) this.#sender.gate.shut();
    await this.#sender.run();
  }

  #onLinkChange(): void {
    if (!this.#progress.ended) follow(this.#progress, this.#steady);
    this.#onChange();
  }

  /** A portal that will never be complete is ended, so that receivers do not wait for it. */
  async #finish(outcome: "done" | Failure): Promise<void> {
    if (this.#progress.ended) return;
    this.#progress.end(outcome);
    this.#steady.close();
    this.#onChange();
    if (outcome !== "done") await deletePortal(this.#options.relayOrigin, this.#portal);
  }
}

/** What the steady link tells, as progress. */
export function follow(progress: Progress, link: SteadyLink): void {
  progress.link = link.status;
  progress.wireBytes = link.objectBytes;
  progress.waitingFor = link.status.carrier === null && link.status.nextTryAtMs !== null ? "relay" : null;
  progress.expiresAtMs = link.state?.expiresAtMs ?? progress.expiresAtMs;
  progress.peers = link.state?.receivers ?? 0;
}

function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure("engine/failed", {}, { cause: error });
}

function toEntry({ path, file }: SendItem): Entry {
  checkPath(path);
  if (file === null) return { kind: "directory", path, size: 0, mtimeMs: 0 };
  return { kind: "file", path, size: file.size, mtimeMs: Math.max(0, Math.trunc(file.lastModified)) };
}
