/**
 * The addon as an HTTP/3 transport of `@fails-components/webtransport`'s HttpServer. Known of the addon: the end of a
 * stream and close codes may be lost, its idle limit is 30 s, it reads certificates from files and only once.
 *
 * @module
 */
import type { Addon, AddonEvent, ServerHandle, SessionRequest } from "./native-addon.ts";
import { type CoreSession, NativeSession } from "./native-session.ts";

/** The core's server object, as far as it is used here. */
export interface CoreServer {
  onServerListening(event: { host: string; port: number }): void;
  onServerError(error: Error): void;
  onServerClose(): void;
  onSessionRequest(event: object): void;
  onHttpWTSessionVisitor(event: object): void;
}

export interface ListenOptions {
  /** An IP address */
  readonly host: string;
  readonly port: number;
  readonly certificatePath: string;
  readonly keyPath: string;
}

interface FinishRequest {
  readonly session: NativeSession & { jsobj: CoreSession | undefined };
  readonly status: number;
  readonly path: string;
  readonly header: object;
  readonly peerAddress: string;
  readonly userData?: object;
}

export class NativeTransport {
  readonly #addon: Addon;
  readonly #core: CoreServer;
  readonly #options: ListenOptions;
  readonly #sessions = new Map<number, NativeSession>();
  readonly #onBug: (error: unknown) => void;
  #server: ServerHandle | undefined;

  /** @param onBug is told what the core throws; the addon's events have no other caller */
  constructor(addon: Addon, core: CoreServer, options: ListenOptions, onBug: (error: unknown) => void) {
    this.#addon = addon;
    this.#core = core;
    this.#options = options;
    this.#onBug = onBug;
  }

  // Called by the core.

  startServer(): void {
    const { certificatePath, keyPath, host, port } = this.#options;
    const onEvent = (event: AddonEvent) => {
      try {
        this.#onEvent(event);
      } catch (error) {
        this.#onBug(error);
      }
    };
    try {
      this.#server = this.#addon.serverListen(certificatePath, keyPath, host, port, false, [], null, [], [], onEvent);
    } catch (error) {
      // Thrown further, the core would swallow it and never be ready.
      this.#core.onServerError(error as Error);
    }
  }
  stopServer(): void {
    if (this.#server !== undefined) this.#addon.serverShutdown(this.#server);
  }
  setJSRequestHandler(): void {}
  addPath(): void {}

  /** The addon has answered 200 already: a request is refused by closing its session. */
  finishSessionRequest({ session, status, path, header, peerAddress, userData }: FinishRequest): void {
    if (status !== 200) {
      session.close({ code: status, reason: "" });
      return;
    }
    this.#core.onHttpWTSessionVisitor({ session, path, header, peerAddress, userData });
    session.begin();
  }

  #onEvent(event: AddonEvent): void {
    switch (event.type) {
      case "listening":
        this.#core.onServerListening({ host: this.#options.host, port: event.port });
        return;
      case "serverError":
        this.#core.onServerError(new Error(event.message));
        return;
      case "serverClosed":
        for (const session of this.#sessions.values())
          session.dispatch({ type: "closed", code: 0, reason: new Uint8Array(0) });
        this.#sessions.clear();
        this.#core.onServerClose();
        return;
      case "serverReady":
        this.#accept(event);
        return;
      default:
        this.#sessions.get(event.session)?.dispatch(event);
        if (event.type === "closed") this.#sessions.delete(event.session);
    }
  }

  #accept(event: SessionRequest): void {
    if (this.#server === undefined) return;
    const session = new NativeSession(this.#addon, this.#server, event.session);
    this.#sessions.set(event.session, session);
    const header = { ":path": event.path, ":authority": event.authority };
    const peerAddress = `${event.remoteAddress}:${event.remotePort}`;
    this.#core.onSessionRequest({
      header,
      peerAddress,
      session,
      protocol: "http3:rwebtransport",
      transportPrivate: {},
    });
  }
}
