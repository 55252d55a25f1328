/**
 * Worlds to play, made of a seed.
 *
 * @module
 */
import { MIB } from "../../../core/units.ts";
import { sequence } from "../fake-effort.ts";
import type { Fault, RateStep, SimEdge, World } from "./world.ts";

const END_MS = 36_000_000;
const MEGABYTES = 1_000_000;

/** What a random world may have. */
export interface WorldKind {
  readonly packs: readonly [least: number, most: number];
  readonly edges: readonly [least: number, most: number];
  /** The fastest edge's rate as a multiple of the slowest one's, at most. */
  readonly spread: number;
  /** True where rates change: steps, drift or noise. */
  readonly isUnsteady?: boolean;
  /** True where edges fail, come back, fall silent or lie. One honest edge that holds everything and stays is always there. */
  readonly isHostile?: boolean;
  /** True where edges hold only parts; each pack has one honest holder at least. */
  readonly isPartial?: boolean;
  /** Part of worlds, 0 to 1, with a receiver that writes in order. */
  readonly inOrder?: number;
  /** Part of worlds, 0 to 1, in which the receiver's line is less than the edges together. */
  readonly shared?: number;
}

/** Numbers for a world. */
class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    // Never 0, which the sequence would stay at; the first numbers of like seeds are alike.
    this.#next = sequence((Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1);
    for (let i = 0; i < 8; i++) this.#next();
  }

  /** From 0 to 1. */
  part(): number {
    return this.#next() / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.part() * (most - least);
  }

  whole([least, most]: readonly [number, number]): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** Between the two, as likely in each factor of two. */
  scaled(least: number, most: number): number {
    return least * (most / least) ** this.part();
  }
}

/** The world of a kind with this seed. */
export function randomWorld(kind: WorldKind, seed: number): World {
  const dice = new Dice(seed);
  const packs = dice.whole(kind.packs);
  const count = dice.whole(kind.edges);
  const slowest = dice.scaled(MEGABYTES, 4 * MEGABYTES);
  const packBytes = 4 * MIB;
  const base = Array.from({ length: count }, () => dice.scaled(slowest, slowest * kind.spread));
  const sum = base.reduce((total, rate) => total + rate, 0);
  const roughMs = ((packs * packBytes) / sum) * 1_000;
  const honest = dice.whole([0, count - 1]);
  const edges = base.map((bytesPerSec, edge): SimEdge => {
    const isSafe = edge === honest || kind.isHostile !== true;
    const lie =
      !isSafe && dice.part() < 0.3 ? (["absent", "corrupt", "stall"] as const)[dice.whole([0, 2])] : undefined;
    return {
      rate: kind.isUnsteady === true ? unsteady(bytesPerSec, roughMs, dice) : [{ fromMs: 0, bytesPerSec }],
      rttMs: dice.between(1, 150),
      // Fewer than eight at once can be too few to keep a fast and distant edge busy: the bound knows nothing of that.
      maxActive: dice.whole(kind.isHostile === true ? [1, 32] : [8, 32]),
      holds: kind.isPartial !== true || edge === honest ? [[0, packs]] : parts(packs, dice),
      faults: isSafe ? [] : randomFaults(roughMs, dice),
      ...(lie === undefined ? {} : { lie }),
      ...(kind.isHostile === true ? { guessBytesPerSec: bytesPerSec * dice.scaled(0.25, 4) } : {}),
    };
  });
  return {
    packs,
    packBytes,
    edges,
    seed,
    endMs: END_MS,
    ...(dice.part() < (kind.inOrder ?? 0) ? { windowPacks: 14 } : {}),
    ...(dice.part() < (kind.shared ?? 0) ? { lineBytesPerSec: sum * dice.between(0.3, 0.9) } : {}),
  };
}

/** A rate that steps, drifts or is noisy, for three times as long as the transfer should take. */
function unsteady(bytesPerSec: number, roughMs: number, dice: Dice): RateStep[] {
  const steps = 30;
  const everyMs = (3 * roughMs) / steps;
  const kind = dice.whole([0, 2]);
  const stepAt = dice.whole([2, 15]);
  const factor = dice.scaled(0.25, 4);
  return Array.from({ length: steps }, (_, i) => {
    const byStep = i < stepAt ? 1 : factor;
    const byDrift = factor ** (i / steps);
    const byNoise = dice.between(0.7, 1.3);
    return { fromMs: i * everyMs, bytesPerSec: bytesPerSec * ([byStep, byDrift, byNoise][kind] ?? 1) };
  });
}

function parts(packs: number, dice: Dice): [number, number][] {
  const cuts = Array.from({ length: 6 }, () => dice.whole([0, packs])).sort((a, b) => a - b);
  return [0, 2, 4].map((i) => [cuts[i] ?? 0, cuts[i + 1] ?? 0]);
}

function randomFaults(roughMs: number, dice: Dice): Fault[] {
  const atMs = dice.between(0, roughMs);
  const kind = dice.whole([0, 3]);
  if (kind === 0) return [];
  if (kind === 1) return [{ kind: "silent", atMs }];
  if (kind === 2) return [{ kind: "lost", atMs }];
  return [
    { kind: "lost", atMs },
    { kind: "back", atMs: atMs + dice.between(100, roughMs) },
  ];
}
