/**
 * A link made of plain HTTP requests: for scripts, for the command line, and for browsers behind proxies that break
 * WebSockets. Waiting for objects and for state is long polling.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { FAILURES, Failure, type FailureCode, toFailure } from "../failure.ts";
import { HASH_HEADER, HASH_PATTERN, type PortalStateJson } from "../portal/portal.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link, LinkRole } from "../ports/link.ts";
import { SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../units.ts";
import { type Commitment, checkState, type PortalState } from "../wire/frame.ts";
import { checkHeader, type ObjectKind, type SealedObject } from "../wire/object.ts";
import { deferred } from "./deferred.ts";
import { Quota } from "./quota.ts";

/** One request to the relay; `body` is borrowed. */
export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Path and query below the relay's origin. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly signal?: AbortSignal;
}

/** The answer to a request, its body unread. */
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
/** Rest between two long polls that told nothing, so that a relay that does not wait is not flooded. */
const REST_MS = 1_000;
/** Browsers open six connections to one host: state, one page and four packs. */
const MAX_WANTS = 5;
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
  readonly limits = { windowBytes: UPLOAD_WINDOW_BYTES, maxWants: MAX_WANTS };
  readonly #wants = { pack: new Quota(MAX_WANTS - 1), page: new Quota(1) };
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
    const headers = { [HASH_HEADER]: base64urlnopad.encode(header.hash), "Content-Type": "application/octet-stream" };
    await this.#call({ method: "PUT", path, headers, body: bytes });
  }

  async get(kind: ObjectKind, index: number, signal?: AbortSignal): Promise<SealedObject> {
    this.#assertOpen();
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    const signals = signal === undefined ? [this.#abort.signal] : [this.#abort.signal, signal];
    for (const each of signals) {
      if (each.aborted) stop.abort();
      each.addEventListener("abort", onAbort, { once: true });
    }
    const wants = this.#wants[kind];
    try {
      await wants.take(1, stop.signal);
      try {
        return await this.#poll(kind, index, stop.signal);
      } finally {
        wants.give(1);
      }
    } finally {
      for (const each of signals) each.removeEventListener("abort", onAbort);
    }
  }

  async #poll(kind: ObjectKind, index: number, signal: AbortSignal): Promise<SealedObject> {
    const path = `${this.#base}/${kind}s/${index}?wait=${WAIT_SECONDS}`;
    for (;;) {
      const asked = this.#clock.now();
      const response = await this.#guard(this.#send({ method: "GET", path, headers: this.#headers, signal }));
      const bytes = await this.#guard(response.bytes(SEALED_PACK_BYTES));
      if (response.status === 200) return received(kind, index, response, bytes);
      const failure = apiFailure(response.status, parseJson(new TextDecoder().decode(bytes)));
      if (failure.code !== "object/absent" || this.state.commitment !== null) throw failure;
      if (this.#clock.now() - asked < REST_MS) await this.#clock.sleep(REST_MS, signal);
    }
  }

  recycle(): void {
    // each answer comes in memory of its own
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
    this.#end(new Failure("cancelled"));
  }

  async refresh(waitSeconds = 0): Promise<void> {
    const query = waitSeconds > 0 ? `?after=${this.#version}&wait=${waitSeconds}` : "";
    const json = await this.#call<PortalStateJson>({ method: "GET", path: `${this.#base}${query}` });
    const { version, ...state } = json;
    this.#state = stateOf(state);
    this.#version = version;
  }

  async #follow(listener: (state: PortalState) => void): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        const before = this.#version;
        await this.refresh(WAIT_SECONDS);
        if (this.#version !== before) listener(this.state);
        else await this.#clock.sleep(REST_MS, this.#abort.signal);
      } catch (error) {
        const failure = toFailure(error, "relay/unreachable");
        if (!failure.retry) return this.#end(failure);
        await this.#clock.sleep(REST_MS, this.#abort.signal).catch(() => {});
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
      if (failure.code === "relay/unreachable") this.#end(failure);
      throw failure;
    }
  }

  #end(reason: Failure): void {
    this.#closed.resolve(reason);
    this.#abort.abort();
  }

  #assertOpen(): void {
    if (this.#abort.signal.aborted) throw new Failure("relay/unreachable", { what: "closed" });
  }
}

/** @throws Failure `relay/unreachable` for anything but a portal's state */
function stateOf({ commitment, ...rest }: Omit<PortalStateJson, "version">): PortalState {
  try {
    const root = commitment && new Uint8Array(base64urlnopad.decode(commitment.root));
    return checkState({ ...rest, commitment: commitment && { ...commitment, root } });
  } catch (cause) {
    throw new Failure("relay/unreachable", { what: "not a relay" }, { cause });
  }
}

const JSON_BODY = { "Content-Type": "application/json" };

function received(
  kind: ObjectKind,
  index: number,
  response: HttpResponse,
  bytes: Uint8Array<ArrayBuffer>,
): SealedObject {
  const hash = response.header(HASH_HEADER) ?? "";
  if (!HASH_PATTERN.test(hash))
    throw new Failure("relay/unreachable", { what: "not a relay", status: response.status });
  const final = response.header("Warp-Final") === "1";
  const header = { kind, index, final, length: bytes.length, hash: new Uint8Array(base64urlnopad.decode(hash)) };
  checkHeader(header);
  return { header, bytes };
}
