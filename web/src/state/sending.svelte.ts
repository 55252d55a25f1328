/**
 * The send page: a draft becomes a portal with a link, and the transfer runs until everything is on the relay.
 *
 * @module
 */
import type { Overrides } from "../../../workers/transfer/api.ts";
import type { Collected } from "../lib/collect.ts";
import { rememberedFigures } from "../lib/engine-figures.ts";
import { Draft } from "./draft.svelte.ts";
import type { Relay } from "./relay.svelte.ts";
import { Transfer } from "./transfer.svelte.ts";

/** Items that cross to the worker in one message. */
const ITEMS_AT_ONCE = 1000;

export class Sending {
  readonly draft = new Draft();
  readonly #relay: Relay;
  readonly #overrides: Overrides;
  #transfer = $state.raw<Transfer | null>(null);
  #link = $state<string | null>(null);
  /** Started, and not yet asked to send. */
  #waiting: Transfer | null = null;

  constructor(relay: Relay, overrides: Overrides) {
    this.#relay = relay;
    this.#overrides = overrides;
  }

  /**
   * Adds what a drop, an input or a paste gave. The worker starts meanwhile, so that the link appears at once when it is
   * asked for.
   */
  async add(collecting: Promise<Collected> | Collected): Promise<void> {
    this.#waiting ??= new Transfer("send");
    await this.draft.add(collecting);
  }

  /** Null until the link was asked for. */
  get transfer(): Transfer | null {
    return this.#transfer;
  }

  /** The whole link, or null until the portal exists. */
  get link(): string | null {
    return this.#link;
  }

  /** Creates the portal and starts sending at once. Failures end in `transfer.failure`. */
  async createLink(): Promise<void> {
    if (this.#transfer !== null || this.draft.items.length === 0) return;
    const transfer = this.#waiting ?? new Transfer("send");
    this.#waiting = null;
    this.#transfer = transfer;
    try {
      const link = await transfer.api.send({
        expirySeconds: this.draft.expirySeconds ?? this.#relay.defaultExpirySeconds,
        maxDownloads: this.draft.maxDownloads,
        password: this.draft.password,
        relayOrigin: this.#relay.origin,
        overrides: this.#overrides,
        figures: rememberedFigures(),
      });
      if (this.#transfer !== transfer) return;
      this.#link = this.#relay.origin + link;
      await this.#addItems(transfer);
    } catch (error) {
      transfer.refuse(error);
    }
  }

  /** Hands the items over in slices, so that the page goes on drawing under a long list. */
  async #addItems(transfer: Transfer): Promise<void> {
    const { items } = this.draft;
    for (let from = 0; from < items.length && this.#transfer === transfer; from += ITEMS_AT_ONCE) {
      const slice = items.slice(from, from + ITEMS_AT_ONCE).map(({ path, file }) => ({ path, file }));
      await transfer.api.add(slice, from + ITEMS_AT_ONCE >= items.length);
    }
  }

  /** Back to the list, with the same files and options. */
  backToDraft(): void {
    this.#transfer?.[Symbol.dispose]();
    this.#transfer = null;
    this.#link = null;
  }

  /** Back to an empty page. */
  startOver(): void {
    this.backToDraft();
    this.draft.clear();
    this.draft.password = "";
  }
}
