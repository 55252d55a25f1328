/**
 * A relay once more, by plain requests over TCP beside the link that it has: a second way for packs where the first one is
 * slow, or dead. It holds what the link's relay holds. Pages may be had here too, while the link gives none; claims and everything
 * else stay with the link.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import { Failure, toFailure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { OnBytes } from "../ports/link.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import type { PackEdge } from "./pack-edge.ts";
import { inTurn, Quota } from "./quota.ts";
import type { SealedReader } from "./sealed-reader.ts";
import { withEither } from "./with-either.ts";

/** Browsers open six connections to one host; one is left for everything else. */
const MAX_PACKS_AT_ONCE = 4;
const MAX_PAGES_AT_ONCE = 1;
/** A request of which no byte comes for so long has failed. */
const SILENCE_MS = 5_000;
/** After a failure nothing is asked for so long, twice as long after each further one, and at most … */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;

/** What it is made of. */
export interface TcpEdgeParts {
  /** The same relay, over its link. */
  readonly home: Pick<PackEdge, "name" | "held" | "rttMs">;
  /** Of the same portal there. */
  readonly reader: Pick<SealedReader, "get">;
  readonly clock: Clock;
}

/** One relay, to receive from. The reader stays its owner's. That a rest is over is told nobody: it is seen by who looks. */
export class TcpEdge implements PackEdge {
  readonly kind = "tcp" as const;
  readonly maxActive = MAX_PACKS_AT_ONCE;
  readonly #parts: TcpEdgeParts;
  readonly #turns = { pack: new Quota(MAX_PACKS_AT_ONCE), page: new Quota(MAX_PAGES_AT_ONCE) };
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #nextRestMs = FIRST_REST_MS;

  constructor(parts: TcpEdgeParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.home.name;
  }

  get isUp(): boolean {
    return this.#parts.clock.now() >= this.#restUntilMs;
  }

  /** The link's: it is the same way to the same relay. */
  get rttMs(): number | null {
    return this.#parts.home.rttMs;
  }

  get held(): RangeSet {
    return this.#parts.home.held;
  }

  async get<T>(
    pack: number,
    accept: (object: SealedObject) => Promise<T>,
    signal: AbortSignal,
    onBytes: OnBytes,
  ): Promise<T> {
    return accept(await this.#inTurn("pack", pack, signal, onBytes));
  }

  /** Fetches a page that is there. @throws like `get` */
  async getPage<T>(page: number, accept: (object: SealedObject) => Promise<T>, signal: AbortSignal): Promise<T> {
    return accept(await this.#inTurn("page", page, signal, () => {}));
  }

  #inTurn(kind: ObjectKind, index: number, signal: AbortSignal, onBytes: OnBytes): Promise<SealedObject> {
    return inTurn(this.#turns[kind], signal, () => this.#fetch(kind, index, signal, onBytes));
  }

  async #fetch(kind: ObjectKind, index: number, signal: AbortSignal, onBytes: OnBytes): Promise<SealedObject> {
    const { clock, reader } = this.#parts;
    const [silence, ended] = [new AbortController(), new AbortController()];
    let heardMs = clock.now();
    const listen = async () => {
      for (let leftMs = SILENCE_MS; leftMs > 0; leftMs = heardMs + SILENCE_MS - clock.now())
        await clock.sleep(leftMs, ended.signal);
      silence.abort();
    };
    listen().catch(() => {}); // it came to its end
    try {
      const object = await withEither(silence.signal, signal, (either) =>
        reader.get(kind, index, sameObject, either, (bytes) => {
          heardMs = clock.now();
          onBytes(bytes);
        }),
      );
      this.#nextRestMs = FIRST_REST_MS;
      return object;
    } catch (error) {
      if (signal.aborted) throw new Failure("cancelled");
      const failure = silence.signal.aborted
        ? new Failure("relay/unreachable", { what: "silence" })
        : toFailure(error, "relay/unreachable");
      // That something is not there is an answer like any other.
      if (failure.code !== "object/absent") this.#rest(failure);
      throw failure;
    } finally {
      ended.abort();
    }
  }

  /** Requests that were under way together fail together, and count once. */
  #rest(failure: Failure): void {
    if (!this.isUp) return;
    if (!failure.retry) {
      this.#restUntilMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#restUntilMs = this.#parts.clock.now() + this.#nextRestMs;
    this.#nextRestMs = Math.min(LONGEST_REST_MS, 2 * this.#nextRestMs);
  }
}

async function sameObject(object: SealedObject): Promise<SealedObject> {
  return object;
}
