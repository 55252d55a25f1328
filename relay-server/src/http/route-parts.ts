/**
 * What routes of `/api/v1` are put together from.
 *
 * @module
 */
import { bodyLimit } from "hono/body-limit";
import { Failure } from "../../../core/failure.ts";
import { errorSchema } from "./schemas.ts";

/** Bytes of a JSON body. */
const MAX_JSON_BYTES = 16 * 1024;
/** Bytes of the one that creates a portal, with all of its links. */
const MAX_CREATION_BYTES = 160 * 1024;

/** A JSON answer. */
export const json = <T>(schema: T, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
/** A JSON body of a request. */
export const body = <T>(schema: T) => ({ content: { "application/json": { schema } }, required: true as const });
/** An answer without a body. */
export const done = (description: string) => ({ description });
export const failure = json(errorSchema, "A failure");
export const bearer = [{ bearer: [] }];

const limitedTo = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: (c) => {
      // The rest of the body is not read: nothing else can come over this connection.
      c.header("Connection", "close");
      throw new Failure("wire/too-large", { max: maxSize });
    },
  });
/** Bounds a JSON body by the bytes that come. */
export const limited = limitedTo(MAX_JSON_BYTES);
export const limitedCreation = limitedTo(MAX_CREATION_BYTES);
