/**
 * The transfer worker: one send or one receive, and its snapshots.
 *
 * @module
 */

import { type DeviceState, UNKNOWN_DEVICE } from "../../core/edge/constraints.ts";
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import type { Sink } from "../../core/ports/sink.ts";
import { Progress } from "../../core/transfer/progress.ts";
import type { EngineFigures } from "../../core/transfer/snapshot.ts";
import { systemClock } from "../../platform/clock.ts";
import { type BlobSink, createBlobSink } from "../../platform/sinks/blob.ts";
import { createDirectorySink } from "../../platform/sinks/directory.ts";
import { createDownloadSink } from "../../platform/sinks/download.ts";
import { createPrivateSink, exportPrivate, type PrivateSink } from "../../platform/sinks/private.ts";
import type { PageBroker } from "../../platform/webrtc/page-broker.ts";
import { exposeApi } from "../rpc.ts";
import type {
  InterruptedTransfer,
  LinkPurpose,
  OnSnapshot,
  Overrides,
  ReceiveOpened,
  ResumeOptions,
  SendItem,
  SendOptions,
  SinkRequest,
  TransferApi,
} from "./api.ts";
import { conditionsHere } from "./conditions.ts";
import { discardSend, listInterrupted } from "./interrupted.ts";
import { discardReceive, type SinkPlace } from "./kept-receive.ts";
import { Receive } from "./receive.ts";
import { Send } from "./send.ts";

/** Snapshots at most ten times a second; a change of state is told at once. */
const SNAPSHOT_MS = 100;

class TransferWorker implements TransferApi {
  readonly #progress = new Progress();
  #send: Send | undefined;
  #receive: Receive | undefined;
  #privateSink: PrivateSink | undefined;
  #blobSink: BlobSink | undefined;
  #onSnapshot: OnSnapshot = () => {};
  #broker: PageBroker | undefined;
  #device: DeviceState = UNKNOWN_DEVICE;
  readonly #conditions = () => conditionsHere(this.#device);
  #toldState = "";
  #timer: ReturnType<typeof setInterval> | undefined;

  async subscribe(onSnapshot: OnSnapshot, broker?: PageBroker): Promise<void> {
    this.#onSnapshot = onSnapshot;
    this.#broker = broker;
    this.#timer ??= setInterval(() => this.#tell(), SNAPSHOT_MS);
    this.#tell();
  }

  async send(options: SendOptions): Promise<string> {
    this.#send = await Send.start(options, this.#progress, () => this.#changed(), this.#broker, this.#conditions);
    return this.#send.link;
  }

  async add(items: readonly SendItem[], isLast: boolean): Promise<void> {
    await this.#send?.add(items, isLast);
  }

  async hashFile(index: number): Promise<string> {
    if (this.#send === undefined) throw new Failure("file/unreadable");
    return this.#send.hashFile(index);
  }

  async open(
    link: string,
    relayOrigin: string,
    overrides: Overrides,
    figures: EngineFigures | null,
  ): Promise<ReceiveOpened> {
    const onChange = () => this.#changed();
    const [progress, broker, conditions] = [this.#progress, this.#broker, this.#conditions];
    this.#receive = new Receive(link, relayOrigin, overrides, figures, progress, onChange, broker, conditions);
    return this.#receive.open();
  }

  unlock(password: string): Promise<LinkPurpose> {
    return this.#opened().unlock(password);
  }

  async entries(from: number, to: number): Promise<readonly Entry[]> {
    return this.#opened().entries(from, to);
  }

  receive(request: SinkRequest, resume: boolean): Promise<void> {
    return this.#opened().receive(request, resume, (place) => this.#createSink(request, place));
  }

  exportFile(path: string): Promise<File> {
    return this.#private().exportFile(path);
  }

  exportArchive(port: MessagePort): Promise<void> {
    const receive = this.#opened();
    const entries = receive.entries(0, Number.POSITIVE_INFINITY);
    const totalBytes = entries.reduce((sum, entry) => sum + entry.size, 0);
    const plan = { entries, closed: true, totalBytes, title: receive.title };
    return exportPrivate(this.#private(), plan, createDownloadSink(port));
  }

  async blob(): Promise<File> {
    if (this.#blobSink === undefined) throw new Failure("sink/unsupported");
    return this.#blobSink.file();
  }

  async interrupted(): Promise<readonly InterruptedTransfer[]> {
    return listInterrupted();
  }

  async discard(kind: "send" | "receive", portal: string): Promise<void> {
    await (kind === "send" ? discardSend(portal) : discardReceive(portal));
  }

  async resumeSend(portal: string, options: ResumeOptions): Promise<string> {
    const [progress, broker, conditions] = [this.#progress, this.#broker, this.#conditions];
    this.#send = await Send.resume(portal, options, progress, () => this.#changed(), broker, conditions);
    return this.#send.link;
  }

  async tellDevice(device: DeviceState): Promise<void> {
    this.#device = device;
  }

  async replan(): Promise<void> {
    this.#send?.replan();
    this.#receive?.replan();
  }

  async pause(): Promise<void> {
    this.#progress.paused = true;
    this.#send?.pause();
    this.#receive?.pause();
    this.#changed();
  }

  async resume(): Promise<void> {
    this.#progress.paused = false;
    this.#send?.resume();
    this.#receive?.resume();
    this.#changed();
  }

  async cancel(): Promise<void> {
    await this.#receive?.cancel();
    await this.#send?.cancel();
    this.#changed();
  }

  #createSink(request: SinkRequest, { id, kept }: SinkPlace): Sink {
    switch (request.kind) {
      case "directory":
        return createDirectorySink(request.handle, id === undefined ? { kept } : { id, kept });
      case "private":
        this.#privateSink = createPrivateSink(this.#opened().privateName);
        return this.#privateSink;
      case "download":
        return createDownloadSink(request.port);
      case "blob":
        this.#blobSink = createBlobSink();
        return this.#blobSink;
      default:
        return request satisfies never;
    }
  }

  #opened(): Receive {
    if (this.#receive === undefined) throw new Failure("link/cut");
    return this.#receive;
  }

  #private(): PrivateSink {
    if (this.#privateSink === undefined) throw new Failure("sink/unsupported");
    return this.#privateSink;
  }

  #changed(): void {
    const { state } = this.#progress.snapshot(systemClock.now());
    if (state !== this.#toldState) this.#tell();
  }

  #tell(): void {
    const snapshot = this.#progress.snapshot(systemClock.now());
    this.#toldState = snapshot.state;
    this.#onSnapshot(snapshot);
    if (this.#progress.ended) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}

exposeApi(new TransferWorker());
