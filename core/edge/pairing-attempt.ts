/**
 * One try to connect two browsers, and the connection that it led to.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { PeerChannel, PeerConnection } from "../ports/peer-channel.ts";
import type { Description } from "../wire/description.ts";
import { deferred } from "./deferred.ts";
import type { PeerLink } from "./peer-link.ts";

/** How long the browser may take to say what the other side needs to know. */
const BEGIN_MS = 5_000;
/** How long an answer may take, and then the channel's opening. */
const ANSWER_MS = 10_000;
const OPEN_MS = 15_000;

/** From its beginning until `end`. */
export class PairingAttempt {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #answer = deferred<Description>();
  #connection: PeerConnection | undefined;
  #link: PeerLink | undefined;
  /** The number of this side's offer, once it left. */
  offer = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined before `own`. */
  get link(): PeerLink | undefined {
    return this.#link;
  }

  /** Takes a connection that this browser makes; one that comes too late is closed. @throws Failure */
  async own(making: Promise<PeerConnection>, join: (channel: PeerChannel) => PeerLink): Promise<void> {
    const owned = making.then((connection) => {
      if (this.#stop.signal.aborted) {
        connection.close();
        throw new Failure("cancelled");
      }
      this.#connection = connection;
      this.#link = join(connection.channel);
    });
    await this.#within(BEGIN_MS, owned);
  }

  /** This side of it. @throws Failure `wire/malformed` when there is no way from here */
  describe(read: (sdp: string) => Description): Description {
    return read(this.#connection?.sdp ?? "");
  }

  /** The other side answered; an answer to another offer changes nothing. */
  answered(offer: number, description: Description): void {
    if (this.offer !== 0 && offer === this.offer) this.#answer.resolve(description);
  }

  /** Waits for the answer, then until packs can be asked for. @throws Failure */
  async accept(write: (description: Description) => string): Promise<void> {
    const description = await this.#within(ANSWER_MS, this.#answer.promise);
    await this.#connection?.accept(write(description));
    await this.open();
  }

  /** Waits until packs can be asked for. @throws Failure */
  async open(): Promise<void> {
    await this.#within(OPEN_MS, this.#link?.opened ?? Promise.resolve());
  }

  /** Closes what there is; whoever waits meets `cancelled`. */
  end(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#link?.close();
    this.#connection?.close();
  }

  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    const done = new AbortController();
    const onAbort = () => done.abort();
    if (this.#stop.signal.aborted) onAbort();
    this.#stop.signal.addEventListener("abort", onAbort, { once: true });
    const late = this.#clock.sleep(ms, done.signal).then(() => {
      this.end();
      throw new Failure("relay/unreachable", { carrier: "peer", what: "late" });
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      this.#stop.signal.removeEventListener("abort", onAbort);
      late.catch(() => {}); // the race may have been won by the work
      done.abort();
    }
  }
}
