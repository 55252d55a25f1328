/**
 * What the tests of the transfer worker run in a page of the product: its worker, driven by hand, and this browser's list.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { ownerKey, relayToken } from "../../core/seal/keys.ts";
import type { TransferSnapshot } from "../../core/transfer/snapshot.ts";
import { listPortals } from "../../platform/registry/registry.ts";
import { callback, type RemoteWorker, wrapWorker } from "../../workers/rpc.ts";
import type { LinkPurpose, SendOptions, TransferApi } from "../../workers/transfer/api.ts";

declare global {
  /** For `page.evaluate`. */
  var warpTransfer: typeof tools;
}

let worker: RemoteWorker<TransferApi> | undefined;
/** What is being sent. */
let sent: File | undefined;

const tools = {
  last: null as TransferSnapshot | null,
  /** A fresh worker in place of the last one, which dies without a word. */
  async start(url: string): Promise<void> {
    worker?.terminate();
    worker = wrapWorker<TransferApi>(new Worker(url, { type: "module" }));
    tools.last = null;
    await worker.api.subscribe(
      callback((snapshot: TransferSnapshot) => {
        tools.last = snapshot;
      }),
    );
  },
  get api() {
    if (worker === undefined) throw new Error("no worker was started");
    return worker.api;
  },
  async send(name: string, bytes: number, options: Partial<SendOptions>): Promise<string> {
    const content = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
    const link = await tools.api.send({
      expirySeconds: 3600,
      idleSeconds: null,
      request: null,
      maxDownloads: null,
      password: "",
      relayOrigin: location.origin,
      overrides: { engine: "cpu" },
      figures: null,
      handles: [],
      ...options,
    });
    sent = new File([content], name);
    await tools.api.add([{ path: name, file: sent }], true);
    return link;
  },
  /** Takes up the send that the last worker left, with the same file. */
  async resume(portal: string): Promise<void> {
    if (sent === undefined) throw new Error("nothing was sent");
    await tools.api.resumeSend(portal, { overrides: { engine: "cpu" }, figures: null, takeOver: true });
    await tools.api.add([{ path: sent.name, file: sent }], true);
  },
  /** Comlink makes one promise of each of its cases. */
  unlock: (password: string) => tools.api.unlock(password) as Promise<LinkPurpose>,
  open: (link: string) => tools.api.open(link, location.origin, { engine: "cpu" }, null),
  /** `resolved`, or the code of what was thrown. */
  async codeOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return "resolved";
    } catch (error) {
      return error instanceof Failure ? error.code : String(error);
    }
  },
  /** Of the portal on the list that was made last. */
  async ownerToken(at = location.origin): Promise<number[]> {
    const [record] = await listPortals();
    if (record?.ownerSecret == null) throw new Error("nothing of one's own is on the list");
    const portal = base64urlnopad.decode(record.portal);
    return [...(await relayToken(await ownerKey(record.ownerSecret), "own", at, portal))];
  },
  /** Further relays of the portal on the list that was made last. */
  async relays(): Promise<readonly string[]> {
    return (await listPortals())[0]?.relays ?? [];
  },
  async list() {
    return (await listPortals()).map(({ as, title, bytesTotal, entriesTotal, links, ownerSecret, ended }) => ({
      as,
      title,
      bytesTotal,
      entriesTotal,
      path: links[0]?.path,
      isOwned: ownerSecret?.length === 32,
      ended,
    }));
  },
};

globalThis.warpTransfer = tools;
