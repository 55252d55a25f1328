/**
 * Expected failures: one class, one closed table. A bug is a plain `Error` (see `assert`), a failure is coded.
 * Sentences for people live in web/src/messages.ts, exhaustive over `FailureCode` by type.
 *
 * @module
 */

interface FailureTraits {
  /** True when the same operation may succeed later without the user doing anything. */
  readonly retry: boolean;
  /** Number on the wire and in `/api/v1` errors; append-only, mirrored in docs/protocol.md. */
  readonly wire: number;
  /** HTTP status where the failure leaves the relay as a response. */
  readonly status: number;
}

/** Every failure a user can meet. Numbers are append-only. */
export const FAILURES = {
  "link/cut": { retry: false, wire: 1, status: 400 },
  "link/version": { retry: false, wire: 2, status: 400 },
  "link/wrong-secret": { retry: false, wire: 3, status: 403 },
  "password/needed": { retry: false, wire: 4, status: 401 },
  "password/wrong": { retry: false, wire: 5, status: 401 },
  "portal/unknown": { retry: false, wire: 6, status: 404 },
  "portal/expired": { retry: false, wire: 7, status: 410 },
  "portal/taken": { retry: false, wire: 8, status: 409 },
  "portal/closed": { retry: false, wire: 9, status: 409 },
  "portal/full": { retry: false, wire: 10, status: 413 },
  "portal/incomplete": { retry: false, wire: 11, status: 409 },
  "relay/unreachable": { retry: true, wire: 12, status: 503 },
  "relay/full": { retry: true, wire: 13, status: 507 },
  "relay/busy": { retry: true, wire: 14, status: 429 },
  "relay/stopping": { retry: true, wire: 15, status: 503 },
  "relay/storage": { retry: true, wire: 16, status: 500 },
  "relay/version": { retry: false, wire: 17, status: 426 },
  "wire/malformed": { retry: false, wire: 18, status: 400 },
  "wire/too-large": { retry: false, wire: 19, status: 413 },
  "wire/window": { retry: false, wire: 20, status: 429 },
  "object/hash": { retry: true, wire: 21, status: 422 },
  "object/size": { retry: false, wire: 22, status: 400 },
  "object/absent": { retry: false, wire: 23, status: 404 },
  "object/corrupt": { retry: true, wire: 24, status: 500 },
  "object/conflict": { retry: false, wire: 25, status: 409 },
  "pack/forged": { retry: false, wire: 26, status: 422 },
  "manifest/malformed": { retry: false, wire: 27, status: 422 },
  "manifest/limit": { retry: false, wire: 28, status: 413 },
  "chunk/mismatch": { retry: false, wire: 29, status: 422 },
  "transfer/truncated": { retry: false, wire: 30, status: 422 },
  "file/unreadable": { retry: false, wire: 31, status: 400 },
  "file/changed": { retry: false, wire: 32, status: 409 },
  "path/rejected": { retry: false, wire: 33, status: 400 },
  "sink/full": { retry: false, wire: 34, status: 507 },
  "sink/denied": { retry: false, wire: 35, status: 403 },
  "sink/unsupported": { retry: false, wire: 36, status: 501 },
  "sink/failed": { retry: false, wire: 37, status: 500 },
  "browser/insecure": { retry: false, wire: 38, status: 400 },
  "browser/unsupported": { retry: false, wire: 39, status: 501 },
  "engine/failed": { retry: false, wire: 40, status: 500 },
  "worker/crashed": { retry: false, wire: 41, status: 500 },
  cancelled: { retry: false, wire: 42, status: 499 },
  "portal/leased": { retry: false, wire: 43, status: 409 },
  "portal/lease-lost": { retry: false, wire: 44, status: 409 },
  "relay/foreign": { retry: true, wire: 45, status: 502 },
  "journal/damaged": { retry: false, wire: 46, status: 500 },
  "journal/absent": { retry: false, wire: 47, status: 404 },
  "file/absent": { retry: false, wire: 48, status: 404 },
  "pack/unrepeatable": { retry: false, wire: 49, status: 500 },
  "transfer/elsewhere": { retry: false, wire: 50, status: 409 },
  "portal/claimed": { retry: true, wire: 51, status: 409 },
  "link/purpose": { retry: false, wire: 52, status: 400 },
  "relay/invite": { retry: false, wire: 53, status: 403 },
  "relay/work": { retry: false, wire: 54, status: 403 },
  "vault/unknown": { retry: false, wire: 55, status: 404 },
  "vault/full": { retry: false, wire: 56, status: 413 },
  "device/revoked": { retry: false, wire: 57, status: 403 },
  "phrase/wrong": { retry: false, wire: 58, status: 400 },
} as const satisfies Record<string, FailureTraits>;

/** The code of a failure, `layer/what`. */
export type FailureCode = keyof typeof FAILURES;

/** Plain facts about a failure, for the page and for logs that never hold names: numbers and short fixed words. */
export type FailureDetails = Readonly<Record<string, string | number | boolean>>;

/** An expected, coded failure. `retry` says whether waiting may help. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly details: FailureDetails;

  constructor(code: FailureCode, details: FailureDetails = {}, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }

  get retry(): boolean {
    return FAILURES[this.code].retry;
  }
}

const BY_WIRE: ReadonlyMap<number, FailureCode> = new Map(
  (Object.keys(FAILURES) as FailureCode[]).map((code) => [FAILURES[code].wire, code]),
);

/** What a relay can know. The rest (a wrong password, a file that changed, `cancelled`) only its clients find out themselves. */
const RELAY_AREAS: readonly string[] = ["portal", "relay", "wire", "object", "vault", "device"];

/** True for a code that a relay may answer with. */
export function isRelayCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code) && RELAY_AREAS.includes(code.split("/")[0] ?? "");
}

/** The code that a relay's wire number stands for, or undefined for one that it cannot mean or this version does not know. */
export function failureFromWire(wire: number): FailureCode | undefined {
  const code = BY_WIRE.get(wire);
  return code !== undefined && isRelayCode(code) ? code : undefined;
}

/** Turns anything thrown into a Failure; what is already one is returned as it is. */
export function toFailure(error: unknown, fallback: FailureCode): Failure {
  return error instanceof Failure ? error : new Failure(fallback, {}, { cause: error });
}

/** Throws a plain Error (a bug of ours, never shown as a failure) when `condition` is false. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${why}`);
}
