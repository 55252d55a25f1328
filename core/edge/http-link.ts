/**
 * A link made of plain HTTP requests: for scripts, for the command line, and for browsers behind proxies that break
 * WebSockets. Waiting for objects and for state is long polling.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure, type FailureCode, toFailure } from "../failure.ts";
import {
  CLAIM_HEADER,
  type Claim,
  type GivenLease,
  HASH_HEADER,
  LEASE_HEADER,
  type PortalStateJson,
} from "../portal/portal.ts";
import type { Clock } from "../ports/clock.ts";
import type { LeaseWish, Link, LinkRole, OnBytes } from "../ports/link.ts";
import { SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../units.ts";
import { asInteger } from "../wire/check.ts";
import { type Commitment, MAX_LEASE, type PortalState } from "../wire/frame.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { Acknowledged } from "./acknowledged.ts";
import { deferred } from "./deferred.ts";
import { Heartbeat } from "./heartbeat.ts";
import { readJson, readObject, readState } from "./http-answer.ts";
import { inTurn, Quota } from "./quota.ts";
import { withEither } from "./with-either.ts";

/** One request to the relay; `body` is borrowed. */
export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
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
  /**
   * The whole body, at most `maxBytes`. @throws Failure `wire/too-large`
   *
   * @param onBytes is told of its parts as they come, where that can be seen
   */
  bytes(maxBytes: number, onBytes?: OnBytes): Promise<Uint8Array<ArrayBuffer>>;
}

/** Sends one request. @throws Failure `relay/unreachable` when no answer comes; a status is never an exception here */
export type SendRequest = (request: HttpRequest) => Promise<HttpResponse>;

/** Longest wait for an object, seconds; below the time-outs of common proxies. */
const WAIT_SECONDS = 20;
/** Longest wait for another state, seconds: its answers are the signs of life of a link that has no pings. */
const STATE_WAIT_SECONDS = 5;
/** Rest between two long polls that told nothing, so that a relay that does not wait is not flooded. */
const REST_MS = 1_000;
/** Browsers open six connections to one host: state, one page and four packs, up or down. */
const MAX_PACKS_AT_ONCE = 4;
const MAX_PAGES_AT_ONCE = 1;
/** Failures after which the link is of no use; other ones are answers. */
const ENDING: readonly FailureCode[] = ["relay/unreachable", "relay/foreign", "portal/lease-lost"];

/** An API call whose answer is JSON. @throws Failure with the relay's code, `relay/foreign` when it is not the relay's */
export async function callApi<T>(send: SendRequest, request: HttpRequest): Promise<T> {
  return (await readJson(await send(request))) as T;
}

/**
 * Checks the token by asking for the portal's state. A sender without a lease is given one. `signal` ends the opening only.
 * @throws Failure `portal/leased` | `portal/…` | `relay/…`
 */
export async function openHttpLink(
  send: SendRequest,
  role: LinkRole,
  wish: LeaseWish,
  clock: Clock,
  signal: AbortSignal,
): Promise<Link> {
  const link = new HttpLink(send, role, clock);
  const onAbort = () => link.close(); // a request that hangs would keep one of the browser's few connections
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await link.open(role.role === "send" ? wish : undefined);
    return link;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

class HttpLink implements Link {
  readonly carrier = "http" as const;
  readonly limits = { windowBytes: UPLOAD_WINDOW_BYTES, maxWants: MAX_PACKS_AT_ONCE + MAX_PAGES_AT_ONCE };
  readonly #gets = { pack: new Quota(MAX_PACKS_AT_ONCE), page: new Quota(MAX_PAGES_AT_ONCE) };
  readonly #puts = { pack: new Quota(MAX_PACKS_AT_ONCE), page: new Quota(MAX_PAGES_AT_ONCE) };
  readonly #send: SendRequest;
  readonly #clock: Clock;
  readonly #base: string;
  #headers: Readonly<Record<string, string>>;
  /** Of GETs of packs. */
  #packHeaders: Readonly<Record<string, string>>;
  readonly #closed = deferred<Failure>();
  readonly #abort = new AbortController();
  readonly #lostListeners: ((kind: ObjectKind, index: number) => void)[] = [];
  readonly #acknowledged = new Acknowledged();
  /** Beats while the state is followed. */
  #heartbeat: Heartbeat | undefined;
  #lease = 0;
  #state: PortalState | undefined;
  #version = -1;

  constructor(send: SendRequest, role: LinkRole, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
    this.#base = `/api/v1/portals/${base64urlnopad.encode(role.portal)}`;
    this.#headers = { Authorization: `Bearer ${base64urlnopad.encode(role.token)}` };
    this.#packHeaders = this.#headers;
  }

  get state(): PortalState {
    if (this.#state === undefined) throw new Error("not opened yet");
    return this.#state;
  }
  get lease(): number {
    return this.#lease;
  }
  get member(): number {
    return 0;
  }
  get closed(): Promise<Failure> {
    return this.#closed.promise;
  }
  /** Its requests wait at the relay, so their answers say nothing about the way. */
  get rttMs(): null {
    return null;
  }
  get heardMs(): number {
    return this.#heartbeat?.heardMs ?? this.#clock.now();
  }

  /** @param wish undefined for a receiver */
  async open(wish: LeaseWish | undefined): Promise<void> {
    if (wish !== undefined) {
      this.#lease = wish.lease > 0 ? wish.lease : await this.#takeLease(wish.takeOver);
      this.#headers = { ...this.#headers, [LEASE_HEADER]: String(this.#lease) };
    }
    await this.#refresh(0);
  }

  async #takeLease(takeOver: boolean): Promise<number> {
    const body = JSON.stringify({ takeOver });
    const given = await this.#call<GivenLease>({
      method: "POST",
      path: `${this.#base}/lease`,
      headers: JSON_BODY,
      body,
    });
    return asInteger(given.lease, "lease", MAX_LEASE, 1);
  }

  onLost(listener: (kind: ObjectKind, index: number) => void): void {
    this.#lostListeners.push(listener);
  }

  onState(listener: (state: PortalState) => void): void {
    const onSilence = () => this.#end(new Failure("relay/unreachable", { what: "silence" }));
    this.#heartbeat ??= new Heartbeat(this.#clock, () => {}, onSilence); // it is the polls that are answered
    void this.#follow(listener);
  }

  signal(): void {
    // plain requests have no way for what nobody asked for
  }

  onSignal(): void {
    // nothing comes
  }

  ping(): void {
    this.#call({ method: "GET", path: this.#base }).catch(() => {}); // heard, or not
  }

  async put({ header, bytes }: SealedObject): Promise<void> {
    this.#assertOpen();
    const { kind, index, final } = header;
    const path = `${this.#base}/${kind}s/${index}${final ? "?final=1" : ""}`;
    const headers = {
      [HASH_HEADER]: base64urlnopad.encode(header.hash),
      "Content-Type": "application/octet-stream",
    };
    await inTurn(this.#puts[kind], this.#abort.signal, () => this.#call({ method: "PUT", path, headers, body: bytes }));
    this.#acknowledged.add(kind, index);
  }

  async get(kind: ObjectKind, index: number, signal?: AbortSignal): Promise<SealedObject> {
    this.#assertOpen();
    return withEither(this.#abort.signal, signal, (either) =>
      inTurn(this.#gets[kind], either, () => this.#poll(kind, index, either)),
    );
  }

  async #poll(kind: ObjectKind, index: number, signal: AbortSignal): Promise<SealedObject> {
    const path = `${this.#base}/${kind}s/${index}?wait=${WAIT_SECONDS}`;
    const ask = async () => {
      const headers = kind === "pack" ? this.#packHeaders : this.#headers;
      const response = await this.#send({ method: "GET", path, headers, signal });
      return readObject(kind, index, response, SEALED_PACK_BYTES);
    };
    for (;;) {
      const asked = this.#clock.now();
      const before = this.state;
      try {
        return await this.#guard(ask());
      } catch (error) {
        const isAbsent = error instanceof Failure && error.code === "object/absent";
        if (!isAbsent || !(mayCome(before) || mayCome(this.state))) throw error;
      }
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

  async claim(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#tell("claims", claim);
    this.#packHeaders = { ...this.#headers, [CLAIM_HEADER]: base64urlnopad.encode(claim) };
  }

  complete(claim: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#tell("downloads", claim);
  }

  async #tell(what: "claims" | "downloads", claim: Uint8Array<ArrayBuffer>): Promise<void> {
    const body = JSON.stringify({ claim: base64urlnopad.encode(claim) } satisfies Claim);
    await this.#call({ method: "POST", path: `${this.#base}/${what}`, headers: JSON_BODY, body });
  }

  close(): void {
    this.#end(new Failure("cancelled"));
  }

  async #refresh(waitSeconds: number): Promise<void> {
    const query = waitSeconds > 0 ? `?after=${this.#version}&wait=${waitSeconds}` : "";
    const path = `${this.#base}${query}`;
    const json = await this.#guard(this.#call<PortalStateJson>({ method: "GET", path }).then(readState));
    this.#state = json.state;
    this.#version = json.version;
  }

  async #follow(listener: (state: PortalState) => void): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        const [version, acknowledged] = [this.#version, this.#acknowledged.copy()];
        await this.#refresh(STATE_WAIT_SECONDS);
        for (const [kind, index] of acknowledged.missingIn(this.state)) this.#tellLost(kind, index);
        if (this.#version !== version) listener(this.state);
        else await this.#clock.sleep(REST_MS, this.#abort.signal);
      } catch (error) {
        const failure = toFailure(error, "relay/unreachable");
        if (!failure.retry) return this.#end(failure);
        await this.#clock.sleep(REST_MS, this.#abort.signal).catch(() => {});
      }
    }
  }

  #tellLost(kind: ObjectKind, index: number): void {
    if (!this.#acknowledged.remove(kind, index)) return;
    for (const listener of this.#lostListeners) listener(kind, index);
  }

  async #call<T>(request: HttpRequest): Promise<T> {
    this.#assertOpen();
    const headers = { ...this.#headers, ...request.headers };
    return this.#guard(callApi<T>(this.#send, { ...request, headers, signal: this.#abort.signal }));
  }

  /** A relay that is away ends the link, so that the layer above connects again. */
  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.#heartbeat?.heard();
      return result;
    } catch (error) {
      const failure = toFailure(error, "relay/unreachable");
      if (ENDING.includes(failure.code)) this.#end(failure);
      else if (failure.code !== "cancelled") this.#heartbeat?.heard();
      throw failure;
    }
  }

  #end(reason: Failure): void {
    this.#closed.resolve(reason);
    this.#heartbeat?.end();
    this.#abort.abort();
  }

  #assertOpen(): void {
    if (this.#abort.signal.aborted) throw new Failure("relay/unreachable", { what: "closed" });
  }
}

/** True while an object that is not there may still come: it is being sent, or its owner paused the portal. */
function mayCome({ commitment, phase }: PortalState): boolean {
  return commitment === null || phase === "paused";
}

const JSON_BODY = { "Content-Type": "application/json" };
