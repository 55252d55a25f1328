/**
 * What the bench asks of a page and what the page answers. Pages report by HTTP, because a debugging client attached to
 * the browser copies every frame and falsifies the numbers.
 *
 * Times are milliseconds since 1970 of the one machine that everything runs on.
 *
 * @module
 */
import type { PathKind } from "../../core/transfer/snapshot.ts";

export type ClientName = "sender" | "receiver";
export type LimitCarrier = "webtransport" | "websocket";

/** Where a receiver's bytes go: a file of the private file system, or a counter. */
export type Target = "file" | "discard";

export interface CommandTable {
  /** Fetches `url` into the private file `name`, replacing it. */
  load: { arguments: { url: string; name: string }; answer: null };
  /** SHA-256 of a private file, hexadecimal, and its size. */
  digest: { arguments: { name: string }; answer: { sha256: string; bytes: number } };
  /** Removes every private file whose name is not in `keep`. */
  clean: { arguments: { keep: readonly string[] }; answer: null };
  /** Object hash of each 4 MiB of a private file, base64: what a relay wants to know of objects that are not sealed. */
  objectHashes: { arguments: { name: string }; answer: readonly string[] };

  /** Sends a private file with the app's workers. Emits `link`. Ends when the relay has everything. */
  send: {
    arguments: { name: string; bytes?: number; relay: string; path: PathKind };
    answer: { startedMs: number; endedMs: number };
  };
  /** Receives with the app's workers into the app's private folder. */
  receive: {
    arguments: { link: string; relay: string; path: PathKind };
    answer: { startedMs: number; endedMs: number; carrier: string };
  };
  /** SHA-256 of the file that the last `receive` brought, hexadecimal, where it lies. */
  digestReceived: { arguments: null; answer: { sha256: string; bytes: number } };
  /** Receives into a port that only counts, as a download does. Emits `first` at the first verified byte. */
  receiveStream: {
    arguments: { link: string; relay: string; path: PathKind };
    answer: {
      startedMs: number;
      /** The worker answers, and the portal is open. */
      workerMs: number;
      openMs: number;
      firstMs: number;
      endedMs: number;
    };
  };

  /** Puts a private file on the relay as 4 MiB objects, neither cut nor sealed. Emits `portal` when it exists. */
  putObjects: {
    arguments: { name: string; hashes: readonly string[]; relay: string; carrier: LimitCarrier };
    answer: { startedMs: number; endedMs: number };
  };
  /** Takes such objects from the relay. */
  takeObjects: {
    arguments: {
      portal: PortalTicket;
      objects: number;
      target: Target;
      name: string;
      relay: string;
      carrier: LimitCarrier;
    };
    answer: { endedMs: number; bytes: number };
  };

  /** Uploads a private file by tus. */
  tusUpload: {
    arguments: { name: string; endpoint: string };
    answer: { startedMs: number; endedMs: number; location: string };
  };
  /** Fetches a URL into a private file. */
  download: { arguments: { url: string; name: string }; answer: { endedMs: number } };

  /** Opens a data channel and sends a private file through it when it stands. Emits `offer`. */
  channelSend: { arguments: { name: string; bytes: number }; answer: { startedMs: number; endedMs: number } };
  /** Gives the answer of the other browser to a running `channelSend`. */
  channelAnswer: { arguments: { sdp: string }; answer: null };
  /** Answers an offer and writes what comes into a private file. Emits `answer`. */
  channelReceive: { arguments: { sdp: string; bytes: number; name: string }; answer: { endedMs: number } };
}

/** How a receiver gets at objects of a portal that has no keys. */
export interface PortalTicket {
  /** u8[16] and u8[32], base64 */
  readonly portal: string;
  readonly readToken: string;
}

export type CommandName = keyof CommandTable;
export type ArgumentsOf<N extends CommandName> = CommandTable[N]["arguments"];
export type AnswerOf<N extends CommandName> = CommandTable[N]["answer"];

/** From bench to page. */
export interface Order {
  readonly id: number;
  readonly name: CommandName;
  readonly arguments: unknown;
}

/** From page to bench. */
export type Report =
  | { readonly id: number; readonly type: "event"; readonly name: string; readonly value: unknown }
  | { readonly id: number; readonly type: "answer"; readonly value: unknown }
  | { readonly id: number; readonly type: "error"; readonly message: string };

/** Addresses of the bench server. */
export const ROUTES = { next: "/bench/next", report: "/bench/report", data: "/bench/data/" } as const;
