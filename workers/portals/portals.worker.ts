/**
 * The portals worker: the list, the identity that carries it to other devices, and the invitation.
 *
 * @module
 */
import { makePhrase } from "../../platform/registry/identity.ts";
import { onChange } from "../../platform/registry/notices.ts";
import { listPortals } from "../../platform/registry/registry.ts";
import { storedInvite, storeInvite } from "../../platform/registry/settings.ts";
import { forgetEverywhere } from "../../platform/registry/sync.ts";
import { exposeApi } from "../rpc.ts";
import type {
  IdentityState,
  KnownDevice,
  KnownPortal,
  LinkOptions,
  PortalsApi,
  RequestOptions,
  RuleChange,
} from "./api.ts";
import { exportText } from "./export.ts";
import { endIfEnded } from "./further.ts";
import {
  confirmPhrase,
  forgetAll,
  identityState,
  knownDevices,
  renewWaiting,
  restore,
  revokeDevice,
  trySync,
} from "./identity.ts";
import { PortalList } from "./portals.ts";

/** What is changed here is told to the vault after a moment, together with what follows at once. */
const SYNC_MS = 1_000;

class PortalsWorker implements PortalsApi {
  readonly #list = new PortalList(() => this.#tell());
  readonly #listeners = new Set<() => void>();
  #refreshing: Promise<void> | undefined;
  #syncing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    onChange(() => {
      this.#tell();
      clearTimeout(this.#syncing);
      this.#syncing = setTimeout(() => void trySync(), SYNC_MS);
    });
  }

  async subscribe(listener: () => void): Promise<void> {
    this.#listeners.add(listener);
  }

  list(): Promise<readonly KnownPortal[]> {
    return this.#list.list();
  }

  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  linkOf(portal: string): Promise<string | null> {
    return this.#list.linkOf(portal);
  }

  adopt(link: string, password: string, relayOrigin: string): Promise<string> {
    return this.#list.adopt(link, password, relayOrigin);
  }

  change(portal: string, change: RuleChange): Promise<void> {
    return this.#list.change(portal, change);
  }

  end(portal: string): Promise<void> {
    return this.#list.end(portal);
  }

  async forget(portal: string): Promise<void> {
    await endIfEnded(portal);
    await forgetEverywhere(portal);
  }

  addLink(portal: string, options: LinkOptions): Promise<string> {
    return this.#list.addLink(portal, options);
  }

  revokeLink(portal: string, link: string): Promise<void> {
    return this.#list.revokeLink(portal, link);
  }

  createRequest(options: RequestOptions): Promise<string> {
    return this.#list.createRequest(options);
  }

  identity(): Promise<IdentityState> {
    return identityState();
  }

  makePhrase(): Promise<readonly string[]> {
    return makePhrase();
  }

  confirmPhrase(relayOrigin: string, deviceName: string): Promise<void> {
    return confirmPhrase(relayOrigin, deviceName);
  }

  restore(phrase: string, relayOrigin: string, deviceName: string): Promise<void> {
    return restore(phrase, relayOrigin, deviceName);
  }

  devices(): Promise<readonly KnownDevice[]> {
    return knownDevices();
  }

  revokeDevice(device: string): Promise<number> {
    return revokeDevice(device);
  }

  async exportList(): Promise<string> {
    return exportText(await listPortals());
  }

  clear(): Promise<void> {
    return forgetAll();
  }

  async invite(): Promise<string> {
    return (await storedInvite()) ?? "";
  }

  setInvite(invite: string): Promise<void> {
    return storeInvite(invite);
  }

  /** What other devices changed comes first: a portal may have another key by now. */
  async #refresh(): Promise<void> {
    await trySync();
    await renewWaiting();
    await this.#list.refresh();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

exposeApi(new PortalsWorker());
