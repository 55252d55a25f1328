/**
 * Packs and pages over plain HTTP: put them, wait for them, get them.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { Failure } from "../../../core/failure.ts";
import { CLAIM_HEADER, HASH_HEADER, HASH_PATTERN, LEASE_HEADER } from "../../../core/portal/portal.ts";
import { MAX_PAGES, MAX_SEALED_PAGE_BYTES, SEALED_PACK_BYTES } from "../../../core/units.ts";
import { checkHeader, type ObjectHeader, type ObjectKind } from "../../../core/wire/object.ts";
import { authorise, READERS } from "../portal/authorise.ts";
import type { LivePortal } from "../portal/live-portal.ts";
import type { Reader } from "../portal/reader.ts";
import type { Meter } from "../portal/upload.ts";
import type { ObjectSource } from "../store/store.ts";
import {
  claimOf,
  credentialsOf,
  type HttpServices,
  neededLeaseOf,
  type RelayApp,
  type RelayContext,
  waiting,
} from "./context.ts";
import { ObjectBody } from "./object-body.ts";
import { errorSchema, finalQuery, objectParams, waitQuery } from "./schemas.ts";

/** Bytes of one read towards the client. */
const READ_BYTES = 256 * 1024;

const failure = { description: "A failure", content: { "application/json": { schema: errorSchema } } };
const sealed = z.string().openapi({ format: "binary", description: "Sealed bytes" });
const sealedContent = { "application/octet-stream": { schema: sealed } };
const digestHeader = z.object({
  [HASH_HEADER]: z.string().openapi({ description: "Hash of the sealed bytes, base64url" }),
  "Warp-Final": z.enum(["0", "1"]).openapi({ description: "1 for the last one" }),
});

const putRoute = (kind: ObjectKind) =>
  createRoute({
    method: "put",
    path: `/api/v1/portals/{portal}/${kind}s/{index}`,
    summary: `Store a ${kind}; answered when it is durable`,
    description: `Header \`${HASH_HEADER}\` with the hash of the bytes, base64url, and header \`${LEASE_HEADER}\` are required. The same bytes again succeed.`,
    security: [{ bearer: [] }],
    request: { params: objectParams, query: finalQuery, body: { content: sealedContent, required: true } },
    responses: { 204: { description: "Durable" }, default: failure },
  });

const getRoute = (kind: ObjectKind) =>
  createRoute({
    method: "get",
    path: `/api/v1/portals/{portal}/${kind}s/{index}`,
    summary: `Get a ${kind}; with \`wait\` the answer waits until it exists`,
    ...(kind === "pack" && {
      description: `Header \`${CLAIM_HEADER}\` is required where downloads are counted.`,
    }),
    security: [{ bearer: [] }],
    request: { params: objectParams, query: waitQuery },
    responses: {
      200: { description: "Sealed bytes", headers: digestHeader, content: sealedContent },
      default: failure,
    },
  });

export function addObjectRoutes(app: RelayApp, services: HttpServices): void {
  for (const kind of ["pack", "page"] as const) {
    app.openapi(putRoute(kind), async (c) => {
      const { portal, index } = c.req.valid("param");
      const final = c.req.valid("query").final === "1";
      const body = new ObjectBody(c.req.raw.body);
      try {
        const { live } = await authorise(services, credentialsOf(c, portal), ["owner"]);
        const lease = neededLeaseOf(c);
        live.assertLease(lease);
        const answered = services.presence.begin(live, "send", lease);
        try {
          const meter = services.guard.meter(c.get("address"));
          await store(body, services, live, headerOf(c, kind, index, final), lease, meter);
        } finally {
          answered();
        }
        return c.body(null, 204);
      } finally {
        // A client that is still sending would not read the answer.
        const isRead = await body.drain(kind === "pack" ? SEALED_PACK_BYTES : MAX_SEALED_PAGE_BYTES);
        if (!isRead) c.header("Connection", "close");
      }
    });

    app.openapi(getRoute(kind), async (c) => {
      const { portal, index } = c.req.valid("param");
      const { live, readLink, grant } = await authorise(services, credentialsOf(c, portal), READERS);
      const reader = services.portals.reader(live, readLink);
      const claim = claimOf(c);
      if (claim !== undefined) reader.useClaim(claim);
      const { wait } = c.req.valid("query");
      const answered = beginReading(services, live, grant === "owner", wait);
      try {
        const signal = waiting(c, wait, services.stopping);
        const source = await openWhenThere(reader, kind, index, signal);
        return answerObject(c, source, (bytes) => services.metrics.bytesOut("http", bytes));
      } finally {
        answered();
      }
    });
  }
}

/** A sender that moves its objects on to another relay is no receiver, nor is who reads past a link of its own, which waits. */
function beginReading(
  { portals, presence }: HttpServices,
  live: LivePortal,
  isOwner: boolean,
  wait: number,
): () => void {
  if (isOwner) return presence.begin(live, "send", live.stored.lease);
  if (wait > 0) return presence.begin(live, "receive", 0);
  portals.touch(live, "receive");
  return live.lifetime.use();
}

/** @throws Failure `wire/malformed` | `object/size` | `wire/too-large` */
function headerOf(c: RelayContext, kind: ObjectKind, index: number, final: boolean): ObjectHeader {
  const hash = c.req.header(HASH_HEADER) ?? "";
  if (!HASH_PATTERN.test(hash)) throw new Failure("wire/malformed", { what: HASH_HEADER });
  const length = Number(c.req.header("content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(length)) throw new Failure("object/size", { what: "content-length" });
  if (kind === "page" && index >= MAX_PAGES) throw new Failure("wire/malformed", { what: "index" });
  const header = { kind, index, final, length, hash: Uint8Array.from(Buffer.from(hash, "base64url")) };
  checkHeader(header);
  return header;
}

async function store(
  body: ObjectBody,
  services: HttpServices,
  live: LivePortal,
  header: ObjectHeader,
  lease: number,
  meter: Meter,
): Promise<void> {
  const upload = await services.portals.upload(live, header, lease, meter);
  try {
    await body.receive(upload, (bytes) => services.metrics.bytesIn("http", bytes));
  } catch (error) {
    upload.abort();
    throw error;
  }
  const started = performance.now();
  await upload.finish();
  services.metrics.stored(performance.now() - started);
}

/** @throws Failure `object/absent` when it is not there in time, or never will be */
async function openWhenThere(
  reader: Reader,
  kind: ObjectKind,
  index: number,
  signal: AbortSignal,
): Promise<ObjectSource> {
  while (!reader.isDecided(kind, index) && !signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopWaiting = reader.portal.whenThere(kind, index, resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    stopWaiting();
  }
  return reader.open(kind, index);
}

function answerObject(c: RelayContext, source: ObjectSource, onBytes: (bytes: number) => void): Response {
  const { length, hash, final } = source.header;
  const headers = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": "attachment",
    "Content-Length": String(length),
    [HASH_HEADER]: Buffer.from(hash).toString("base64url"),
    "Warp-Final": final ? "1" : "0",
  };
  if (c.req.method === "HEAD") {
    source.close();
    return c.body(null, 200, headers);
  }
  let at = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const slice = new Uint8Array(Math.min(READ_BYTES, length - at));
        try {
          await source.read([slice], at);
        } catch (error) {
          source.close();
          throw error;
        }
        at += slice.length;
        onBytes(slice.length);
        controller.enqueue(slice);
        if (at < length) return;
        source.close();
        controller.close();
      },
      cancel: () => source.close(),
    },
    { highWaterMark: 0 },
  );
  return c.body(stream, 200, headers);
}
