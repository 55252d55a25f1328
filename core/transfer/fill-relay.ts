/**
 * Completes one relay: what it lacks is read, sealed as it is, from another that holds it, and stored; what nobody holds any
 * more is made again by the sender.
 *
 * @module
 */
import { Failure, toFailure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import { equalBytes } from "../wire/codec.ts";
import type { Commitment } from "../wire/frame.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import type { SendLeg } from "./send-leg.ts";

/** Objects that are moved at a time. */
const AT_ONCE = 4;
/** Objects that are looked for at a time. */
const MAX_LISTED = 64;
/** How long a relay that held something may be away before that is made again. */
const AWAY_MS = 10_000;
const LOOK_AGAIN_MS = 250;
/** What is made again is there within this time, readings of the journal and their rests included, or never. */
const REMAKE_MS = 300_000;

/** What filling a relay takes. */
export interface FillParts {
  readonly target: SendLeg;
  readonly others: () => readonly SendLeg[];
  readonly kinds: readonly ObjectKind[];
  readonly commitment: Commitment;
  /** What a pack was sealed to, where this send knows. */
  readonly hashOf: (pack: number) => Uint8Array | undefined;
  /** Makes an object again, which is then stored; undefined where that is not to be. */
  readonly remake: ((kind: ObjectKind, index: number) => void) | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Resolves when the relay holds everything that the commitment counts.
 * @throws Failure `cancelled`; `relay/unreachable` for what is neither there nor made again
 */
export async function fillRelay(parts: FillParts): Promise<void> {
  const { target, clock, signal } = parts;
  const seenAtMs = new Map<string, number>();
  const remadeAtMs = new Map<string, number>();
  for (;;) {
    const missing = missingAt(parts);
    if (missing.length === 0) return;
    const todo = [...missing];
    const lane = async () => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) await moveOne(parts, ...next);
    };
    if (target.isUp) await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const left = missing.filter(([kind, index]) => !target.held.has(kind, index));
    if (left.length === 0) continue;
    for (const [kind, index] of left) {
      const key = `${kind} ${index}`;
      const sinceMs = seenAtMs.get(key) ?? clock.now();
      seenAtMs.set(key, sinceMs);
      const madeMs = remadeAtMs.get(key);
      const isLate = madeMs !== undefined && target.isUp && clock.now() - madeMs > REMAKE_MS;
      if (isLate || (parts.remake === undefined && clock.now() - sinceMs >= AWAY_MS))
        throw new Failure("relay/unreachable", { what: key });
      if (madeMs !== undefined || clock.now() - sinceMs < AWAY_MS) continue;
      remadeAtMs.set(key, clock.now());
      parts.remake?.(kind, index);
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** The first objects that it lacks. */
function missingAt({ target, kinds, commitment }: FillParts): [kind: ObjectKind, index: number][] {
  target.listen();
  const missing: [ObjectKind, number][] = [];
  for (const kind of kinds) {
    const count = kind === "pack" ? commitment.packs : commitment.pages;
    for (const [from, to] of target.held.all(kind).missing(count)) {
      for (let index = from; index < to && missing.length < MAX_LISTED; index++) missing.push([kind, index]);
    }
  }
  return missing;
}

/** Moves an object, where one of the others can give it now. */
async function moveOne({ target, others, hashOf, signal }: FillParts, kind: ObjectKind, index: number): Promise<void> {
  for (const source of others()) {
    if (source === target || !source.canGive(kind, index)) continue;
    try {
      await source.give(kind, index, async (object: SealedObject) => {
        const hash = kind === "pack" ? hashOf(index) : undefined;
        // A relay may say what it likes of its bytes; the next one takes what its hash says.
        if (hash !== undefined && !equalBytes(hash, object.header.hash)) throw new Failure("pack/forged", { index });
        await target.put(object, signal);
      });
      return;
    } catch (error) {
      if (signal.aborted) throw toFailure(error, "cancelled");
      // It does not give it, or gives something else: it counts as one that does not have it.
      source.held.remove(kind, index);
    }
  }
}
