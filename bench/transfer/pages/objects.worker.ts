/**
 * The limit of a path: the product's link over the product's carriers moves the bytes of a file as 4 MiB objects. The
 * relay checks and stores them as it does packs; nothing is cut, hashed, compressed or sealed here.
 *
 * @module
 */
import { base64, base64urlnopad } from "@scure/base";
import { callApi } from "../../../core/edge/http-link.ts";
import type { CreatePortal, NewLink } from "../../../core/portal/portal.ts";
import type { Link, LinkRole } from "../../../core/ports/link.ts";
import { tokenHash } from "../../../core/seal/keys.ts";
import { DOWNLOAD_WINDOW_PACKS, SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../../../core/units.ts";
import { createDial, relayInfo } from "../../../platform/link/dial.ts";
import { fetchFrom } from "../../../platform/link/fetch.ts";
import type { ArgumentsOf, PortalTicket } from "../commands.ts";
import { answerWith } from "./ask.ts";
import { FileOutput } from "./files.ts";

export type ObjectsRequest =
  | ({ readonly type: "put"; readonly file: File } & Omit<ArgumentsOf<"putObjects">, "name">)
  | ({ readonly type: "take" } & ArgumentsOf<"takeObjects">);

/** As many as the product's sender has on the way. */
const PUTS = UPLOAD_WINDOW_BYTES / SEALED_PACK_BYTES - 1;
const READS_AHEAD = 2;
/** A portal that was just made has the first lease; receivers have none. */
const FIRST_LEASE = { lease: 1, takeOver: false };
const NO_LEASE = { lease: 0, takeOver: false };

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(base64.decode(text));
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Makes a portal that nobody has keys of. Gives what a receiver needs and who may write. */
async function createPortal(relay: string): Promise<{ ticket: PortalTicket; owner: LinkRole }> {
  const [portal, readToken, ownerToken] = [random(16), random(32), random(32)];
  const body: CreatePortal = {
    portal: base64urlnopad.encode(portal),
    kind: "send",
    ownerTokenHash: base64urlnopad.encode(tokenHash(ownerToken)),
    expirySeconds: 3600,
    idleSeconds: null,
    maxDownloads: null,
    links: [linkFor(readToken)],
    delivery: null,
    partial: false,
  };
  const headers = { "Content-Type": "application/json" };
  await callApi(fetchFrom(relay), { method: "POST", path: "/api/v1/portals", headers, body: JSON.stringify(body) });
  const ticket = { portal: base64.encode(portal), readToken: base64.encode(readToken) };
  return { ticket, owner: { portal, role: "send", token: ownerToken } };
}

/** A read link that opens nothing, for whoever has its token. */
function linkFor(token: Uint8Array): NewLink {
  return {
    link: base64urlnopad.encode(random(16)),
    capability: "read",
    tokenHash: base64urlnopad.encode(tokenHash(token)),
    keyCommitment: base64urlnopad.encode(random(32)),
    grant: base64urlnopad.encode(random(60)),
    password: null,
    maxUses: null,
    notBeforeMs: null,
    expiresAtMs: null,
  };
}

/** Runs `work` for 0 … count - 1, at most `width` at once, starting in order. */
async function inWindow(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function put(
  request: ObjectsRequest & { type: "put" },
  emit: (name: string, value: unknown) => void,
): Promise<unknown> {
  const { file, relay, carrier } = request;
  const hashes = request.hashes.map((hash) => decodeBase64(hash));
  const startedMs = Date.now();
  const { ticket, owner } = await createPortal(relay);
  emit("portal", ticket);
  const link = await createDial(relay, owner, await relayInfo(relay))(
    carrier,
    new AbortController().signal,
    FIRST_LEASE,
  );
  const reads: Promise<Uint8Array<ArrayBuffer>>[] = [];
  const read = (index: number) => {
    for (let at = index; at <= Math.min(index + READS_AHEAD, hashes.length - 1); at++)
      reads[at] ??= file
        .slice(at * SEALED_PACK_BYTES, (at + 1) * SEALED_PACK_BYTES)
        .arrayBuffer()
        .then((buffer) => new Uint8Array(buffer));
    const bytes = reads[index] as Promise<Uint8Array<ArrayBuffer>>;
    delete reads[index];
    return bytes;
  };
  await inWindow(hashes.length, PUTS, async (index) => {
    const bytes = await read(index);
    const final = index === hashes.length - 1;
    const hash = hashes[index] ?? new Uint8Array(32);
    await link.put({ header: { kind: "pack", final, index, length: bytes.length, hash }, bytes });
  });
  link.close();
  return { startedMs, endedMs: Date.now() };
}

async function take(request: ObjectsRequest & { type: "take" }): Promise<unknown> {
  const { portal, objects, target, name, relay, carrier } = request;
  const role: LinkRole = {
    portal: decodeBase64(portal.portal),
    role: "receive",
    token: decodeBase64(portal.readToken),
  };
  const output = target === "file" ? await FileOutput.open(name) : undefined;
  const link = await createDial(relay, role, await relayInfo(relay))(carrier, new AbortController().signal, NO_LEASE);
  let bytes = 0;
  const wanted: ReturnType<Link["get"]>[] = [];
  for (let index = 0; index < objects; index++) {
    while (wanted.length < Math.min(index + DOWNLOAD_WINDOW_PACKS, objects))
      wanted.push(link.get("pack", wanted.length));
    const object = await (wanted[index] as ReturnType<Link["get"]>);
    delete wanted[index];
    bytes += object.bytes.length;
    output?.write(object.bytes);
  }
  output?.close();
  const endedMs = Date.now();
  link.close();
  return { endedMs, bytes };
}

answerWith<ObjectsRequest>((request, emit) => (request.type === "put" ? put(request, emit) : take(request)));
