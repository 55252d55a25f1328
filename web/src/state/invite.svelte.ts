/**
 * The invitation of a relay that asks for one: typed once, or taken from the address, and kept in this browser.
 *
 * @module
 */
import { inviteOf } from "../lib/address.ts";
import type { Portals } from "./portals.svelte.ts";
import type { Relay } from "./relay.svelte.ts";

export class Invite {
  readonly #relay: Relay;
  readonly #portals: Portals;
  /** Null until the worker has said. */
  #kept = $state<string | null>(null);
  #isRefused = $state(false);
  /** What is typed and not kept yet. */
  typed = $state("");

  constructor(relay: Relay, portals: Portals) {
    this.#relay = relay;
    this.#portals = portals;
  }

  /** True when a person has to give one before anything can be created. */
  get isAsked(): boolean {
    return this.#relay.needsInvite && (this.#kept === "" || this.#isRefused);
  }

  /** The relay did not take the last one. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Asks relay and worker what is needed and what is there. Never fails: creating says what is wrong. */
  async look(): Promise<void> {
    await this.#relay.ask();
    if (!this.#relay.needsInvite || this.#kept !== null) return;
    this.#kept = await this.#portals.api.invite().catch(() => "");
  }

  /** Keeps what was typed. @throws Failure */
  async keep(): Promise<void> {
    if (this.isAsked) await this.#store(inviteOf(this.typed));
  }

  /** Takes the invitation out of `/#invite=…`; the address keeps nothing of it. */
  async takeFrom(address: Location): Promise<void> {
    if (!address.hash.startsWith("#invite=")) return;
    const code = inviteOf(address.hash);
    history.replaceState(history.state, "", address.pathname + address.search);
    await this.#store(code).catch(() => {
      // It is asked for instead.
      this.#kept = "";
    });
  }

  /** The relay refused it: it is asked for again. */
  refuse(): void {
    this.#isRefused = true;
  }

  async #store(code: string): Promise<void> {
    await this.#portals.api.setInvite(code);
    this.#kept = code;
    this.#isRefused = false;
    this.typed = "";
  }
}
