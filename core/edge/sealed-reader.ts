/**
 * Reads sealed objects of a portal at one relay by plain requests, each for itself: nothing is waited for or repeated here, and
 * between two objects there is no connection that the relay would see.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../failure.ts";
import type { OnBytes } from "../ports/link.ts";
import { SEALED_PACK_BYTES } from "../units.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { readObject } from "./http-answer.ts";
import type { SendRequest } from "./http-link.ts";
import { withEither } from "./with-either.ts";

/** One portal at one relay. */
export class SealedReader {
  readonly #send: SendRequest;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  #stop = new AbortController();
  #isClosed = false;

  /** @param token of the portal's owner, u8[32], or of a link to receive by; neither is counted as a receiver for reading so */
  constructor(send: SendRequest, portal: Uint8Array, token: Uint8Array) {
    this.#send = send;
    this.#base = `/api/v1/portals/${base64urlnopad.encode(portal)}`;
    this.#headers = { Authorization: `Bearer ${base64urlnopad.encode(token)}` };
  }

  /**
   * Fetches one object that is there and gives what `accept` makes of it. Its bytes are not verified.
   *
   * @param onBytes is told of its bytes as they come
   * @throws Failure `object/absent` | `relay/…` | `cancelled` after `signal` was aborted, `interrupt` or `close`; what `accept` threw
   */
  async get<T>(
    kind: ObjectKind,
    index: number,
    accept: (object: SealedObject) => Promise<T>,
    signal?: AbortSignal,
    onBytes?: OnBytes,
  ): Promise<T> {
    if (this.#isClosed) throw new Failure("cancelled");
    const path = `${this.#base}/${kind}s/${index}`;
    const object = await withEither(this.#stop.signal, signal, async (either) => {
      const response = await this.#send({ method: "GET", path, headers: this.#headers, signal: either });
      return readObject(kind, index, response, SEALED_PACK_BYTES, onBytes);
    });
    return accept(object);
  }

  /** The relay is away: what is under way fails now. */
  interrupt(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  close(): void {
    this.#isClosed = true;
    this.#stop.abort();
  }
}
