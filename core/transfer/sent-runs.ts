/**
 * Runs that a journal tells of, for as long as packs may have to be made again from them; and the making.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { packSpans } from "../pack/packer.ts";
import { createSealBuffer, seal } from "../seal/seal.ts";
import { PACK_PAYLOAD_BYTES, SEALED_PACK_BYTES } from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
import type { SealedObject } from "../wire/object.ts";
import type { Repeater, RunSource } from "./batch.ts";
import type { PackSeal } from "./send-record.ts";

/** A run and where it starts in the stream. */
interface PlacedRun extends RunSource {
  readonly start: number;
}

/** A pack to be made again. */
export interface LostPack extends PackSeal {
  readonly index: number;
  /** Of its sealed bytes, u8[32]. */
  readonly hash: Uint8Array;
}

/** The runs behind the last sealed pack, and those that overlap it. */
export class SentRuns {
  #runs: PlacedRun[] = [];
  #offset = 0;
  /** SHA-256 of the run that begins in the last sealed pack and goes on behind it. */
  #tail: Uint8Array | null = null;

  /** Place in the stream behind the last run. */
  get offset(): number {
    return this.#offset;
  }

  add(run: RunSource): void {
    this.#runs.push({ ...run, start: this.#offset });
    this.#offset += run.storedBytes;
  }

  /** Everything up to the end of this pack will not be asked for any more. */
  passed(pack: number, tail: Uint8Array | null): void {
    const end = (pack + 1) * PACK_PAYLOAD_BYTES;
    this.#tail = tail;
    this.#runs = this.#runs.filter(({ start, storedBytes }) => start + storedBytes > end);
  }

  /**
   * Makes a pack again, the same bytes as before.
   * @throws Failure `file/absent` | `file/changed` | `file/unreadable`; `pack/unrepeatable` when no engine here gives its bytes
   */
  async remake(lost: LostPack, key: CryptoKey, portal: Uint8Array, repeater: Repeater): Promise<SealedObject> {
    const from = lost.index * PACK_PAYLOAD_BYTES;
    const runs = this.#between(from, from + lost.payloadBytes);
    const buffer = createSealBuffer(SEALED_PACK_BYTES);
    const sealRuns = async (made: readonly Uint8Array[]) => {
      for (const [i, run] of runs.entries()) placeInto(buffer.room, lost, run.start, made[i]);
      const { final, index, payloadBytes, ivs } = lost;
      return seal(key, portal, "pack", index, final, buffer, payloadBytes, { ivs });
    };
    const onCpu = await repeater.repeat(runs, "cpu");
    if (hasLengths(runs, onCpu)) {
      const object = await sealRuns(onCpu);
      if (equalBytes(object.header.hash, lost.hash)) return object;
    }
    const onGpu = await repeater.repeat(runs, "gpu");
    // A pack may hold runs of both, where the engine was changed between two batches.
    const mixed = runs.map((run, i) => (onCpu[i]?.length === run.storedBytes ? onCpu[i] : onGpu[i]) ?? NO_BYTES);
    for (const made of [mixed, onGpu]) {
      if (!hasLengths(runs, made)) continue;
      const object = await sealRuns(made);
      if (equalBytes(object.header.hash, lost.hash)) return object;
    }
    throw new Failure("pack/unrepeatable", { index: lost.index });
  }

  /**
   * The stream from `from`, the end of the last sealed pack, to its end: runs that were journalled, whole, and the part of each
   * that lies in no sealed pack.
   * @throws Failure as `remake`
   */
  async rest(from: number, repeater: Repeater): Promise<{ run: Uint8Array<ArrayBuffer>; part: Uint8Array }[]> {
    const runs = this.#between(from, this.#offset);
    let made = await repeater.repeat(runs, "cpu");
    if (!(await this.#fits(runs, made, from))) {
      const onCpu = made;
      const onGpu = await repeater.repeat(runs, "gpu");
      made = runs.map((run, i) => (onCpu[i]?.length === run.storedBytes ? onCpu[i] : onGpu[i]) ?? NO_BYTES);
      if (!(await this.#fits(runs, made, from))) made = onGpu;
    }
    if (!(await this.#fits(runs, made, from))) throw new Failure("pack/unrepeatable");
    return made.map((run, i) => ({ run, part: run.subarray(Math.max(0, from - (runs[i]?.start ?? 0))) }));
  }

  /** Lengths are those of the journal, and the run whose beginning is sealed already is the same, byte for byte. */
  async #fits(runs: readonly PlacedRun[], made: readonly Uint8Array<ArrayBuffer>[], from: number): Promise<boolean> {
    if (!hasLengths(runs, made)) return false;
    const [run] = runs;
    const [bytes] = made;
    if (run === undefined || bytes === undefined || run.start >= from) return true;
    return this.#tail !== null && equalBytes(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), this.#tail);
  }

  #between(from: number, to: number): PlacedRun[] {
    return this.#runs.filter(({ start, storedBytes }) => start < to && start + storedBytes > from);
  }
}

const NO_BYTES = new Uint8Array(0);

function hasLengths(runs: readonly RunSource[], made: readonly Uint8Array[]): boolean {
  return runs.every(({ storedBytes }, i) => made[i]?.length === storedBytes);
}

/** Copies the part of a run that lies in the pack to its place. */
function placeInto(room: Uint8Array, lost: LostPack, start: number, bytes: Uint8Array | undefined): void {
  let at = 0;
  for (const { pack, from, to } of packSpans(start, bytes?.length ?? 0)) {
    if (pack === lost.index && bytes !== undefined) room.set(bytes.subarray(at, at + to - from), from);
    at += to - from;
  }
}
