/**
 * The relay's log: one JSON object per line on stderr, made of a closed list of fields. It has no way to write a URL, a
 * header, a token or a name; portals and addresses appear as keyed hashes whose key lives a day and is never stored.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const DAY_MS = 24 * 3600 * 1000;
const HASH_CHARACTERS = 12;

/** Everything that a line can hold besides time, level and event. */
export interface LogFields {
  /** Template of the route, like `/api/v1/portals/{portal}`. */
  readonly route?: string;
  readonly method?: string;
  readonly status?: number;
  readonly bytes?: number;
  readonly ms?: number;
  readonly carrier?: string;
  /** A failure code, or `ok`. */
  readonly code?: string;
  readonly port?: number;
  readonly engine?: string;
  /** A fixed sentence of ours. */
  readonly reason?: string;
  /** Hashed before it is written. */
  readonly portal?: string;
  /** Hashed before it is written. */
  readonly address?: string;
}

export class Logger {
  readonly #level: number;
  readonly #write: (line: string) => void;
  #key = randomBytes(32);
  #keyDay = Math.floor(Date.now() / DAY_MS);

  /** @param write takes one line without its end */
  constructor(level: LogLevel, write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`)) {
    this.#level = LOG_LEVELS.indexOf(level);
    this.#write = write;
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#log("debug", event, fields);
  }
  info(event: string, fields: LogFields = {}): void {
    this.#log("info", event, fields);
  }
  warn(event: string, fields: LogFields = {}): void {
    this.#log("warn", event, fields);
  }
  error(event: string, fields: LogFields = {}): void {
    this.#log("error", event, fields);
  }

  /** An error that is no Failure: only where it came from is written, since its message may quote what a client sent. */
  bug(event: string, error: unknown): void {
    const code = error instanceof Error ? error.name : typeof error;
    this.#log("error", event, { code, reason: ownFrames(error) });
  }

  #log(level: LogLevel, event: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < this.#level) return;
    const { portal, address, route, method, status, bytes, ms, carrier, code, port, engine, reason } = fields;
    const hidden = { portal: this.#hide(portal), address: this.#hide(address) };
    const shown = { route, method, status, bytes, ms, carrier, code, port, engine, reason };
    this.#write(JSON.stringify({ time: new Date().toISOString(), level, event, ...shown, ...hidden }));
  }

  #hide(value: string | undefined): string | undefined {
    if (value === undefined) return undefined;
    const today = Math.floor(Date.now() / DAY_MS);
    if (today !== this.#keyDay) {
      this.#keyDay = today;
      this.#key = randomBytes(32);
    }
    return createHmac("sha256", this.#key).update(value).digest("hex").slice(0, HASH_CHARACTERS);
  }
}

/** The places in our own files that an error went through. */
function ownFrames(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return [...stack.matchAll(/\/((?:relay-server|core)\/[\w./-]+:\d+)/g)]
    .slice(0, 5)
    .map((match) => match[1])
    .join(" ");
}
