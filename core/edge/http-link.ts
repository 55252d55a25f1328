/**
 * A link made of plain HTTP requests: for scripts, for the command line, and for browsers behind proxies that break
 * WebSockets. Waiting for objects and for state is long polling.
 *
 * @module
 */
import { base64, base64urlnopad } from "@scure/base";
import { Failure, type FailureCode, FAILURES, toFailure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link, LinkRole } from "../ports/link.ts";
import type { PortalStateJson } from "../portal/portal.ts";
import { SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../units.ts";
import type { Commitment, PortalState } from "../wire/frame.ts";
import { checkHeader, type ObjectKind, type SealedObject } from "../wire/object.ts";
import { deferred } from "./deferred.ts";

export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Path and query below the relay's origin. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  header(name: string): string | null;
  /** The whole body, at most `maxBytes`. @throws Failure `wire/too-large` */
  bytes(maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Sends one request. @throws Failure `relay/unreachable` when no answer comes; a status is never an exception here */
export type SendRequest = (request: HttpRequest) => Promise<HttpResponse>;

/** Longest wait of one long poll, seconds; below the time-outs of common proxies. */
const WAIT_SECONDS = 20;
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** An API call whose answer is JSON. @throws Failure with the relay's code */
export async function callApi<T>(send: SendRequest, request: HttpRequest): Promise<T> {
  const response = await send(request);
  const text = new TextDecoder().decode(await response.bytes(MAX_JSON_BYTES));
  const value: unknown = parseJson(text);
  if (response.status >= 400) throw apiFailure(response.status, value);
  // A captive portal or a foreign server answers 200 with a page.
  if (response.status !== 204 && (typeof value !== "object" || value === null))
    throw new Failure("relay/unreachable", { what: "not a relay", status: response.status });
  return value as T;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function apiFailure(status: number, body: unknown): Failure {
  const code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
  if (typeof code === "string" && Object.hasOwn(FAILURES, code)) return new Failure(code as FailureCode, { status });
  return new Failure("relay/unreachable", { status });
}

/** Checks the token by asking for the portal's state. @throws Failure */
export async function openHttpLink(send: SendRequest, role: LinkRole, clock: Clock): Promise<Link> {
  const link = new HttpLink(send, role, clock);
  await link.refresh();
  return link;
}

class HttpLink implements Link {
  readonly carrier = "http" as const;
  readonly limits = { windowBytes: UPLOAD_WINDOW_BYTES, maxWants: 8 };
  readonly #send: SendRequest;
  readonly #clock: Clock;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #closed = deferred<Failure>();
  readonly #abort = new AbortController();
  #state: PortalState | undefined;
  #version = -1;

  constructor(send: SendRequest, role: LinkRole, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
    this.#base = `/api/v1/portals/${base64urlnopad.encode(role.portal)}`;
    this.#headers = { Authorization: `Bearer ${base64urlnopad.encode(role.token)}` };
  }

  get state(): PortalState {
    if (this.#state === undefined) throw new Error("not opened yet");
    return this.#state;
  }
  get closed(): Promise<Failure> {
    return this.#closed.promise;
  }

  onState(listener: (state: PortalState) => void): void {
    void this.#follow(listener);
  }

  async put({ header, bytes }: SealedObject): Promise<void> {
    const path = `${this.#base}/${header.kind}s/${header.index}${header.final ? "?final=1" : ""}`;
    const digest = { "Content-Digest": `sha-256=:${base64.encode(header.hash)}:`, "Content-Type": "application/octet-stream" };
    await this.#call({ method: "PUT", path, headers: digest, body: bytes });
  }

  async get(kind: ObjectKind, index: number, signal?: AbortSignal): Promise<SealedObject> {
    const path = `${this.#base}/${kind}s/${index}?wait=${WAIT_SECONDS}`;
    for (;;) {
      this.#assertOpen();
      if (signal?.aborted) throw new Failure("cancelled");
      const request = { method: "GET" as const, path, headers: this.#headers, signal: signal ?? this.#abort.signal };
      const response = await this.#guard(this.#send(request));
      const bytes = await this.#guard(response.bytes(SEALED_PACK_BYTES));
      if (response.status === 200) return received(kind, index, response, bytes);
      const failure = apiFailure(response.status, parseJson(new TextDecoder().decode(bytes)));
      if (failure.code !== "object/absent" || this.state.commitment !== null) throw failure;
    }
  }

  async commit(commitment: Commitment): Promise<void> {
    const body = JSON.stringify({ ...commitment, root: base64urlnopad.encode(commitment.root) });
    await this.#call({ method: "POST", path: `${this.#base}/commit`, headers: JSON_BODY, body });
  }

  async complete(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    const body = JSON.stringify({ claim: base64urlnopad.encode(claim) });
    await this.#call({ method: "POST", path: `${this.#base}/downloads`, headers: JSON_BODY, body });
  }

  close(): void {
    this.#abort.abort();
    this.#closed.resolve(new Failure("cancelled"));
  }

  async refresh(waitSeconds = 0): Promise<void> {
    const query = waitSeconds > 0 ? `?after=${this.#version}&wait=${waitSeconds}` : "";
    const json = await this.#call<PortalStateJson>({ method: "GET", path: `${this.#base}${query}` });
    const commitment = json.commitment && { ...json.commitment, root: new Uint8Array(base64urlnopad.decode(json.commitment.root)) };
    this.#state = { ...json, commitment };
    this.#version = json.version;
  }

  async #follow(listener: (state: PortalState) => void): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        const before = this.#version;
        await this.refresh(WAIT_SECONDS);
        if (this.#version !== before) listener(this.state);
        else await this.#clock.sleep(1000, this.#abort.signal);
      } catch {
        return;
      }
    }
  }

  async #call<T>(request: HttpRequest): Promise<T> {
    this.#assertOpen();
    const headers = { ...this.#headers, ...request.headers };
    return this.#guard(callApi<T>(this.#send, { ...request, headers, signal: this.#abort.signal }));
  }

  /** An unreachable relay ends the link, so that the layer above connects again; other failures are answers. */
  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const failure = toFailure(error, "relay/unreachable");
      if (failure.code === "relay/unreachable") {
        this.#closed.resolve(failure);
        this.#abort.abort();
      }
      throw failure;
    }
  }

  #assertOpen(): void {
    if (this.#abort.signal.aborted) throw new Failure("relay/unreachable", { what: "closed" });
  }
}

const JSON_BODY = { "Content-Type": "application/json" };

function received(kind: ObjectKind, index: number, response: HttpResponse, bytes: Uint8Array<ArrayBuffer>): SealedObject {
  const digest = /^sha-256=:([A-Za-z0-9+/=]{44}):$/.exec(response.header("content-digest") ?? "")?.[1];
  if (digest === undefined) throw new Failure("relay/unreachable", { what: "not a relay", status: response.status });
  const final = response.header("warp-final") === "1";
  const header = { kind, index, final, length: bytes.length, hash: new Uint8Array(base64.decode(digest)) };
  checkHeader(header);
  return { header, bytes };
}
