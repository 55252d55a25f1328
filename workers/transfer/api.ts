/**
 * Contract of the transfer worker: one worker runs one transfer, a send or a receive. Plain data only; the page never
 * touches file bytes.
 *
 * @module
 */
import type { DeviceState } from "../../core/edge/constraints.ts";
import type { Policy } from "../../core/edge/policy.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import type { SinkKind } from "../../core/ports/sink.ts";
import type { EngineFigures, PathKind, TransferSnapshot } from "../../core/transfer/snapshot.ts";
import type { PageBroker } from "../../platform/webrtc/page-broker.ts";

export type { Entry } from "../../core/manifest/entry.ts";

/** One dropped or picked thing; `file` is null for an empty folder. `path` is `/`-separated. */
export interface SendItem {
  readonly path: string;
  readonly file: File | null;
}

/** `?engine=`, `?path=`, `?peers=` of the page's address. Only the engines and paths that are built may be named. */
export interface Overrides {
  readonly engine?: "cpu" | "gpu";
  readonly path?: PathKind;
  /** False: not directly between browsers. */
  readonly peers?: boolean;
  /** What the person prefers, from a setting; performance when left out. */
  readonly policy?: Policy;
}

export interface SendOptions {
  /** Seconds until the portal expires. */
  readonly expirySeconds: number;
  /** Seconds without any use after which it expires earlier, or null. */
  readonly idleSeconds: number | null;
  /** The path and fragment of a request's write link, where this is handed in to somebody; null for an ordinary send. */
  readonly request: { readonly link: string; readonly password: string } | null;
  /** Completed downloads after which the portal expires, or null. */
  readonly maxDownloads: number | null;
  /** Empty for none. */
  readonly password: string;
  /** Origin that serves the relay's API, for example `http://localhost:8080`. */
  readonly relayOrigin: string;
  readonly overrides: Overrides;
  /** What was measured of the engines here before, from an earlier snapshot; null when nothing was. */
  readonly figures: EngineFigures | null;
  /** What the items were found under, where the browser gives handles: kept, so that a resume need not ask for them. */
  readonly handles: readonly FileSystemHandle[];
}

/** A transfer that this browser wrote down and that did not end. */
export interface InterruptedTransfer {
  readonly kind: "send" | "receive";
  /** The portal's id, base64url. */
  readonly portal: string;
  /** Path and fragment of the share link. */
  readonly link: string;
  /** A file's name, or "12 files"; from the manifest's own names. */
  readonly title: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly entriesTotal: number;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly expiresAtMs: number | null;
  /** Where a receive goes; null for a send. */
  readonly sink: SinkKind | null;
  /** What a send was found under, or the folder that a receive writes to; permission may have to be asked for again. */
  readonly handles: readonly FileSystemHandle[];
  /** It is running in another tab of this browser right now. */
  readonly isRunning: boolean;
}

/** How a send is taken up again. */
export interface ResumeOptions {
  readonly overrides: Overrides;
  readonly figures: EngineFigures | null;
  /** Take it over from another tab of this browser, which is told. */
  readonly takeOver: boolean;
}

/** Where received bytes go. */
export type SinkRequest =
  | { readonly kind: "directory"; readonly handle: FileSystemDirectoryHandle }
  | { readonly kind: "private" }
  /** `port` comes from startDownload; transferred. */
  | { readonly kind: "download"; readonly port: MessagePort }
  /** Bounded, in memory: where there is no service worker. The page saves what `blob()` gives. */
  | { readonly kind: "blob" };

/** Called at most ten times a second and on every change of state. */
export type OnSnapshot = (snapshot: TransferSnapshot) => void;

/** What a link turned out to be for. */
export type LinkPurpose =
  | { readonly capability: "read" }
  /** Files can be handed in; `title` is the asker's. */
  | { readonly capability: "write"; readonly title: string }
  /** The portal can be managed. */
  | { readonly capability: "admin" };

export interface ReceiveOpened {
  /** True when `unlock` must be called before anything else. */
  readonly passwordNeeded: boolean;
  /** Null while the password is needed. Nothing can be received by a link that is not for reading. */
  readonly purpose: LinkPurpose | null;
  /** What an interrupted receive of this portal left, which `receive` can continue; null when there is none. */
  readonly interrupted: InterruptedTransfer | null;
}

/** Every method rejects with a Failure (core/failure.ts) whose code and details survive the crossing. */
export interface TransferApi {
  /** @param broker connects to other browsers for the worker, which cannot; absent where the page cannot either */
  subscribe(onSnapshot: OnSnapshot, broker?: PageBroker): Promise<void>;

  /**
   * Creates the portal. Resolves with the link's path and fragment, `/p/<portal>#1.<S>.<check>`; `add` says what to send.
   * Fails with `relay/invite` where the relay wants an invitation.
   */
  send(options: SendOptions): Promise<string>;
  /** More of what to send, in slices, so that a long list holds up neither link nor page; the last ones start sending. */
  add(items: readonly SendItem[], isLast: boolean): Promise<void>;
  /** BLAKE3-256 of one whole file as hexadecimal, equal to `b3sum`; reads the file. `index` into all items added. */
  hashFile(index: number): Promise<string>;

  /**
   * Opens a portal from a link's path and fragment (`/p/…#…`), connects and starts listing.
   * Fails with `link/cut`, `link/version`, `portal/unknown`, `portal/expired`, `link/wrong-secret`, `relay/…`.
   */
  open(link: string, relayOrigin: string, overrides: Overrides, figures: EngineFigures | null): Promise<ReceiveOpened>;
  /** Fails with `password/wrong` and may be called again. */
  unlock(password: string): Promise<LinkPurpose>;
  /** Entries `[from, to)` of those listed so far. */
  entries(from: number, to: number): Promise<readonly Entry[]>;
  /**
   * Starts receiving everything into the sink, or continues what was interrupted there; without `resume` what an earlier
   * receive left unfinished is removed. Resolves when the transfer ends well; a failure shows in the snapshot too.
   */
  receive(sink: SinkRequest, resume: boolean): Promise<void>;
  /** After a receive into `private`: one file, disk-backed, to be saved by the page. */
  exportFile(path: string): Promise<File>;
  /** After a receive into `private`: everything as one zip through a download port (transferred). */
  exportArchive(port: MessagePort): Promise<void>;
  /** After a receive into `blob`. */
  blob(): Promise<File>;

  /** Transfers of this browser that did not end, newest first. Needs neither `send` nor `open`. */
  interrupted(): Promise<readonly InterruptedTransfer[]>;
  /** Forgets one: a send's portal is deleted, a receive's unfinished files are removed. */
  discard(kind: "send" | "receive", portal: string): Promise<void>;
  /**
   * Takes up an interrupted send instead of `send`; `add` then gives the same items again. Gives the link's path and fragment.
   * Fails with `journal/absent`, `journal/damaged`, `transfer/elsewhere`, `portal/expired`; files that are missing or
   * changed end the transfer with `file/absent` or `file/changed`, and it can be resumed again.
   */
  resumeSend(portal: string, options: ResumeOptions): Promise<string>;

  /** What the browser tells of this device, at the beginning and whenever it changes; nothing is known before. */
  tellDevice(device: DeviceState): Promise<void>;
  /** Asks for a new plan of what is still to come; nothing where there is none to make. */
  replan(): Promise<void>;

  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the transfer. A cancelled send deletes its portal unless it was already done. */
  cancel(): Promise<void>;
}
