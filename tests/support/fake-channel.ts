/**
 * Two ends of a data channel in one process, and connections that lead to such channels without a network.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { PeerBroker, PeerChannel, PeerChannelHandler, PeerConnection } from "../../core/ports/peer-channel.ts";
import type { Description } from "../../core/wire/description.ts";
import { readSdp, writeSdp } from "../../core/wire/description.ts";
import { noise } from "./bytes.ts";

/** One end. Messages arrive a turn later, unless the line is stalled. */
export class FakeChannel implements PeerChannel {
  /** Every message that was given to `send`, in order: copies. */
  readonly sent: Uint8Array<ArrayBuffer>[] = [];
  isClosed = false;
  /** The line takes nothing: what is sent waits in the buffer. */
  isStalled = false;
  /** Most bytes that ever waited. */
  mostBuffered = 0;
  bufferedBytes = 0;
  #other: FakeChannel | undefined;
  #handler: PeerChannelHandler | undefined;
  #waiting: Uint8Array<ArrayBuffer>[] = [];

  /** Both ends of one line. */
  static pair(): readonly [FakeChannel, FakeChannel] {
    const [one, other] = [new FakeChannel(), new FakeChannel()];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  start(handler: PeerChannelHandler): void {
    this.#handler = handler;
  }

  /** Both ends open. */
  open(): void {
    this.#handler?.open();
    const other = this.#other;
    if (other !== undefined) other.#handler?.open();
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.isClosed) return;
    const copy = message.slice();
    this.sent.push(copy);
    this.#waiting.push(copy);
    this.bufferedBytes += copy.length;
    this.mostBuffered = Math.max(this.mostBuffered, this.bufferedBytes);
    queueMicrotask(() => this.isStalled || this.flow());
  }

  /** Lets so many waiting messages pass. */
  flow(messages = Number.POSITIVE_INFINITY): void {
    for (let left = messages; left > 0; left--) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.bufferedBytes -= next.length;
      this.#other?.tell(next);
    }
  }

  /** A message comes in, from the other end or from nowhere. */
  tell(message: Uint8Array): void {
    if (!this.isClosed) this.#handler?.message(message);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const other = this.#other;
    queueMicrotask(() => {
      if (other === undefined || other.isClosed) return;
      other.isClosed = true;
      other.#handler?.closed();
    });
  }
}

/** Browsers of one network: descriptions of one lead to the others. */
export class FakeNetwork {
  /** No connection comes to be while this is set. */
  isApart = false;
  /** Connections that were begun and not closed. */
  readonly open = new Set<PeerConnection>();
  /** How many were ever begun. */
  begun = 0;
  /** Connections that wait for an answer, and answers' channels, by fingerprint. */
  readonly #channels = new Map<string, FakeChannel>();

  /** One browser's. */
  broker(): PeerBroker {
    return { offer: async () => this.#offer(), answer: async (sdp) => this.#answer(readSdp(sdp)) };
  }

  #offer(): PeerConnection {
    const [here, there] = FakeChannel.pair();
    const connection = this.#begin("actpass", here);
    this.#channels.set(keyOf(readSdp(connection.sdp)), there);
    return connection;
  }

  #answer(offer: Description): PeerConnection {
    const channel = this.#channels.get(keyOf(offer));
    if (channel === undefined) throw new Failure("relay/unreachable", { what: "nobody offers this" });
    const connection = this.#begin("active", channel);
    this.#channels.set(keyOf(readSdp(connection.sdp)), channel);
    return connection;
  }

  #begin(setup: Description["setup"], channel: FakeChannel): PeerConnection {
    this.begun += 1;
    const sdp = writeSdp({ ...DESCRIPTION, setup, fingerprint: noise(32, `certificate ${this.begun}`) });
    const connection: PeerConnection = {
      sdp,
      channel,
      accept: async (answer) => {
        const answered = this.#channels.get(keyOf(readSdp(answer)));
        if (!this.isApart) answered?.open();
      },
      close: () => {
        this.open.delete(connection);
        channel.close();
      },
    };
    this.open.add(connection);
    return connection;
  }
}

const keyOf = ({ fingerprint }: Description) => Buffer.from(fingerprint).toString("hex");

/** One side as a browser tells it. */
export const DESCRIPTION: Description = {
  user: "Wx7+",
  password: "FPLgD6qnZDoW75cXoRQpHocw",
  fingerprint: noise(32, "certificate"),
  setup: "actpass",
  candidates: [
    { address: "e4f11cc0-23b2-4bf4-8d6f-71ce94884a60.local", port: 51520, priority: 2_113_937_151 },
    { address: "192.168.1.7", port: 53435, priority: 2_113_942_271 },
  ],
};
