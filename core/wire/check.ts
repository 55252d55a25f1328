/**
 * Small total checks for decoded MessagePack values. Every one throws Failure `wire/malformed` and nothing else.
 *
 * @module
 */
import { Failure } from "../failure.ts";

/** A decoded map, its values unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Refuses what `what` names. @throws Failure `wire/malformed` */
export function malformed(what: string): never {
  throw new Failure("wire/malformed", { what });
}

/** A map with string keys; MessagePack maps decode to plain objects. */
export function asFields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    malformed(what);
  return value as Fields;
}

/** An integer in `[min, max]`; refuses NaN, fractions, bigints and numbers past 2^53−1. */
export function asInteger(value: unknown, what: string, max: number = Number.MAX_SAFE_INTEGER, min = 0): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) malformed(what);
  return value;
}

/** Bytes of exactly `length`; the result is a copy-free view. */
export function asBytes(value: unknown, what: string, length?: number): Uint8Array<ArrayBuffer> {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) malformed(what);
  return value as Uint8Array<ArrayBuffer>;
}

/** A string of at most `maxLength` UTF-16 units. */
export function asString(value: unknown, what: string, maxLength: number): string {
  if (typeof value !== "string" || value.length > maxLength) malformed(what);
  return value;
}

/** True or false. */
export function asBoolean(value: unknown, what: string): boolean {
  if (typeof value !== "boolean") malformed(what);
  return value;
}

/** One of a few fixed words. */
export function asOneOf<T extends string>(value: unknown, options: readonly T[], what: string): T {
  for (const option of options) if (value === option) return option;
  return malformed(what);
}

/** An array of at most `maxLength` entries, unchecked. */
export function asArray(value: unknown, what: string, maxLength: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxLength) malformed(what);
  return value;
}
