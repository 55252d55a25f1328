/**
 * Stands in for workers/transfer/client.ts in the tests of the pages: a test writes the portal down before the page
 * loads and then says, snapshot by snapshot, how the transfer goes. No worker, no network.
 *
 * @module
 */
import type { DeviceState } from "../../core/edge/constraints.ts";
import { Failure, type FailureCode, type FailureDetails } from "../../core/failure.ts";
import type { FromPipe, ToPipe } from "../../core/ports/download-pipe.ts";
import type { TransferSnapshot } from "../../core/transfer/snapshot.ts";
import type {
  Entry,
  InterruptedTransfer,
  LinkPurpose,
  OnSnapshot,
  ResumeOptions,
  SendItem,
  SendOptions,
  TransferApi,
} from "../../workers/transfer/api.ts";
import type { PortalsScript } from "./scripted-portals.ts";

/** An interrupted transfer as plain data: its handles are folders of these names in the private file system. */
export type ScriptedInterrupted = Omit<InterruptedTransfer, "handles"> & { readonly handles: readonly string[] };

/** What the page meets; plain data, so that it can cross into the page. */
export interface Script {
  readonly entries?: readonly Entry[];
  /** Instead of `entries`: this many made-up files. */
  readonly entryCount?: number;
  /** The password that opens the portal. */
  readonly password?: string;
  /** What the link is for; for reading when left out. */
  readonly purpose?: LinkPurpose;
  /** What the portals worker has, see scripted-portals.ts. */
  readonly portals?: PortalsScript;
  /** What was interrupted before. Receives are offered by `open` too. */
  readonly interrupted?: readonly ScriptedInterrupted[];
  /** This browser cannot connect to others. */
  readonly noPeers?: boolean;
  /** `send`, `resumeSend` or `open` fails with it, and `discard` when another tab is at it. */
  readonly refusal?: { readonly code: FailureCode; readonly details?: FailureDetails };
}

/** What a test may look at and say, in the page as `globalThis.scripted`. */
export interface Scripted {
  /** Changes the snapshot of the newest transfer and shows it to the page. */
  show(change: Partial<TransferSnapshot>): void;
  readonly calls: readonly (readonly [method: string, ...values: unknown[]])[];
  /** What the page told of the device, in order. */
  readonly devices: readonly DeviceState[];
}

declare global {
  var script: Script | undefined;
  var scripted: Scripted;
}

const HASH = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
const BLANK: TransferSnapshot = {
  state: "preparing",
  bytesDone: 0,
  bytesTotal: 0,
  entriesDone: 0,
  entriesTotal: 0,
  listed: false,
  engine: { kind: "cpu", gpuStages: [], reason: "not-measured", adapter: null, figures: null },
  path: null,
  carrier: null,
  pathReason: null,
  edges: null,
  bytesPerSecond: 0,
  etaSeconds: null,
  bottleneck: null,
  waitingFor: null,
  waitingCode: null,
  nextTryMs: null,
  wireBytes: 0,
  knownBytes: 0,
  resumable: false,
  failure: null,
  peers: 0,
  expiresAtMs: null,
};

const LINK = "/p/q3Zk1Yw0R5uT8sVbXc2NeA#1.mJ2vQ7xL0pRz4HkT9aWcE6uYb1NfGd8SoiV3KqXhMtA.k8Zr";

const calls: [string, ...unknown[]][] = [];
const devices: DeviceState[] = [];
/** Portals that were discarded; a reload forgets them. */
const discarded = new Set<string>();

async function interruptedOf({ interrupted = [] }: Script): Promise<readonly InterruptedTransfer[]> {
  const root = await navigator.storage.getDirectory();
  const open = (name: string): Promise<FileSystemHandle> => root.getDirectoryHandle(name, { create: true });
  const left = interrupted.filter(({ kind, portal }) => !discarded.has(`${kind} ${portal}`));
  return Promise.all(left.map(async (one) => ({ ...one, handles: await Promise.all(one.handles.map(open)) })));
}

function entriesOf({ entries, entryCount = 0 }: Script): readonly Entry[] {
  const made = (_: unknown, index: number): Entry => {
    const folder = String(Math.floor(index / 1000)).padStart(3, "0");
    return { kind: "file", path: `set/${folder}/sample-${index}.json`, size: 1000 + index, mtimeMs: 0 };
  };
  return entries ?? Array.from({ length: entryCount }, made);
}

/** Lets the browser's download begin. Nothing flows, and it fails when the page goes. */
function beginDownload(port: MessagePort): void {
  const alive = crypto.randomUUID();
  void navigator.locks.request(alive, () => new Promise(() => {}));
  port.onmessage = ({ data }: MessageEvent<FromPipe>) => {
    if (data.type === "started") {
      port.postMessage({ type: "head", filename: "set.zip", length: null, alive } satisfies ToPipe);
    }
  };
}

/** The same shape as the product's. */
export function canConnectPeers(): boolean {
  return globalThis.script?.noPeers !== true;
}

/** The same shape as the product's `createTransfer`. */
export function createTransfer(): TransferApi & { terminate(): void } {
  const script = globalThis.script ?? {};
  const entries = entriesOf(script);
  const { purpose = { capability: "read" } } = script;
  let snapshot = BLANK;
  let listener: OnSnapshot = () => {};
  let isOver = false;
  const show = (change: Partial<TransferSnapshot>): void => {
    snapshot = { ...snapshot, ...change };
    if (!isOver) listener(snapshot);
  };
  const refuse = (): void => {
    if (script.refusal !== undefined) throw new Failure(script.refusal.code, script.refusal.details ?? {});
  };
  const list = (): void => {
    const bytesTotal = entries.reduce((sum, { size }) => sum + size, 0);
    show({ listed: true, entriesTotal: entries.length, bytesTotal, expiresAtMs: Date.UTC(2026, 10, 29, 12) });
  };
  const noted = async (method: string, ...values: unknown[]): Promise<void> => void calls.push([method, ...values]);
  globalThis.scripted = { show, calls, devices };
  return {
    subscribe: async (onSnapshot) => {
      listener = onSnapshot;
      // Across threads the first snapshot cannot come within the call.
      await Promise.resolve();
      listener(snapshot);
    },
    send: async (options: SendOptions) => {
      await noted("send", { ...options, handles: options.handles.map(({ kind, name }) => `${kind} ${name}`) });
      refuse();
      show({ expiresAtMs: Date.UTC(2026, 10, 29, 12) });
      return LINK;
    },
    add: async (items: readonly SendItem[], isLast: boolean) => {
      await noted(
        "add",
        items.map(({ path, file }) => [path, file?.size ?? null]),
        isLast,
      );
      const bytesTotal = snapshot.bytesTotal + items.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
      const entriesTotal = snapshot.entriesTotal + items.length;
      show({ entriesTotal, bytesTotal, ...(isLast ? { state: "running", listed: true } : {}) });
    },
    hashFile: async (index) => {
      await noted("hashFile", index);
      return HASH;
    },
    open: async (link, relayOrigin, overrides) => {
      await noted("open", link, relayOrigin, overrides);
      refuse();
      const rows = await interruptedOf(script);
      const interrupted = rows.find(({ kind }) => kind === "receive") ?? null;
      if (script.password !== undefined) return { passwordNeeded: true, purpose: null, interrupted };
      if (purpose.capability === "read") list();
      return { passwordNeeded: false, purpose, interrupted };
    },
    unlock: async (password) => {
      if (password !== script.password) throw new Failure("password/wrong");
      if (purpose.capability === "read") list();
      return purpose;
    },
    entries: async (from, to) => entries.slice(from, to),
    receive: async (sink, resume) => {
      if (sink.kind === "download") beginDownload(sink.port);
      await noted("receive", sink.kind, resume, ...(sink.kind === "directory" ? [sink.handle.name] : []));
      show({ state: "running" });
    },
    exportFile: async (path) => {
      await noted("exportFile", path);
      return new File(["verified"], path);
    },
    exportArchive: () => noted("exportArchive"),
    blob: async () => new File(["verified"], "one.txt"),
    interrupted: async () => {
      await noted("interrupted");
      return interruptedOf(script);
    },
    discard: async (kind, portal) => {
      await noted("discard", kind, portal);
      if (script.refusal?.code === "transfer/elsewhere") refuse();
      discarded.add(`${kind} ${portal}`);
    },
    resumeSend: async (portal: string, options: ResumeOptions) => {
      await noted("resumeSend", portal, options);
      refuse();
      show({ expiresAtMs: Date.UTC(2026, 10, 29, 12), resumable: true });
      return LINK;
    },
    tellDevice: async (device) => void devices.push(device),
    replan: () => noted("replan"),
    pause: async () => {
      await noted("pause");
      show({ state: "paused", bytesPerSecond: 0, etaSeconds: null, bottleneck: null });
    },
    resume: async () => {
      await noted("resume");
      show({ state: "running" });
    },
    cancel: async () => {
      await noted("cancel");
      show({ state: "cancelled", failure: { code: "cancelled", details: {} } });
    },
    terminate: () => {
      isOver = true;
    },
  };
}
