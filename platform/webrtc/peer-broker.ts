/**
 * The worker's half of connections to other browsers: it asks the page for them and works with their channels.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { PeerBroker, PeerChannel, PeerChannelHandler, PeerConnection } from "../../core/ports/peer-channel.ts";
import type { PageBroker } from "./page-broker.ts";

/** @param page is called across threads */
export function createPeerBroker(page: PageBroker): PeerBroker {
  let lastId = 0;
  const make = async (offer: string | null): Promise<PeerConnection> => {
    lastId += 1;
    const id = lastId;
    const close = () => void page.close(id).catch(() => {}); // the page is gone, and the connection with it
    try {
      const channel = new DataChannel(await page.open(id));
      const sdp = await page.describe(id, offer);
      return { sdp, channel, accept: (answer) => page.accept(id, answer).catch(toRefusal), close };
    } catch (error) {
      close();
      return toRefusal(error);
    }
  };
  return { offer: () => make(null), answer: (sdp) => make(sdp) };
}

function toRefusal(cause: unknown): never {
  throw new Failure("relay/unreachable", { carrier: "peer", what: "connection" }, { cause });
}

class DataChannel implements PeerChannel {
  readonly #channel: RTCDataChannel;

  constructor(channel: RTCDataChannel) {
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
  }

  start(handler: PeerChannelHandler): void {
    const channel = this.#channel;
    channel.onopen = () => handler.open();
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      // Text is no message of this protocol; an empty one is refused.
      handler.message(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0));
    };
    channel.onclose = () => handler.closed();
    channel.onerror = () => handler.closed();
    if (channel.readyState === "open") handler.open();
    else if (channel.readyState !== "connecting") handler.closed();
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    try {
      this.#channel.send(message);
    } catch {
      this.#channel.close(); // told by its event
    }
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount;
  }

  close(): void {
    this.#channel.close();
  }
}
