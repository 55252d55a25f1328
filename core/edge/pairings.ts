/**
 * Who else is at the portal, and the making of connections to them. Everybody tells a random name of this transfer to all; of
 * two that know each other the one with the smaller name offers a connection, the other one answers, both through the relay,
 * sealed. What the relay loses, repeats, changes or sends to somebody else leads to no connection, and to nothing worse.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { PeerBroker, PeerChannel } from "../ports/peer-channel.ts";
import { EVERYBODY, openSignal, PEER_ID_BYTES, type Said, type Signal, sealSignal } from "../seal/signal.ts";
import { equalBytes } from "../wire/codec.ts";
import { type Description, readSdp, writeSdp } from "../wire/description.ts";
import { Acquaintances, type Known } from "./acquaintances.ts";
import { Delays } from "./delays.ts";
import { PairingAttempt } from "./pairing-attempt.ts";
import type { PeerLink } from "./peer-link.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Connections to others, those that are being made included. */
export const MAX_PEERS = 8;
/** Of these, offers that wait for an answer at once: all others must not keep each other waiting. */
const MAX_OFFERS = 4;
/** Tries in a row without a connection, after which the other one has to announce itself again. */
const MAX_TRIES = 3;
/** How long somebody who was heard of may take to offer a connection. */
const EXPECT_MS = 30_000;
/** Signals that came and were not looked at yet; more are dropped. */
const MAX_WAITING_SIGNALS = 64;

/** What making connections takes. */
export interface PairingsParts {
  readonly portal: Uint8Array;
  /** Of ContentKeys. */
  readonly key: CryptoKey;
  /** The link to the portal's home, through which signals go. */
  readonly link: { readonly member: number; signal(to: number, body: Uint8Array): void };
  readonly broker: PeerBroker;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Makes a link of a fresh channel. */
  readonly join: (channel: PeerChannel) => PeerLink;
  /** Called when a link opened or ended, and when somebody was heard of or given up. */
  readonly onChange: () => void;
}

/** All connections of one transfer to other browsers. */
export class Pairings {
  readonly #parts: PairingsParts;
  readonly #self: Bytes = crypto.getRandomValues(new Uint8Array(PEER_ID_BYTES));
  readonly #stop = new AbortController();
  readonly #others = new Acquaintances();
  #number = 0;
  /** The number under which this side was announced last. */
  #member = 0;
  #sending: Promise<void> = Promise.resolve();
  #receiving: Promise<void> = Promise.resolve();
  #waiting = 0;
  #expectUntilMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PairingsParts) {
    this.#parts = parts;
  }

  /** Those that can be asked. */
  get links(): readonly PeerLink[] {
    return this.#others.all.flatMap(({ attempt }) => (attempt?.link?.isUp ? attempt.link : []));
  }

  /** True while nobody is connected, tried, or lately heard of. */
  get isAlone(): boolean {
    if (this.#stop.signal.aborted) return true;
    const isMeeting = this.#others.all.some((known) => known.attempt !== undefined || known.isPursued);
    return !isMeeting && this.#parts.clock.now() >= this.#expectUntilMs;
  }

  /** The link to the relay may stand on another connection now: whoever is there is told. */
  changed(): void {
    const { member } = this.#parts.link;
    if (member === 0 || member === this.#member || this.#stop.signal.aborted) return;
    this.#member = member;
    this.#send({ kind: "announce" });
  }

  /** A signal came through the relay. @param body kept */
  signalled(from: number, body: Uint8Array): void {
    if (this.#stop.signal.aborted || this.#waiting >= MAX_WAITING_SIGNALS) return;
    this.#waiting += 1;
    this.#receiving = this.#receiving.then(async () => {
      this.#waiting -= 1;
      const { key, portal } = this.#parts;
      const signal = await openSignal(key, portal, body).catch(() => undefined); // not from a member of this portal
      if (signal !== undefined && !this.#stop.signal.aborted) this.#take(from, signal);
    });
  }

  /** It gave wrong bytes: it is left, and not met again. */
  distrust(link: PeerLink): void {
    const known = this.#others.all.find(({ attempt }) => attempt?.link === link);
    if (known === undefined) return;
    known.isBarred = true;
    known.attempt?.end();
  }

  /** Ends all connections. */
  close(): void {
    this.#stop.abort();
    for (const { attempt } of this.#others.all) attempt?.end();
  }

  #take(member: number, { from, to, number, said }: Signal): void {
    const isForAll = equalBytes(to, EVERYBODY);
    if (equalBytes(from, this.#self)) return; // sent back
    if (isForAll ? said.kind !== "announce" : !equalBytes(to, this.#self)) return;
    const known = this.#others.meet(from, number);
    if (known === undefined || known.isBarred) return;
    known.member = member;
    if (said.kind === "answer") known.attempt?.answered(said.offer, said.description);
    else if (said.kind === "announce") this.#heardOf(known, isForAll);
    else if (!this.#offersTo(known)) void this.#answer(known, said.description, number);
  }

  #heardOf(known: Known, isForAll: boolean): void {
    known.failures = 0;
    if (isForAll) this.#send({ kind: "announce" }, known);
    if (this.#offersTo(known)) this.#fill();
    else void this.#expect();
    this.#parts.onChange();
  }

  /** Somebody may offer a connection soon. */
  async #expect(): Promise<void> {
    const { clock, onChange } = this.#parts;
    const isExpecting = clock.now() < this.#expectUntilMs;
    this.#expectUntilMs = clock.now() + EXPECT_MS;
    if (isExpecting) return;
    while (clock.now() < this.#expectUntilMs) {
      const isOver = await clock.sleep(this.#expectUntilMs - clock.now(), this.#stop.signal).then(
        () => false,
        () => true,
      );
      if (isOver) return;
    }
    onChange();
  }

  /** The smaller name offers, so that two never offer to each other at once. */
  #offersTo({ id }: Known): boolean {
    const at = id.findIndex((byte, i) => byte !== this.#self[i]);
    return (this.#self[at] ?? 0) < (id[at] ?? 0);
  }

  get #hasPlace(): boolean {
    return this.#others.all.filter(({ attempt }) => attempt !== undefined).length < MAX_PEERS;
  }

  get #mayOffer(): boolean {
    const offers = this.#others.all.filter(
      ({ isPursued, attempt }) => isPursued && attempt && attempt.link?.isUp !== true,
    );
    return this.#hasPlace && offers.length < MAX_OFFERS && !this.#stop.signal.aborted;
  }

  /** There may be a place for somebody else. */
  #fill(): void {
    for (const known of this.#others.all) if (this.#offersTo(known)) void this.#pursue(known);
  }

  /** Offers a connection, and again when it dies or does not come to be. */
  async #pursue(known: Known): Promise<void> {
    const { clock, random, onChange } = this.#parts;
    const isWorthwhile = () => this.#mayOffer && !known.isBarred && known.failures < MAX_TRIES;
    if (known.isPursued || known.attempt !== undefined || !isWorthwhile()) return;
    known.isPursued = true;
    const delays = new Delays(clock, random, 0);
    try {
      while (isWorthwhile()) {
        const attempt = this.#begin(known);
        const isMade = await this.#offer(known, attempt).then(
          () => true,
          () => false,
        );
        if (isMade) {
          known.failures = 0;
          delays.reset();
          this.#fill();
          await attempt.link?.closed;
        } else known.failures += 1;
        this.#end(known, attempt);
        await clock.sleep(delays.next(), this.#stop.signal);
      }
    } catch {
      // all is over
    } finally {
      known.isPursued = false;
      onChange();
    }
  }

  async #offer(known: Known, attempt: PairingAttempt): Promise<void> {
    const { broker, join } = this.#parts;
    await attempt.own(broker.offer(), join);
    attempt.offer = this.#send({ kind: "offer", description: attempt.describe(readSdp) }, known);
    await attempt.accept(writeSdp);
    this.#parts.onChange();
  }

  async #answer(known: Known, offer: Description, number: number): Promise<void> {
    // Whoever offers again has lost what there was.
    if (known.attempt !== undefined) this.#end(known, known.attempt);
    if (!this.#hasPlace) return;
    const { broker, join, onChange } = this.#parts;
    const attempt = this.#begin(known);
    try {
      await attempt.own(broker.answer(writeSdp(offer)), join);
      this.#send({ kind: "answer", description: attempt.describe(readSdp), offer: number }, known);
      await attempt.open();
      onChange();
      await attempt.link?.closed;
    } catch {
      // the other side offers again
    } finally {
      this.#end(known, attempt);
    }
  }

  #begin(known: Known): PairingAttempt {
    const attempt = new PairingAttempt(this.#parts.clock);
    known.attempt = attempt;
    return attempt;
  }

  #end(known: Known, attempt: PairingAttempt): void {
    attempt.end();
    if (known.attempt !== attempt) return;
    known.attempt = undefined;
    this.#parts.onChange();
    this.#fill();
  }

  /** Seals and sends, one after the other, so that numbers arrive in order. Gives the signal's number. */
  #send(said: Said, to?: Known): number {
    const { key, portal, link } = this.#parts;
    this.#number += 1;
    const number = this.#number;
    const place = { from: this.#self, to: to?.id ?? EVERYBODY, number };
    this.#sending = this.#sending.then(async () => {
      const body = await sealSignal(key, portal, { ...place, said });
      if (!this.#stop.signal.aborted) link.signal(to?.member ?? 0, body);
    });
    return number;
  }
}
