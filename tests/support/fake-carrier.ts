/**
 * A carrier of the relay's half of a link, whose peer is the test.
 *
 * @module
 */
import { type ClientFrame, decodeRelayFrame, encodeFrame, type RelayFrame } from "../../core/wire/frame.ts";
import { encodeHeader, ObjectReader, type SealedObject } from "../../core/wire/object.ts";
import type { Carrier, CarrierHandler } from "../../relay-server/src/link/carrier.ts";

/** A carrier whose peer is the test. */
export class FakeCarrier implements Carrier {
  readonly kind = "webtransport";
  readonly address = "test";
  controlBacklog = 0;
  isClosed = false;
  readonly objects: SealedObject[] = [];
  /** While set, the peer takes no object bytes. */
  stalled: Promise<void> | undefined;
  sentSlices = 0;
  handler: CarrierHandler | undefined;
  readonly #frames: RelayFrame[] = [];
  #wake: () => void = () => {};

  start(handler: CarrierHandler): void {
    this.handler = handler;
  }
  sendFrame(frame: Uint8Array<ArrayBuffer>): void {
    this.#frames.push(decodeRelayFrame(frame));
    this.#wake();
  }
  close(): void {
    this.isClosed = true;
    this.#wake();
  }
  openOutput(): void {
    const reader = new ObjectReader({
      begin: (header) => new Uint8Array(header.length),
      end: (object) => {
        this.objects.push(object);
        this.#wake();
      },
    });
    this.handler?.output({
      headroom: 0,
      write: async (slice) => {
        this.sentSlices++;
        this.#wake();
        await this.stalled;
        reader.push(slice);
      },
    });
  }
  frame(frame: ClientFrame): Promise<void> | undefined {
    return this.handler?.frame(encodeFrame(frame));
  }
  put({ header, bytes }: SealedObject, stream = 0): Promise<void> | undefined {
    return this.handler?.objectBytes(stream, Buffer.concat([encodeHeader(header), bytes]));
  }
  async next(t: RelayFrame["t"]): Promise<RelayFrame> {
    await this.until(() => this.#frames.some((frame) => frame.t === t));
    const at = this.#frames.findIndex((frame) => frame.t === t);
    return this.#frames.splice(at, 1)[0] as RelayFrame;
  }
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
