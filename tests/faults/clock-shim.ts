/**
 * Loaded into a relay process before anything else: its date is off by what a file says, in seconds, such as `+259200`.
 * Clocks that do not jump stay as they are, as they do when somebody sets the machine's date.
 *
 * @module
 */
import { readFileSync } from "node:fs";

const LOOK_MS = 20;

const path = process.env["WARP_CLOCK_FILE"] ?? "";
const real = Date.now;
let offsetMs = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

function now(): number {
  if (performance.now() - lookedAt > LOOK_MS) {
    lookedAt = performance.now();
    offsetMs = Number(readFileSync(path, "utf8")) * 1000;
  }
  return real() + offsetMs;
}

globalThis.Date = new Proxy(Date, {
  construct: (target, args: [], self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self) as object,
  get: (target, name, self) => (name === "now" ? now : Reflect.get(target, name, self)),
});
