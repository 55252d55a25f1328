/**
 * Starts the portals worker and speaks to it. One worker serves a page.
 *
 * @module
 */
import { callback, wrapWorker } from "../rpc.ts";
import { appScriptUrl } from "../script-url.ts";
import type { PortalsApi } from "./api.ts";
import portalsUrl from "./portals.worker.ts?worker&url";

/** The worker's API on the page's side; every call fails with `worker/crashed` when the worker dies. */
export interface Portals extends PortalsApi {
  /** Ends the worker at once. */
  terminate(): void;
}

export function createPortals(): Portals {
  const url = appScriptUrl(portalsUrl);
  const worker = wrapWorker<PortalsApi>(new Worker(url, { type: "module", name: "portals" }));
  const { call } = worker;
  return {
    subscribe: (onChange) => call((api) => api.subscribe(callback(onChange))),
    list: () => call((api) => api.list()),
    refresh: () => call((api) => api.refresh()),
    linkOf: (portal) => call((api) => api.linkOf(portal)),
    adopt: (link, password, relayOrigin) => call((api) => api.adopt(link, password, relayOrigin)),
    change: (portal, change) => call((api) => api.change(portal, change)),
    end: (portal) => call((api) => api.end(portal)),
    forget: (portal) => call((api) => api.forget(portal)),
    addLink: (portal, options) => call((api) => api.addLink(portal, options)),
    revokeLink: (portal, link) => call((api) => api.revokeLink(portal, link)),
    createRequest: (options) => call((api) => api.createRequest(options)),
    identity: () => call((api) => api.identity()),
    makePhrase: () => call((api) => api.makePhrase()),
    confirmPhrase: (relayOrigin, deviceName) => call((api) => api.confirmPhrase(relayOrigin, deviceName)),
    restore: (phrase, relayOrigin, deviceName) => call((api) => api.restore(phrase, relayOrigin, deviceName)),
    devices: () => call((api) => api.devices()),
    revokeDevice: (device) => call((api) => api.revokeDevice(device)),
    exportList: () => call((api) => api.exportList()),
    clear: () => call((api) => api.clear()),
    invite: () => call((api) => api.invite()),
    setInvite: (invite) => call((api) => api.setInvite(invite)),
    terminate: () => worker.terminate(),
  };
}
