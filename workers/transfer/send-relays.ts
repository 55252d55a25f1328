/**
 * The relays of one send: home, which serves the link, and further ones on which the portal lives too. Only what could be made
 * again goes to those, so a send without a journal has only home.
 *
 * @module
 */
import type { Conditions } from "../../core/edge/constraints.ts";
import type { Policy } from "../../core/edge/policy.ts";
import { isLinkUp } from "../../core/edge/relay-edge.ts";
import { SealedReader } from "../../core/edge/sealed-reader.ts";
import { SteadyLink, type SteadyOptions } from "../../core/edge/steady-link.ts";
import type { RelaysMode } from "../../core/portal/portal.ts";
import { IN_FLIGHT_PACKS } from "../../core/transfer/outgoing.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import { SendFleet } from "../../core/transfer/send-fleet.ts";
import type { LegParts } from "../../core/transfer/send-leg.ts";
import type { PathKind } from "../../core/transfer/snapshot.ts";
import type { ObjectKind } from "../../core/wire/object.ts";
import { systemClock } from "../../platform/clock.ts";
import { createDial, webtransportAbsent } from "../../platform/link/dial.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import { onNetworkChange } from "../../platform/link/wake.ts";
import { JOIN_MS, type Place } from "./places.ts";

/** What they need. */
export interface SendRelaysParts {
  /** u8[16] */
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly home: Place;
  /** Origins of further relays where the portal may live. */
  readonly further: readonly string[];
  readonly mode: RelaysMode;
  /** Gets the portal to a further relay, or finds it there. @throws what keeps that relay out */
  readonly placeAt: (origin: string, signal: AbortSignal) => Promise<Place>;
  /** True when everything that is sent could be made again. */
  readonly isKept: Promise<boolean>;
  readonly path: PathKind | undefined;
  readonly policy: Policy | undefined;
  readonly conditions: () => Conditions;
  readonly onChange: () => void;
  readonly onLost: (kind: ObjectKind, index: number) => void;
  /** So many more packs may be under way. */
  readonly onWider: (packs: number) => void;
  readonly onSignal?: SteadyOptions["onSignal"];
}

export class SendRelays {
  /** The link to home. */
  readonly home: SteadyLink;
  /** Origins of the further relays that are used, when it is known of all of them. */
  readonly used: Promise<readonly string[]>;
  /** What the send stores by. */
  readonly link: SendFleet;
  readonly #parts: SendRelaysParts;
  readonly #stop = new AbortController();
  #count = 1;

  constructor(parts: SendRelaysParts) {
    this.#parts = parts;
    const { home, mode, policy, conditions, onLost } = parts;
    const leg = this.#open(home);
    this.home = leg.link;
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    const rules = { conditions, ...(policy && { policy }) };
    this.link = new SendFleet({ home: leg, mode, clock: systemClock, seed, onLost, ...rules });
    this.used = this.#joinAll();
  }

  /** Packs that may be under way now. */
  get inFlightPacks(): number {
    return IN_FLIGHT_PACKS * this.#count;
  }

  get receivers(): number {
    return this.link.receivers;
  }

  /** What tells of them. */
  get edges(): Progress["edges"] {
    return (waits) => this.link.snapshot(waits);
  }

  /** Somebody asks for a new plan. */
  replan(): void {
    this.link.replan();
  }

  /** How many packs there will be, as well as that is known. */
  setEnd(packs: number): void {
    this.link.setEnd(packs);
  }

  /** Ends everything; a portal that is being made at a further relay may still be made. */
  close(): void {
    this.#stop.abort();
    this.link.close();
  }

  async #joinAll(): Promise<readonly string[]> {
    const { further, isKept } = this.#parts;
    if (further.length === 0 || !(await isKept)) return [];
    const joined = await Promise.all(further.map((origin) => this.#join(origin).catch(() => false)));
    return further.filter((_, i) => joined[i]);
  }

  /** Gives true when the relay is used; one that is away, refuses, or asks for what is not here is left out. */
  async #join(origin: string): Promise<boolean> {
    const { placeAt, onWider } = this.#parts;
    const place = await placeAt(origin, this.#stop.signal);
    if (this.#stop.signal.aborted) return true;
    const leg = this.#open(place);
    this.#count += 1;
    this.link.join(leg);
    onWider(IN_FLIGHT_PACKS);
    // What it holds already is known then.
    await Promise.race([leg.link.connected().catch(() => {}), systemClock.sleep(JOIN_MS, this.#stop.signal)]);
    return true;
  }

  #open({ origin, info, ownerToken, lease }: Place): LegParts {
    const { portal, path, onChange, home, onSignal } = this.#parts;
    const readers = new Set<SealedReader>();
    const isHome = origin === home.origin;
    const link: SteadyLink = new SteadyLink({
      dial: createDial(origin, { portal, role: "send", token: ownerToken }, info),
      clock: systemClock,
      forced: path,
      webtransportAbsent: webtransportAbsent(info),
      random: Math.random,
      wake: onNetworkChange,
      lease,
      onChange: () => {
        // A request may wait long for a relay of which the link knows that it is away.
        if (!isLinkUp(link)) for (const reader of readers) reader.interrupt();
        // The first link is made before the fleet.
        const { link: fleet }: { readonly link: SendFleet | undefined } = this;
        fleet?.changed();
        onChange();
      },
      onLost: (kind, index) => this.link.lost(link, kind, index),
      ...(isHome && onSignal && { onSignal }),
    });
    const openReader = () => {
      const reader = new SealedReader(fetchFrom(origin), portal, ownerToken);
      readers.add(reader);
      return reader;
    };
    return { name: new URL(origin).host, link, openReader };
  }
}
