/**
 * Failures as HTTP answers: the body is an ApiError, the status comes from the table of failures.
 *
 * @module
 */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { FAILURES, Failure } from "../../../core/failure.ts";
import type { ApiError } from "../../../core/portal/portal.ts";
import type { Logger } from "../log.ts";

/** Seconds after which a client may try again, for failures that pass. */
const RETRY_SECONDS = 5;

/** The answer for anything that a handler threw; what is no Failure is a bug and is logged. */
export function answerError(c: Context, thrown: unknown, log: Logger): Response {
  // The framework refuses a body that is no JSON, or does not say that it is.
  const isRefused = thrown instanceof HTTPException && thrown.status < 500;
  const error = isRefused ? new Failure("wire/malformed", { what: "body" }) : thrown;
  if (!(error instanceof Failure)) log.bug("http", error);
  const failure = error instanceof Failure ? error : new Failure("relay/storage");
  const { status, retry } = FAILURES[failure.code];
  if (retry) c.header("Retry-After", String(failure.details["retrySeconds"] ?? RETRY_SECONDS));
  return answer(c, failure, status);
}

/** No such route. */
export function answerNoRoute(c: Context): Response {
  return answer(c, new Failure("wire/malformed", { what: "route" }), 404);
}

function answer(c: Context, { code, details }: Failure, status: number): Response {
  const body: ApiError = { code, details };
  return c.json(body, status as ContentfulStatusCode);
}
