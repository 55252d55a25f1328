/**
 * Judges a decoder: whatever it is given, it answers or refuses with one of its codes, soon, and keeps nothing.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { Failure, type FailureCode } from "../../../core/failure.ts";
import { MIB } from "../../../core/units.ts";

/** No call may take longer, of processor time. */
export const MAX_CALL_MS = 50;
/** What all calls together may leave behind. */
const MAX_GROWTH_BYTES = 50 * MIB;
/** A call that took this long by the clock is measured again: the machine may have been busy. */
const SUSPICIOUS_MS = 2;
/** How often the test runner gets a word in. */
const YIELD_MS = 250;

/** A decoder under test. `T` is what it is given. */
export interface Target<T> {
  readonly name: string;
  /** The next input. */
  readonly next: () => T;
  /** Decodes it, and checks what it gives. */
  readonly decode: (input: T) => unknown;
  readonly codes: readonly FailureCode[];
  /** How an input is shown when it is answered wrongly. */
  readonly show: (input: T) => string;
}

/** What came out of it. */
export interface Verdict {
  readonly inputs: number;
  readonly accepted: number;
  /** Processor time of the slowest call, 0 where none took SUSPICIOUS_MS. */
  readonly slowestMs: number;
  readonly seconds: number;
  readonly grownMib: number;
}

let collect: (() => void) | undefined;

/** Bytes that are in use after a full collection, of objects and of buffers. */
export function usedBytes(): number {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Gives the decoder so many inputs. @throws when one is answered wrongly, slowly, or when memory grew */
export async function judge<T>(target: Target<T>, inputs: number): Promise<Verdict> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    // Whatever is made once, on first use.
    for (let i = 0; i < Math.min(200, inputs); i++) await answer(target, target.next());
    const before = usedBytes();
    const started = performance.now();
    const [accepted, slowestMs] = await run(target, inputs);
    const seconds = (performance.now() - started) / 1000;
    const grownBytes = Math.max(0, usedBytes() - before);
    expect(grownBytes, `${target.name} keeps memory`).toBeLessThan(MAX_GROWTH_BYTES);
    return { inputs, accepted, slowestMs, seconds, grownMib: grownBytes / MIB };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function run<T>(target: Target<T>, inputs: number): Promise<[accepted: number, slowestMs: number]> {
  let [accepted, slowestMs, yieldedMs] = [0, 0, performance.now()];
  for (let i = 0; i < inputs; i++) {
    const input = target.next();
    const began = performance.now();
    const answered = answer(target, input);
    if (typeof answered === "boolean" ? answered : await answered) accepted++;
    const now = performance.now();
    if (now - began > Math.max(SUSPICIOUS_MS, slowestMs)) {
      slowestMs = Math.max(slowestMs, await effortOf(target, input));
      if (slowestMs > MAX_CALL_MS) throw new Error(`${target.name}: ${slowestMs} ms for ${target.show(input)}`);
    }
    if (now - yieldedMs > YIELD_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      yieldedMs = performance.now();
    }
  }
  return [accepted, slowestMs];
}

/** True when the input was taken, false when it was refused with a code of the decoder's. */
function answer<T>(target: Target<T>, input: T): boolean | Promise<boolean> {
  const refused = (error: unknown): false => {
    if (error instanceof Failure && target.codes.includes(error.code)) return false;
    throw new Error(`${target.name}: ${String(error)} for ${target.show(input)}`, { cause: error });
  };
  try {
    const result = target.decode(input);
    if (result instanceof Promise) return result.then(() => true as boolean, refused);
    return true;
  } catch (error) {
    return refused(error);
  }
}

/** Processor milliseconds of one call: the least of several. */
async function effortOf<T>(target: Target<T>, input: T): Promise<number> {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 4; tries++) {
    const before = process.threadCpuUsage();
    await answer(target, input);
    const { user, system } = process.threadCpuUsage(before);
    leastMs = Math.min(leastMs, (user + system) / 1000);
  }
  return leastMs;
}

/** Bytes for a message about them. */
export function showBytes(bytes: Uint8Array): string {
  return `${bytes.length} bytes ${Buffer.from(bytes).toString("base64")}`;
}
