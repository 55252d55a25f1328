/**
 * The door for WebTransport: one listener whose certificate is renewed while the relay runs. A renewed certificate gets a
 * listener of its own on another UDP port, because no HTTP/3 engine here can change a certificate in place; the old
 * listener stays until its last session is gone.
 *
 * @module
 */
import { join } from "node:path";
import {
  findHttp3Engine,
  type Http3Engine,
  type Http3Listener,
  type ListenHandler,
} from "../carrier/http3-listener.ts";
import type { Logger } from "../log.ts";
import { CERTIFICATE_VALIDITY_MS } from "./certificate.ts";
import {
  type CertificateFiles,
  createCertificate,
  findCertificate,
  readCertificate,
  removeCertificate,
} from "./certificate-files.ts";

const DAY_MS = 24 * 3600 * 1000;
const MAX_TICK_MS = 300 * 1000;
const MAX_PORT = 65_535;

/** How long own certificates live, and how long before their end they are renewed. */
export interface Renewal {
  readonly validityMs: number;
  readonly renewBeforeMs: number;
}
export const DEFAULT_RENEWAL: Renewal = { validityMs: CERTIFICATE_VALIDITY_MS, renewBeforeMs: 4 * DAY_MS };

export interface DoorOptions {
  readonly host: string;
  /** UDP port, the same number as the TCP port. */
  readonly port: number;
  readonly dataDir: string;
  /** A certificate of the operator's, which is used as it is. */
  readonly own: { readonly certificatePath: string; readonly keyPath: string } | null;
  readonly renewal: Renewal;
  readonly handler: ListenHandler;
  readonly log: Logger;
  /** Finds what serves HTTP/3; replaced in tests of a machine without a binary. */
  readonly findEngine?: () => Promise<Http3Engine>;
}

/** Where WebTransport listens. */
export interface DoorState {
  readonly port: number;
  /** To pin; empty when the certificate is the operator's. */
  readonly certificateHashes: readonly string[];
  readonly certificateExpiresAtMs: number;
}

interface Serving {
  readonly listener: Http3Listener;
  readonly certificate: CertificateFiles;
}

/** Opens the door. Never throws: without WebTransport the relay runs over TCP, and `reason` says why. */
export async function openWebTransportDoor(options: DoorOptions): Promise<WebTransportDoor> {
  const door = new WebTransportDoor(options);
  await door.open();
  return door;
}

export class WebTransportDoor {
  readonly #options: DoorOptions;
  readonly #folder: string;
  #engine: Http3Engine | undefined;
  #current: Serving | undefined;
  #draining: Serving[] = [];
  #reason: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #turning: Promise<void> = Promise.resolve();

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#folder = join(options.dataDir, "tls");
  }

  get state(): DoorState | null {
    if (this.#current === undefined) return null;
    const { certificate, listener } = this.#current;
    const certificateHashes = this.#options.own === null ? [certificate.sha256] : [];
    return { port: listener.port, certificateHashes, certificateExpiresAtMs: certificate.expiresAtMs };
  }

  /** Why there is no WebTransport, as a sentence; null when there is. */
  get reason(): string | null {
    return this.#current === undefined ? (this.#reason ?? "WebTransport is not served.") : null;
  }

  async open(): Promise<void> {
    const { log, renewal, own } = this.#options;
    try {
      this.#engine = await (this.#options.findEngine ?? findHttp3Engine)();
      this.#current = await this.#listen(this.#engine, await this.#certificate());
      log.info("webtransport", { engine: this.#engine.name, port: this.#current.listener.port });
    } catch (error) {
      this.#reason = `WebTransport is not served: ${error instanceof Error ? error.message : "unknown"}.`;
      log.warn("webtransport-off", { reason: this.#reason });
    }
    if (this.#engine === undefined || own !== null) return;
    const period = Math.min(MAX_TICK_MS, renewal.renewBeforeMs / 10);
    this.#timer = setInterval(() => {
      this.#turning = this.#turning.then(() => this.#turn());
    }, period);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turning;
    const all = [...this.#draining, ...(this.#current === undefined ? [] : [this.#current])];
    this.#current = undefined;
    this.#draining = [];
    await Promise.all(all.map(({ listener }) => listener.close()));
  }

  /** Renews when it is time, and closes what is drained. */
  async #turn(): Promise<void> {
    try {
      const now = Date.now();
      const certificate = this.#current?.certificate;
      const isDue =
        certificate === undefined ||
        certificate.expiresAtMs - now < this.#options.renewal.renewBeforeMs ||
        // Made while the machine's clock was ahead: browsers would not take it yet.
        certificate.startsAtMs > now;
      if (isDue) await this.#renew();
      const over = this.#draining.filter(
        ({ listener, certificate }) => listener.sessions === 0 || certificate.expiresAtMs < now,
      );
      this.#draining = this.#draining.filter((serving) => !over.includes(serving));
      for (const { listener, certificate } of over) {
        await listener.close();
        await removeCertificate(certificate.certificatePath);
      }
    } catch (error) {
      this.#options.log.error("webtransport-renewal", { reason: error instanceof Error ? error.message : "unknown" });
    }
  }

  async #renew(): Promise<void> {
    if (this.#engine === undefined) return;
    const certificate = await createCertificate(this.#folder, Date.now(), this.#options.renewal.validityMs);
    const fresh = await this.#listen(this.#engine, certificate);
    if (this.#current !== undefined) this.#draining.push(this.#current);
    this.#current = fresh;
    this.#options.log.info("webtransport-renewed", { port: fresh.listener.port });
  }

  async #certificate(): Promise<CertificateFiles> {
    const { own, renewal } = this.#options;
    if (own !== null) return readCertificate(own.certificatePath, own.keyPath);
    const found = await findCertificate(this.#folder, Date.now(), Date.now() + renewal.renewBeforeMs);
    return found ?? createCertificate(this.#folder, Date.now(), renewal.validityMs);
  }

  /** Listens on the relay's port, or the next one while an older listener has that, or any. */
  async #listen(engine: Http3Engine, certificate: CertificateFiles): Promise<Serving> {
    const { host, port, handler } = this.#options;
    const taken = [this.#current, ...this.#draining].map((serving) => serving?.listener.port);
    const isFirst = this.#current === undefined;
    const ports = isFirst ? [port] : [port, port + 1, 0].filter((p) => p <= MAX_PORT && !taken.includes(p));
    let failure: unknown;
    for (const candidate of ports) {
      try {
        const { certificatePath, keyPath } = certificate;
        const listener = await engine.listen({ host, port: candidate, certificatePath, keyPath }, handler);
        return { listener, certificate };
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}
