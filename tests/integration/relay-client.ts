/**
 * A client of the relay for tests: frames and objects by hand over a WebSocket, and portals by HTTP. It checks nothing
 * that a test should check.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { type Capability, HASH_HEADER, LEASE_HEADER, LINK_ROUTE, type NewLink } from "../../core/portal/portal.ts";
import type { LeaseWish } from "../../core/ports/link.ts";
import { WRITE_BYTES } from "../../core/units.ts";
import {
  type ClientFrame,
  decodeRelayFrame,
  encodeFrame,
  PROTOCOL_VERSION,
  type RelayFrame,
} from "../../core/wire/frame.ts";
import {
  encodeHeader,
  type ObjectHeader,
  type ObjectKind,
  ObjectReader,
  type SealedObject,
  STREAM_CONTROL,
  STREAM_OBJECTS,
} from "../../core/wire/object.ts";
import { objectHash } from "../support/bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A portal with its tokens, as a client keeps it. */
export interface TestPortal {
  readonly id: Bytes;
  readonly text: string;
  /** Of its first link. */
  readonly readToken: Bytes;
  readonly ownerToken: Bytes;
  /** Its first link, base64url. */
  readonly link: string;
  /** Body of its creation. */
  readonly body: Record<string, unknown>;
}

/** A link with its token, as whoever made it keeps it. */
export interface TestLinkEntry {
  readonly token: Bytes;
  /** base64url */
  readonly link: string;
  /** What the relay is told of it. */
  readonly body: NewLink;
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

export function sha256(bytes: Uint8Array): Bytes {
  return Uint8Array.from(createHash("sha256").update(bytes).digest());
}

export function random(length: number): Bytes {
  return Uint8Array.from(randomBytes(length));
}

/** Makes up a link; nothing is sent. */
export function inventLink(capability: Capability, changes: Partial<NewLink> = {}): TestLinkEntry {
  const token = random(32);
  const body: NewLink = {
    link: base64url(random(16)),
    capability,
    tokenHash: base64url(sha256(token)),
    keyCommitment: base64url(random(32)),
    grant: base64url(random(61)),
    password: null,
    maxUses: null,
    notBeforeMs: null,
    expiresAtMs: null,
    ...changes,
  };
  return { token, link: body.link, body };
}

/** Makes up a portal with one link, for reading, or for writing into a request; nothing is sent. */
export function inventPortal(body: Record<string, unknown> = {}): TestPortal {
  const [id, ownerToken] = [random(16), random(32)];
  const first = inventLink(body["kind"] === "request" ? "write" : "read");
  const defaults = {
    portal: base64url(id),
    kind: "send",
    ownerTokenHash: base64url(sha256(ownerToken)),
    expirySeconds: 3600,
    idleSeconds: null,
    maxDownloads: null,
    links: [first.body],
    delivery: null,
    partial: false,
  };
  const { token: readToken, link } = first;
  return { id, text: base64url(id), readToken, ownerToken, link, body: { ...defaults, ...body } };
}

export function postPortal(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const type = { "Content-Type": "application/json" };
  return fetch(`${url}/api/v1/portals`, {
    method: "POST",
    headers: { ...type, ...headers },
    body: JSON.stringify(body),
  });
}

/** Makes up a portal and creates it. */
export async function createPortal(url: string, body: Record<string, unknown> = {}): Promise<TestPortal> {
  const portal = inventPortal(body);
  const response = await postPortal(url, portal.body);
  if (response.status !== 201) throw new Error(`creating a portal gave ${response.status}: ${await response.text()}`);
  return portal;
}

/** Gives a portal one more link. @throws Error when the relay refuses it */
export async function addLink(url: string, portal: TestPortal, entry: TestLinkEntry): Promise<TestLinkEntry> {
  const headers = { ...bearer(portal.ownerToken), "Content-Type": "application/json" };
  const body = JSON.stringify(entry.body);
  const response = await fetch(`${url}/api/v1/portals/${portal.text}/links`, { method: "POST", headers, body });
  if (response.status !== 204) throw new Error(`adding a link gave ${response.status}: ${await response.text()}`);
  return entry;
}

/** A sealed object of random bytes. */
export function sealed(kind: ObjectKind, index: number, length: number, final = false): SealedObject {
  const bytes = random(length);
  return { header: { kind, index, final, length, hash: objectHash(bytes) }, bytes };
}

export function bearer(token: Uint8Array): Record<string, string> {
  return { Authorization: `Bearer ${base64url(token)}` };
}

/** The lease of whoever created a portal. */
export const FIRST_LEASE = 1;

/** The header of a request that stores. */
export function leased(lease: number): Record<string, string> {
  return { [LEASE_HEADER]: String(lease) };
}

/** Asks for the lease by HTTP. */
export function askLease(url: string, portal: TestPortal, takeOver: boolean): Promise<Response> {
  const headers = { ...bearer(portal.ownerToken), "Content-Type": "application/json" };
  const body = JSON.stringify({ takeOver });
  return fetch(`${url}/api/v1/portals/${portal.text}/lease`, { method: "POST", headers, body });
}

/** PUTs an object by HTTP. */
export function putObject(
  url: string,
  portal: TestPortal,
  { header, bytes }: SealedObject,
  token = portal.ownerToken,
  lease = FIRST_LEASE,
) {
  const query = header.final ? "?final=1" : "";
  return fetch(`${url}/api/v1/portals/${portal.text}/${header.kind}s/${header.index}${query}`, {
    method: "PUT",
    headers: {
      ...bearer(token),
      ...leased(lease),
      [HASH_HEADER]: base64url(header.hash),
      "Content-Type": "application/octet-stream",
    },
    body: bytes,
  });
}

/** GETs an object by HTTP. */
export function getObject(
  url: string,
  portal: TestPortal,
  kind: ObjectKind,
  index: number,
  wait = 0,
): Promise<Response> {
  const path = `/api/v1/portals/${portal.text}/${kind}s/${index}?wait=${wait}`;
  return fetch(url + path, { headers: bearer(portal.readToken) });
}

export type FrameOf<T extends RelayFrame["t"]> = Extract<RelayFrame, { t: T }>;

/** One WebSocket link. Frames and objects are kept until asked for. */
export class TestLink {
  readonly socket: WebSocket;
  readonly frames: RelayFrame[] = [];
  readonly objects: SealedObject[] = [];
  /** What the welcome gave. */
  lease = 0;
  member = 0;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<unknown>;
  #onChange: (() => void)[] = [];
  #isClosed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = once(socket, "close").then(() => {
      this.#isClosed = true;
      this.#changed();
    });
    const reader = new ObjectReader({
      begin: (header) => new Uint8Array(header.length),
      end: (object) => {
        this.objects.push(object);
        this.#changed();
      },
    });
    socket.on("message", (data: Buffer<ArrayBuffer>) => {
      if (data[0] === STREAM_OBJECTS) return reader.push(data.subarray(1));
      this.frames.push(decodeRelayFrame(Uint8Array.from(data.subarray(1))));
      this.#changed();
    });
    socket.on("error", () => undefined);
  }

  /** Connects and says nothing. */
  static async connect(url: string, headers: Record<string, string> = {}, localAddress?: string): Promise<TestLink> {
    const options = { headers, perMessageDeflate: false, ...(localAddress !== undefined && { localAddress }) };
    const socket = new WebSocket(url.replace(/^http/, "ws") + LINK_ROUTE, options);
    const link = new TestLink(socket);
    await once(socket, "open");
    return link;
  }

  /** Connects, says hello and waits for the welcome; a sender is the one that created the portal unless `wish` differs. */
  static async open(
    url: string,
    portal: TestPortal,
    role: "send" | "receive",
    wish?: Partial<LeaseWish>,
  ): Promise<TestLink> {
    const link = await TestLink.connect(url);
    link.hello(portal, role, undefined, wish);
    const { lease, member } = await link.next("welcome");
    Object.assign(link, { lease, member });
    return link;
  }

  hello(portal: TestPortal, role: "send" | "receive", token?: Uint8Array, wish?: Partial<LeaseWish>): void {
    const own = role === "send" ? portal.ownerToken : portal.readToken;
    const defaults = { lease: role === "send" ? FIRST_LEASE : 0, takeOver: false };
    const who = { portal: portal.id, role, token: token ?? own };
    this.send({ t: "hello", v: PROTOCOL_VERSION, ...who, ...defaults, ...wish });
  }

  send(frame: ClientFrame): void {
    this.sendRaw(STREAM_CONTROL, encodeFrame(frame));
  }

  sendRaw(kind: number, bytes: Uint8Array): void {
    this.socket.send(Buffer.concat([Uint8Array.of(kind), bytes]));
  }

  put(object: SealedObject): void {
    this.sendHeader(object.header);
    for (let at = 0; at < object.bytes.length; at += WRITE_BYTES)
      this.sendRaw(STREAM_OBJECTS, object.bytes.subarray(at, at + WRITE_BYTES));
  }

  sendHeader(header: ObjectHeader): void {
    this.sendRaw(STREAM_OBJECTS, encodeHeader(header));
  }

  want(kind: ObjectKind, index: number): void {
    this.send({ t: "want", kind, index });
  }

  /** Takes the first frame of this type that passes, also one that came before. @throws Error when the link closes first */
  async next<T extends RelayFrame["t"]>(
    t: T,
    passes: (frame: FrameOf<T>) => boolean = () => true,
  ): Promise<FrameOf<T>> {
    for (;;) {
      const at = this.frames.findIndex((frame) => frame.t === t && passes(frame as FrameOf<T>));
      if (at >= 0) return this.frames.splice(at, 1)[0] as FrameOf<T>;
      await this.#change(`waiting for ${t}`);
    }
  }

  /** Takes the next object. */
  async object(): Promise<SealedObject> {
    for (;;) {
      const object = this.objects.shift();
      if (object !== undefined) return object;
      await this.#change("waiting for an object");
    }
  }

  /** Ends the connection without a word. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }

  #changed(): void {
    for (const go of this.#onChange.splice(0)) go();
  }

  #change(what: string): Promise<void> {
    if (this.#isClosed) throw new Error(`the link closed while ${what}; it said ${JSON.stringify(this.frames)}`);
    return new Promise((resolve) => this.#onChange.push(resolve));
  }
}
