/**
 * What members of a portal say to each other through its relay in order to connect directly: sealed with a key that comes from
 * the portal's secret, so that the relay can neither read it nor put a certificate of its own in between. A signal opens only in
 * its portal, from the peer and to the peer that it names, as its kind and under its number.
 *
 * @module
 */
import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";
import { asFields, asInteger, malformed } from "../wire/check.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import { checkDescription, type Description, plainDescription } from "../wire/description.ts";
import { MAX_SIGNAL_BYTES } from "../wire/frame.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a peer's name, which is random and made for one transfer. */
export const PEER_ID_BYTES = 16;
/** A peer's signals are numbered from 1. */
export const MAX_SIGNAL_NUMBER = 2 ** 32 - 1;
/** The addressee of what is for everybody. */
export const EVERYBODY: Bytes = new Uint8Array(PEER_ID_BYTES);

const KINDS = ["announce", "offer", "answer"] as const;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** kind u8 ‖ from u8[16] ‖ to u8[16] ‖ number u32, big-endian */
const HEAD_BYTES = 1 + 2 * PEER_ID_BYTES + 4;
const LIMITS = { maxBytes: MAX_SIGNAL_BYTES, malformed: "wire/malformed", tooLarge: "wire/too-large" } as const;

/** What is said. An answer names the number of the offer that it answers. */
export type Said =
  | { readonly kind: "announce" }
  | { readonly kind: "offer"; readonly description: Description }
  | { readonly kind: "answer"; readonly description: Description; readonly offer: number };

/** Who says it to whom. */
export interface SignalPlace {
  /** u8[16] each; `to` may be EVERYBODY, for an announcement alone. */
  readonly from: Bytes;
  readonly to: Bytes;
  /** Higher than that of every earlier signal of this peer; 1 … MAX_SIGNAL_NUMBER. */
  readonly number: number;
}

/** A signal that was opened. */
export interface Signal extends SignalPlace {
  readonly said: Said;
}

/** Gives `head ‖ iv ‖ ciphertext ‖ tag`, at most MAX_SIGNAL_BYTES. @param key of ContentKeys, AES-256-GCM */
export async function sealSignal(key: CryptoKey, portal: Uint8Array, { said, ...place }: Signal): Promise<Bytes> {
  const head = encodeHead(said.kind, place);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const algorithm = { name: "AES-GCM" as const, iv, additionalData: associated(portal, head) };
  return concat([
    head,
    iv,
    new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encodeCanonical(plainOf(said)))),
  ]);
}

/** @param body borrowed. @throws Failure `wire/malformed` | `wire/too-large` unless a member of this portal sealed exactly this */
export async function openSignal(key: CryptoKey, portal: Uint8Array, body: Uint8Array): Promise<Signal> {
  if (body.length > MAX_SIGNAL_BYTES) throw new Failure("wire/too-large", { bytes: body.length });
  if (body.length < HEAD_BYTES + IV_BYTES + TAG_BYTES) malformed("signal");
  const head = body.slice(0, HEAD_BYTES);
  const kind = KINDS[(head[0] ?? 0) - 1] ?? malformed("kind");
  const iv = body.slice(HEAD_BYTES, HEAD_BYTES + IV_BYTES);
  const algorithm = { name: "AES-GCM" as const, iv, additionalData: associated(portal, head) };
  const sealed = body.slice(HEAD_BYTES + IV_BYTES);
  const plain = await crypto.subtle.decrypt(algorithm, key, sealed).catch((cause: unknown) => {
    throw new Failure("wire/malformed", { what: "seal" }, { cause });
  });
  const said = checkSaid(kind, decodeCanonical(new Uint8Array(plain), LIMITS));
  return {
    from: head.slice(1, 1 + PEER_ID_BYTES),
    to: head.slice(1 + PEER_ID_BYTES, 1 + 2 * PEER_ID_BYTES),
    number: new DataView(head.buffer).getUint32(HEAD_BYTES - 4),
    said,
  };
}

function plainOf(said: Said): unknown {
  switch (said.kind) {
    case "announce":
      return {};
    case "offer":
      return { d: plainDescription(said.description) };
    default:
      return { d: plainDescription(said.description), o: said.offer };
  }
}

function checkSaid(kind: Said["kind"], value: unknown): Said {
  const fields = asFields(value, "signal");
  if (Object.keys(fields).length !== KINDS.indexOf(kind)) malformed("fields");
  if (kind === "announce") return { kind };
  const description = checkDescription(fields["d"]);
  // An offer leaves open who begins, an answer says it.
  if ((description.setup === "actpass") !== (kind === "offer")) malformed("setup");
  if (kind === "offer") return { kind, description };
  return { kind, description, offer: asInteger(fields["o"], "o", MAX_SIGNAL_NUMBER, 1) };
}

function encodeHead(kind: Said["kind"], { from, to, number }: SignalPlace): Bytes {
  const head = new Uint8Array(HEAD_BYTES);
  head[0] = KINDS.indexOf(kind) + 1;
  head.set(from, 1);
  head.set(to, 1 + PEER_ID_BYTES);
  new DataView(head.buffer).setUint32(HEAD_BYTES - 4, number);
  return head;
}

function associated(portal: Uint8Array, head: Bytes): Bytes {
  return concat([ascii("warp/1 signal\0"), portal, head]);
}
