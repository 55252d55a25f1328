/**
 * Starts a transfer worker and speaks to it. One worker runs one transfer.
 *
 * @module
 */
import { canConnectPeers, type PageBroker, PeerConnections } from "../../platform/webrtc/page-broker.ts";
import { callback, transferring, wrapWorker } from "../rpc.ts";
import { appScriptUrl } from "../script-url.ts";
import type { LinkPurpose, OnSnapshot, SinkRequest, TransferApi } from "./api.ts";
import transferUrl from "./transfer.worker.ts?worker&url";

export { canConnectPeers } from "../../platform/webrtc/page-broker.ts";

/** The worker's API on the page's side; every call fails with `worker/crashed` when the worker dies. */
export interface Transfer extends TransferApi {
  /** Ends the worker at once, without good-bye. */
  terminate(): void;
}

export function createTransfer(): Transfer {
  const url = appScriptUrl(transferUrl);
  const worker = wrapWorker<TransferApi>(new Worker(url, { type: "module", name: "transfer" }));
  const connections = new PeerConnections();
  const { call } = worker;
  return {
    subscribe: (onSnapshot: OnSnapshot) => call((api) => api.subscribe(callback(onSnapshot), lend(connections))),
    send: (options) => call((api) => api.send(options)),
    add: (items, isLast) => call((api) => api.add(items, isLast)),
    hashFile: (index) => call((api) => api.hashFile(index)),
    open: (link, relayOrigin, overrides, figures) => call((api) => api.open(link, relayOrigin, overrides, figures)),
    unlock: (password) => call((api) => api.unlock(password) as Promise<LinkPurpose>),
    entries: (from, to) => call((api) => api.entries(from, to)),
    receive: (sink: SinkRequest, resume) =>
      call((api) => api.receive(sink.kind === "download" ? transferring(sink, [sink.port]) : sink, resume)),
    exportFile: (path) => call((api) => api.exportFile(path)),
    exportArchive: (port) => call((api) => api.exportArchive(transferring(port, [port]))),
    blob: () => call((api) => api.blob()),
    interrupted: () => call((api) => api.interrupted()),
    discard: (kind, portal) => call((api) => api.discard(kind, portal)),
    resumeSend: (portal, options) => call((api) => api.resumeSend(portal, options)),
    tellDevice: (device) => call((api) => api.tellDevice(device)),
    replan: () => call((api) => api.replan()),
    pause: () => call((api) => api.pause()),
    resume: () => call((api) => api.resume()),
    cancel: () => call((api) => api.cancel()),
    terminate: () => {
      worker.terminate();
      connections.closeAll();
    },
  };
}

/** The page's connections, as the worker may use them; undefined where this browser cannot give a worker their channels. */
function lend(connections: PeerConnections): PageBroker | undefined {
  if (!canConnectPeers()) return undefined;
  return callback({
    open: async (id) => {
      const channel = connections.open(id);
      return transferring(channel, [channel]);
    },
    describe: (id, offer) => connections.describe(id, offer),
    accept: (id, answer) => connections.accept(id, answer),
    close: async (id) => connections.close(id),
  } satisfies PageBroker);
}
