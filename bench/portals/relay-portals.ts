/**
 * How fast a relay creates, opens and lists portals while it has thousands of others, and how much memory that takes. Every
 * creation is durable when it is answered; opened and listed are portals at random, of which few are in the relay's memory.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { type CreatePortal, MAX_LINKS, type NewLink, type PortalKind } from "../../core/portal/portal.ts";
import { launchRelay } from "../../tests/support/launch.ts";
import { pause, quantile, residentBytes } from "../../tests/support/relay-load.ts";

/** Requests on their way at a time: while filling, and while measuring. */
const FILLING = 64;
const MEASURING = 4;
/** Links of a portal that is listed, and deliveries of a request. */
const LINKS = 4;
const DELIVERIES = 50;
const LOOK_MS = 200;

/** Milliseconds from a request to its whole answer. */
export interface CallTimes {
  readonly what: string;
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface PortalsSample {
  readonly portals: number;
  readonly createdPerSecond: number;
  readonly calls: readonly CallTimes[];
  /** Of the relay: with nothing, with all portals, and the most while measuring. */
  readonly emptyBytes: number;
  readonly fullBytes: number;
  readonly peakBytes: number;
}

/** A portal that was created, with what opens it. */
interface Made {
  readonly text: string;
  readonly link: string;
  readonly linkToken: string;
  readonly ownerToken: string;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const hashOf = (token: Uint8Array) => text(createHash("sha256").update(token).digest());
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** @param portals how many there are @param calls how often each call is measured */
export async function measurePortals(portals: number, calls: number): Promise<PortalsSample> {
  await using relay = await launchRelay({ env: { LOG_LEVEL: "error", MIN_FREE_BYTES: "1" } });
  const { url } = relay;
  await create(url, "send", 1);
  const emptyBytes = await residentBytes(url);
  const made: Made[] = [];
  const started = performance.now();
  await inFlight(FILLING, portals, async () => {
    made.push(await create(url, "send", LINKS));
  });
  const createdPerSecond = (portals * 1000) / (performance.now() - started);
  const fullBytes = await residentBytes(url);
  const request = await create(url, "request", 1);
  await inFlight(FILLING, DELIVERIES, () => create(url, "send", 1, request));

  let peakBytes = fullBytes;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      peakBytes = Math.max(peakBytes, await residentBytes(url));
      await pause(LOOK_MS);
    }
  })();
  const any = (): Made => made[Math.floor(Math.random() * made.length)] ?? request;
  const measured = [
    await measure("create", calls, () => create(url, "send", 1)),
    await measure("open a link", calls, () => {
      const { text: portal, link, linkToken } = any();
      return get(`${url}/api/v1/portals/${portal}/links/${link}`, linkToken);
    }),
    await measure(`details, ${LINKS} links`, calls, () => {
      const { text: portal, ownerToken } = any();
      return get(`${url}/api/v1/portals/${portal}/details`, ownerToken);
    }),
    await measure(`${DELIVERIES} deliveries`, calls, () =>
      get(`${url}/api/v1/portals/${request.text}/deliveries`, request.ownerToken),
    ),
  ];
  isOver = true;
  await watching;
  return { portals, createdPerSecond, calls: measured, emptyBytes, fullBytes, peakBytes };
}

async function measure(what: string, calls: number, call: () => Promise<unknown>): Promise<CallTimes> {
  const times: number[] = [];
  await inFlight(MEASURING, calls, async () => {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  });
  return { what, calls, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

/** Does something `count` times, `width` at a time. */
async function inFlight(width: number, count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  const workOn = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: width }, workOn));
}

async function get(url: string, token: string): Promise<void> {
  const answer = await fetch(url, { headers: bearer(token) });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`the relay answered ${answer.status}`);
}

/** @param request whose delivery it is */
async function create(url: string, kind: PortalKind, links: number, request?: Made): Promise<Made> {
  if (links > MAX_LINKS) throw new RangeError(`a portal has ${MAX_LINKS} links`);
  const [id, ownerToken, linkToken] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const own = inventLink(kind, linkToken);
  const body: CreatePortal = {
    portal: text(id),
    kind,
    ownerTokenHash: hashOf(ownerToken),
    expirySeconds: 86_400,
    idleSeconds: null,
    maxDownloads: null,
    links: [own, ...Array.from({ length: links - 1 }, () => inventLink(kind, randomBytes(32)))],
    delivery: request === undefined ? null : { request: request.text, offer: text(randomBytes(80)) },
    partial: false,
  };
  const headers = { "Content-Type": "application/json", ...(request && bearer(request.linkToken)) };
  const answer = await fetch(`${url}/api/v1/portals`, { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.status !== 201) throw new Error(`creating a portal gave ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
  return { text: body.portal, link: own.link, linkToken: text(linkToken), ownerToken: text(ownerToken) };
}

function inventLink(kind: PortalKind, token: Uint8Array): NewLink {
  return {
    link: text(randomBytes(16)),
    capability: kind === "send" ? "read" : "write",
    tokenHash: hashOf(token),
    keyCommitment: text(randomBytes(32)),
    grant: text(randomBytes(100)),
    password: null,
    maxUses: null,
    notBeforeMs: null,
    expiresAtMs: null,
  };
}
