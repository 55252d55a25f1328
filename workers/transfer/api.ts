/**
 * Contract of the transfer worker: one worker runs one transfer, a send or a receive. Plain data only; the page never
 * touches file bytes.
 *
 * @module
 */
import type { Entry } from "../../core/manifest/entry.ts";
import type { EngineFigures, PathKind, TransferSnapshot } from "../../core/transfer/snapshot.ts";

export type { Entry } from "../../core/manifest/entry.ts";

/** One dropped or picked thing; `file` is null for an empty folder. `path` is `/`-separated. */
export interface SendItem {
  readonly path: string;
  readonly file: File | null;
}

/** `?engine=`, `?path=` of the page's address. Only the engines and paths that are built may be named. */
export interface Overrides {
  readonly engine?: "cpu" | "gpu";
  readonly path?: PathKind;
}

export interface SendOptions {
  /** Seconds until the portal expires. */
  readonly expirySeconds: number;
  /** Completed downloads after which the portal expires, or null. */
  readonly maxDownloads: number | null;
  /** Empty for none. */
  readonly password: string;
  /** Origin that serves the relay's API, for example `http://localhost:8080`. */
  readonly relayOrigin: string;
  readonly overrides: Overrides;
  /** What was measured of the engines here before, from an earlier snapshot; null when nothing was. */
  readonly figures: EngineFigures | null;
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

export interface ReceiveOpened {
  /** True when `unlock` must be called before anything else. */
  readonly passwordNeeded: boolean;
}

/** Every method rejects with a Failure (core/failure.ts) whose code and details survive the crossing. */
export interface TransferApi {
  subscribe(onSnapshot: OnSnapshot): Promise<void>;

  /** Creates the portal. Resolves with the link's path and fragment, `/p/<portal>#1.<S>.<check>`; `add` says what to send. */
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
  unlock(password: string): Promise<void>;
  /** Entries `[from, to)` of those listed so far. */
  entries(from: number, to: number): Promise<readonly Entry[]>;
  /** Starts receiving everything into the sink. Resolves when the transfer ends well; a failure shows in the snapshot too. */
  receive(sink: SinkRequest): Promise<void>;
  /** After a receive into `private`: one file, disk-backed, to be saved by the page. */
  exportFile(path: string): Promise<File>;
  /** After a receive into `private`: everything as one zip through a download port (transferred). */
  exportArchive(port: MessagePort): Promise<void>;
  /** After a receive into `blob`. */
  blob(): Promise<File>;

  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the transfer. A cancelled send deletes its portal unless it was already done. */
  cancel(): Promise<void>;
}
