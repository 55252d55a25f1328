/**
 * A failure about one path. Core's failures never hold a name; at a terminal the name is what helps.
 *
 * @module
 */
import { Failure, type FailureCode, type FailureDetails } from "../core/failure.ts";
import { displayPath } from "../core/manifest/display-path.ts";

/** A coded failure with a sentence of its own, safe to print. */
export class NamedFailure extends Failure {
  readonly sentence: string;

  /** @param sentence for people; names in it went through `quoted` */
  constructor(code: FailureCode, sentence: string, details: FailureDetails = {}, options?: ErrorOptions) {
    super(code, details, options);
    this.sentence = sentence;
  }
}

/** A name between quotes, with every letter that a terminal would act on, or not show, made visible. */
export function quoted(path: string | Buffer): string {
  return `"${displayPath(path.toString())}"`;
}

/** The `code` of what node:fs throws, for example `ENOENT`; `unknown` for what has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}
