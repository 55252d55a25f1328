/**
 * Secrets from standard input, where no process list shows them: the link for `-`, then the password.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { KIB } from "../core/units.ts";
import { UsageError } from "./arguments.ts";

/** A link is 100 letters and a password a line; more is some other file. */
const MAX_BYTES = 64 * KIB;

/**
 * Reads the first `lines` lines, without their line ends; the rest of the input is not waited for.
 * @throws UsageError when there are fewer, or one is empty
 */
export async function readLines(input: Readable, lines: number): Promise<readonly string[]> {
  if (lines === 0) return [];
  const parts: Buffer[] = [];
  let bytes = 0;
  let ends = 0;
  for await (const part of input) {
    const buffer = Buffer.from(part as Uint8Array);
    parts.push(buffer);
    bytes += buffer.length;
    for (const byte of buffer) if (byte === 0x0a) ends += 1;
    if (bytes > MAX_BYTES) throw new UsageError("Standard input holds more than a link and a password.");
    if (ends >= lines) break;
  }
  const text = Buffer.concat(parts).toString("utf8");
  const found = text.split("\n").slice(0, lines);
  const clean = found.map((line) => line.replace(/\r$/, ""));
  if (clean.length < lines || clean.some((line) => line === ""))
    throw new UsageError(
      `Standard input must hold ${lines === 1 ? "one line" : "the link and the password, a line each"}.`,
    );
  return clean;
}
