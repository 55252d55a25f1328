/**
 * Where this browser stands with the recovery phrase, and the devices that share the list.
 *
 * @module
 */
import type { IdentityState, KnownDevice } from "../../../workers/portals/api.ts";
import { Deed } from "./deed.svelte.ts";
import type { Portals } from "./portals.svelte.ts";

export class Recovery {
  readonly #portals: Portals;
  readonly #relayOrigin: string;
  #identity = $state.raw<IdentityState | null>(null);
  #devices = $state.raw<readonly KnownDevice[]>([]);
  #unchanged = $state(0);
  #look: Promise<void> | null = null;
  /** Reading where it stands. */
  readonly looking = new Deed();
  /** What the person asked for last. */
  readonly deed = new Deed();

  constructor(portals: Portals, relayOrigin: string) {
    this.#portals = portals;
    this.#relayOrigin = relayOrigin;
  }

  /** Null until it was read. */
  get identity(): IdentityState | null {
    return this.#identity;
  }

  /** Empty unless the list is kept at the relay. */
  get devices(): readonly KnownDevice[] {
    return this.#devices;
  }

  /** Portals that a device taken off can still manage, because they are being sent. */
  get unchanged(): number {
    return this.#unchanged;
  }

  /** Reads where it stands; a failure shows in `looking`. */
  look(): Promise<void> {
    // Whoever looks while somebody is at it waits for the same answer.
    this.#look ??= this.#read().finally(() => {
      this.#look = null;
    });
    return this.#look;
  }

  async #read(): Promise<void> {
    await this.looking.run(async () => {
      this.#identity = await this.#portals.api.identity();
      this.#devices = this.#identity.state === "kept" ? await this.#portals.api.devices() : [];
    });
  }

  /** The 24 words, or undefined when `deed` failed. */
  makePhrase(): Promise<readonly string[] | undefined> {
    return this.deed.run(() => this.#portals.api.makePhrase());
  }

  /** True when the list is kept at the relay from now on. */
  confirm(deviceName: string): Promise<boolean> {
    return this.#does(() => this.#portals.api.confirmPhrase(this.#relayOrigin, deviceName));
  }

  /** True when this device is on the list of devices and has the list. */
  restore(phrase: string, deviceName: string): Promise<boolean> {
    return this.#does(() => this.#portals.api.restore(phrase, this.#relayOrigin, deviceName));
  }

  async revoke(device: string): Promise<void> {
    const left = await this.deed.run(() => this.#portals.api.revokeDevice(device));
    if (left !== undefined) this.#unchanged = left;
    await this.look();
  }

  async #does(work: () => Promise<void>): Promise<boolean> {
    const isDone = await this.deed.run(async () => {
      await work();
      return true;
    });
    return isDone === true;
  }
}
