/**
 * An edge that gives packs at a rate of its own, one after the other in slices, on a clock that the test moves; and that can
 * die, lie, slow down and come back.
 *
 * @module
 */
import { RangeSet } from "../../core/chunk/range-set.ts";
import type { EdgeKind } from "../../core/edge/pack-edge.ts";
import type { RelayEdge } from "../../core/edge/relay-edge.ts";
import type { LinkStatus } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { ObjectKind, SealedObject } from "../../core/wire/object.ts";

/** Bytes that come at a time. */
const SLICE_BYTES = 65_536;

type Accept<T> = (object: SealedObject) => Promise<T>;

/** Packs `[0, packs)` unless told otherwise. Its bytes say which pack they are, and are wrong where it lies. */
export class PacedEdge implements Pick<RelayEdge, keyof RelayEdge> {
  readonly name: string;
  readonly maxActive = 8;
  kind: EdgeKind = "tcp";
  rttMs = 10;
  isUp = true;
  isKeptBack = false;
  held = new RangeSet();
  bytesPerSec: number;
  /** It takes what it is asked, and never answers. */
  isSilent = false;
  lies = false;
  /** Why requests fail from now on. */
  failsWith: Failure | undefined;
  /** Packs that were asked for, in order, and those that it gave whole. */
  readonly asked: number[] = [];
  readonly gave: number[] = [];
  readonly pages: number[] = [];
  readonly #clock: Clock;
  readonly #packBytes: number;
  #line: Promise<void> = Promise.resolve();

  constructor(name: string, clock: Clock, bytesPerSec: number, packs: number, packBytes: number) {
    this.name = name;
    this.#clock = clock;
    this.bytesPerSec = bytesPerSec;
    this.#packBytes = packBytes;
    this.held.add(0, packs);
  }

  get status(): LinkStatus {
    return {
      carrier: "websocket",
      reason: null,
      nextTryAtMs: this.isUp ? null : this.#clock.now() + 1000,
      failure: null,
    };
  }

  async get<T>(pack: number, accept: Accept<T>, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<T> {
    this.asked.push(pack);
    await this.#until(
      () => this.failsWith !== undefined || (this.isUp && !this.isSilent && this.held.has(pack)),
      signal,
    );
    await this.#clock.sleep(this.rttMs, signal);
    const turn = this.#line;
    let done = () => {};
    this.#line = new Promise((resolve) => {
      done = resolve;
    });
    try {
      await turn;
      for (let bytes = 0; bytes < this.#packBytes; bytes += SLICE_BYTES) {
        if (signal.aborted) throw new Failure("cancelled");
        if (this.failsWith !== undefined) throw this.failsWith;
        await this.#until(() => this.isUp && !this.isSilent, signal);
        const slice = Math.min(SLICE_BYTES, this.#packBytes - bytes);
        await this.#clock.sleep((slice * 1000) / this.bytesPerSec, signal);
        onBytes(slice);
      }
    } finally {
      done();
    }
    const object = objectOf("pack", pack, this.lies);
    const result = await accept(object);
    this.gave.push(pack);
    return result;
  }

  async getPage<T>(page: number, accept: Accept<T>, signal: AbortSignal): Promise<T> {
    this.pages.push(page);
    await this.#until(() => this.isUp && !this.isSilent, signal);
    return accept(objectOf("page", page, this.lies));
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) await this.#clock.sleep(10, signal);
  }
}

function objectOf(kind: ObjectKind, index: number, isWrong: boolean): SealedObject {
  const bytes = Uint8Array.of(index & 0xff, isWrong ? 1 : 0);
  return { header: { kind, index, final: false, length: bytes.length, hash: new Uint8Array(32) }, bytes };
}

/** What a receiver does with an object of these edges. @throws Failure `pack/forged` */
export async function acceptPaced({ header, bytes }: SealedObject): Promise<number> {
  if (bytes[1] === 1) throw new Failure("pack/forged", { index: header.index });
  return header.index;
}
