/**
 * The prebuilt quiche addon of the npm package `rwebtransport`, loaded directly: the package's own loader refuses some
 * versions of Node that the binary runs on, and its JavaScript ends the process when a client times out.
 *
 * @module
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export type ServerHandle = { readonly __brand: "server" };

/** Events of one session; `Session` events carry its number. */
export type SessionEvent =
  | { readonly type: "stream"; readonly streamId: number; readonly bidi: boolean }
  | { readonly type: "streamOpened"; readonly requestId: number; readonly streamId: number }
  | { readonly type: "streamData"; readonly streamId: number; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly type: "streamFin"; readonly streamId: number }
  | { readonly type: "streamReset"; readonly streamId: number; readonly code: number }
  | { readonly type: "streamStopSending"; readonly streamId: number; readonly code: number }
  | { readonly type: "writeAck"; readonly requestId: number }
  | { readonly type: "datagram"; readonly data: Uint8Array }
  | { readonly type: "draining" }
  | { readonly type: "error"; readonly message: string }
  | { readonly type: "closed"; readonly code: number; readonly reason: Uint8Array };

export interface SessionRequest {
  readonly type: "serverReady";
  readonly session: number;
  readonly authority: string;
  readonly path: string;
  readonly origin: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export type AddonEvent =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "serverError"; readonly message: string }
  | { readonly type: "serverClosed" }
  | SessionRequest
  | (SessionEvent & { readonly session: number });

/** The addon's functions for a server. */
export interface Addon {
  serverListen(
    certificatePath: string,
    keyPath: string,
    host: string,
    port: number,
    reusePort: boolean,
    protocols: readonly string[],
    allowedOrigins: readonly string[] | null,
    headerNames: readonly string[],
    headerValues: readonly string[],
    onEvent: (event: AddonEvent) => void,
  ): ServerHandle;
  serverOpenStream(server: ServerHandle, session: number, bidi: boolean, requestId: number): void;
  serverWrite(server: ServerHandle, session: number, stream: number, bytes: Uint8Array, requestId: number): void;
  serverFin(server: ServerHandle, session: number, stream: number): void;
  serverReset(server: ServerHandle, session: number, stream: number, code: number): void;
  serverStopSending(server: ServerHandle, session: number, stream: number, code: number): void;
  serverSetPaused(server: ServerHandle, session: number, stream: number, paused: boolean): void;
  serverMaxDatagramSize(server: ServerHandle): number;
  serverCloseSession(server: ServerHandle, session: number, code: number, reason: Uint8Array): void;
  serverDrain(server: ServerHandle, session: number): void;
  serverShutdown(server: ServerHandle): void;
}

/** @throws Error when no binary fits this machine */
export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  const root = join(dirname(require.resolve("rwebtransport")), "..");
  return require(join(root, "prebuilds", `${process.platform}-${process.arch}`, "rwebtransport.node")) as Addon;
}
