/**
 * The send page: a draft becomes a portal with a link, and the transfer runs until everything is on the relay; an
 * interrupted one is taken up again. Handing in to somebody's request is the same, without a link to share.
 *
 * @module
 */
import type { InterruptedTransfer, Overrides, SendOptions, TransferApi } from "../../../workers/transfer/api.ts";
import { portalOf } from "../lib/address.ts";
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
  /** Whose request this is handed in to; null for an ordinary send. */
  readonly #request: SendOptions["request"];
  #transfer = $state.raw<Transfer | null>(null);
  #link = $state<string | null>(null);
  #portal = $state<string | null>(null);
  #hasHandles = $state(false);
  #isResumed = $state(false);
  /** Resolves when the draft holds all that the running transfer sends. */
  #adding: Promise<void> = Promise.resolve();
  /** Started, and not yet asked to send. */
  #waiting: Transfer | null = null;

  constructor(relay: Relay, overrides: Overrides, request: SendOptions["request"] = null) {
    this.#relay = relay;
    this.#overrides = overrides;
    this.#request = request;
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

  /** The portal's id, or null until the portal exists. */
  get portal(): string | null {
    return this.#portal;
  }

  /** True when a resume finds the files again by itself. */
  get hasHandles(): boolean {
    return this.#hasHandles;
  }

  /** True for a transfer that was begun in an earlier page. */
  get isResumed(): boolean {
    return this.#isResumed;
  }

  /** Creates the portal and starts sending at once. Failures end in `transfer.failure`. */
  async createLink(): Promise<void> {
    if (this.#transfer !== null || this.draft.items.length === 0) return;
    const { handles } = this.draft;
    this.#hasHandles = handles.length > 0;
    await this.#run((api) =>
      api.send({
        expirySeconds: this.draft.expirySeconds ?? this.#relay.defaultExpirySeconds,
        idleSeconds: this.draft.idleSeconds,
        request: this.#request,
        maxDownloads: this.draft.maxDownloads,
        password: this.draft.password,
        relayOrigin: this.#relay.origin,
        overrides: this.#overrides,
        figures: rememberedFigures(),
        handles,
      }),
    );
  }

  /**
   * Takes an interrupted send up again, with its files: found under its handles, or chosen once more. They go the same way
   * as the first time, so that they have the same paths. Failures end in `transfer.failure`.
   */
  async resume(
    { portal, handles }: Pick<InterruptedTransfer, "portal" | "handles">,
    collecting: Promise<Collected> | Collected,
    takeOver: boolean,
  ): Promise<void> {
    this.startOver();
    this.#portal = portal;
    this.#hasHandles = handles.length > 0;
    this.#isResumed = true;
    this.#adding = this.draft.add(collecting);
    await this.#resume(portal, takeOver);
  }

  /** Takes up this page's own send after it failed, with the files at hand. */
  async again(takeOver: boolean): Promise<void> {
    if (this.#portal === null) return;
    this.#transfer?.[Symbol.dispose]();
    await this.#resume(this.#portal, takeOver);
  }

  /** Back to the list, with the same files and options. */
  backToDraft(): void {
    this.#transfer?.[Symbol.dispose]();
    this.#transfer = null;
    this.#link = null;
    this.#portal = null;
    this.#hasHandles = false;
    this.#isResumed = false;
  }

  /** Back to an empty page. */
  startOver(): void {
    this.backToDraft();
    this.draft.clear();
    this.draft.password = "";
    this.#adding = Promise.resolve();
  }

  /** The transfer is not shown any more. */
  [Symbol.dispose](): void {
    this.#waiting?.[Symbol.dispose]();
    this.backToDraft();
  }

  #resume(portal: string, takeOver: boolean): Promise<void> {
    return this.#run((api) =>
      api.resumeSend(portal, { overrides: this.#overrides, figures: rememberedFigures(), takeOver }),
    );
  }

  /** Begins, shows the link at once, and hands over the draft's items when they are all there. */
  async #run(begin: (api: TransferApi) => Promise<string>): Promise<void> {
    const transfer = this.#waiting ?? new Transfer("send");
    this.#waiting = null;
    this.#transfer = transfer;
    this.#link = null;
    try {
      const [isShown] = await Promise.all([
        begin(transfer.api).then((link) => this.#show(transfer, link)),
        this.#adding,
      ]);
      if (isShown) await this.#addItems(transfer);
    } catch (error) {
      transfer.refuse(error);
    }
  }

  /** False when the transfer is not the page's any more. */
  #show(transfer: Transfer, link: string): boolean {
    if (this.#transfer !== transfer) return false;
    this.#link = this.#relay.origin + link;
    this.#portal = portalOf(link);
    return true;
  }

  /** Hands the items over in slices, so that the page goes on drawing under a long list. */
  async #addItems(transfer: Transfer): Promise<void> {
    const { items } = this.draft;
    for (let from = 0; this.#transfer === transfer; from += ITEMS_AT_ONCE) {
      const slice = items.slice(from, from + ITEMS_AT_ONCE).map(({ path, file }) => ({ path, file }));
      const isLast = from + ITEMS_AT_ONCE >= items.length;
      await transfer.api.add(slice, isLast);
      if (isLast) return;
    }
  }
}
