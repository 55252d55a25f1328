/**
 * What the program says: for people, or one JSON object per line for programs. Links and answers go to stdout, all else
 * to stderr, so that `warp send … | head -1` gives the link.
 *
 * @module
 */
import type { FailureCode } from "../core/failure.ts";
import type { TransferSnapshot } from "../core/transfer/snapshot.ts";
import { progressText } from "./progress-text.ts";

/** One thing that happened, as it stands in the JSON; `type` names it. */
export type Event =
  | { readonly type: "link"; readonly link: string; readonly expiresAtMs: number }
  | { readonly type: "request"; readonly title: string; readonly expiresAtMs: number }
  | { readonly type: "renamed"; readonly path: string; readonly actual: string }
  | { readonly type: "progress"; readonly snapshot: TransferSnapshot }
  | {
      readonly type: "done";
      readonly bytes: number;
      readonly wireBytes: number;
      readonly entries: number;
      readonly seconds: number;
    }
  | { readonly type: "info"; readonly [key: string]: unknown }
  | { readonly type: "failed"; readonly code: FailureCode | "usage" | "bug"; readonly message: string };

/** Where the text goes. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
  /** Columns of the terminal behind `err`, or null when it is not one. */
  readonly columns: number | null;
}

export class Output {
  readonly json: boolean;
  readonly #streams: Streams;
  #lineShown = false;

  constructor(streams: Streams, json: boolean) {
    this.#streams = streams;
    this.json = json;
  }

  /** Milliseconds between two lines of progress: one line that changes on a terminal, new lines elsewhere. */
  get progressEveryMs(): number {
    return !this.json && this.#streams.columns !== null ? 200 : 3_000;
  }

  /**
   * Says something once.
   * @param text for people; names in it went through `quoted`
   * @param to where people read it
   */
  say(event: Event, text: string, to: "out" | "err" = "err"): void {
    this.endLine();
    if (this.json) this.#streams.out(jsonLine(event));
    if (!this.json || event.type === "failed") this.#streams[to](`${text}\n`);
  }

  /** Shows how far a transfer is. */
  progress(snapshot: TransferSnapshot): void {
    if (this.json) {
      this.#streams.out(jsonLine({ type: "progress", snapshot }));
      return;
    }
    const text = progressText(snapshot);
    const { columns } = this.#streams;
    if (columns === null) this.#streams.err(`${text}\n`);
    else this.#streams.err(`\r\u001b[K${text.slice(0, Math.max(20, columns - 1))}`);
    this.#lineShown = columns !== null;
  }

  /** Leaves the line that changes, so that the next text starts on its own. */
  endLine(): void {
    if (this.#lineShown) this.#streams.err("\r\u001b[K");
    this.#lineShown = false;
  }
}

/** JSON in ASCII: a name's letters reach a terminal only as escapes. */
function jsonLine(event: Event): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(event).replace(/[\u007f-\uffff]/g, escaped)}\n`;
}
