/**
 * Requests to a relay, damaged in every part: method, path, query, headers, body.
 *
 * @module
 */
import { formatLink } from "../../../core/seal/link.ts";
import { noise } from "../../support/bytes.ts";
import { Dice, Mutator, mutateValue } from "./mutate.ts";

/** One request; nothing of it need make sense. */
export interface RandomRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string | undefined;
}

/** A portal that exists, with its tokens as base64url. */
export interface KnownPortal {
  readonly portal: string;
  readonly ownerToken: string;
  readonly readToken: string;
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

function bodiesOf(portal: string): object[] {
  const hash = base64url(noise(32, "hash"));
  const link = {
    link: base64url(noise(16, "link")),
    capability: "read",
    tokenHash: hash,
    keyCommitment: hash,
    grant: hash,
    password: { algorithm: "argon2id", memory: 65_536, iterations: 3, parallelism: 1 },
    maxUses: 3,
    notBeforeMs: 1,
    expiresAtMs: 2 ** 45,
  };
  return [
    {
      portal,
      kind: "send",
      ownerTokenHash: hash,
      expirySeconds: 3600,
      idleSeconds: 3600,
      maxDownloads: 3,
      links: [link],
      delivery: { request: portal, offer: hash },
      partial: false,
    },
    link,
    { expirySeconds: 3600, idleSeconds: null, maxDownloads: 5, paused: true },
    { takeOver: false },
    { packs: 1, pages: 1, root: hash },
    { claim: base64url(noise(16, "claim")) },
  ];
}

/** Requests without end; the same seed gives the same ones. */
export function randomRequests({ portal, ownerToken, readToken }: KnownPortal, seed: number): () => RandomRequest {
  const dice = new Dice(seed);
  const base = `/api/v1/portals/${portal}`;
  const paths = [
    "/api/v1/portals",
    base,
    `${base}?after=3&wait=0`,
    `${base}/details`,
    `${base}/deliveries`,
    `${base}/links`,
    `${base}/links/${base64url(noise(16, "link"))}?plain=1`,
    `${base}/claims`,
    `${base}/claims/${base64url(noise(16, "claim"))}`,
    `${base}/lease`,
    `${base}/commit`,
    `${base}/downloads`,
    `${base}/packs/0?final=1`,
    `${base}/pages/7?wait=0`,
    "/api/v1/relay",
    "/api/v1/openapi.json",
    formatLink({ portal: noise(16, "p"), secret: noise(32, "s") }).split("#")[0] ?? "/",
  ];
  const texts = new Mutator(
    paths.map((path) => Buffer.from(path)),
    seed + 1,
  );
  const bodies = bodiesOf(portal);
  const raw = new Mutator(
    bodies.map((body) => Buffer.from(JSON.stringify(body))),
    seed + 2,
  );
  const value = (good: string) => (dice.below(3) > 0 ? good : printable(texts.next()));
  return () => {
    const method = dice.pick(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"]);
    const path = dice.below(3) > 0 ? dice.pick(paths) : `/${printable(texts.next())}`;
    const headers: Record<string, string> = {
      host: value("localhost"),
      authorization: value(`Bearer ${dice.pick([ownerToken, readToken])}`),
      "content-type": value("application/json"),
      "warp-lease": value(dice.pick(["1", "0", "-1", "2147483648", "1e3"])),
      "warp-claim": value(base64url(noise(16, "claim"))),
      "warp-hash": value(base64url(noise(32, "hash"))),
      "content-length": value(dice.pick(["0", "100", "4194304", "99999999999", "-1", "NaN"])),
    };
    for (const name of Object.keys(headers)) if (dice.below(5) === 0) delete headers[name];
    const hasBody = method !== "GET" && method !== "HEAD";
    const made = () => (dice.below(2) === 0 ? raw.next() : JSON.stringify(mutateValue(dice.pick(bodies), dice)));
    return { method, path: withoutWait(path), headers, body: hasBody ? made() : undefined };
  };
}

/** Text that may stand in a header and a path. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 300).map((byte) => (byte > 0x20 && byte < 0x7f ? byte : 0x25))).toString(
    "latin1",
  );
}

/** Waiting is allowed, and would only make the test wait. */
function withoutWait(path: string): string {
  return path.replaceAll("wait=", "wait=0&x=");
}
