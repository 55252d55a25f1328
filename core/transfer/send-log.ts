/**
 * The sender's side of its journal: every pack and page is written down before it leaves, so that nothing can be at the relay
 * that the journal does not know. A journal that fails ends nothing but the hope of resuming.
 *
 * @module
 */
import type { Page } from "../manifest/page.ts";
import type { Journal } from "../ports/journal.ts";
import type { Spans } from "./batch.ts";
import { encodeSendRecord, type PackSeal } from "./send-record.ts";

export class SendLog {
  #journal: Journal | undefined;
  readonly #onFailed: () => void;
  /** Of runs that no record tells of yet. */
  #spans: Spans[] = [];

  /** @param onFailed called once when the journal takes nothing more */
  constructor(journal: Journal | undefined, onFailed: () => void) {
    this.#journal = journal;
    this.#onFailed = onFailed;
  }

  /** True while there is a journal that takes records. */
  get isKept(): boolean {
    return this.#journal !== undefined;
  }

  /** A run was added to the manifest. */
  addRun(spans: Spans): void {
    if (this.#journal !== undefined) this.#spans.push(spans);
  }

  /** Writes down what is fresh, and what it ends with. Resolves when it is durable, or never will be. */
  async write(rows: () => Page, pack: PackSeal | null, pageIv: Uint8Array | null): Promise<void> {
    const journal = this.#journal;
    if (journal === undefined) return;
    const spans = this.#spans;
    this.#spans = [];
    try {
      await journal.append(encodeSendRecord({ rows: rows(), spans, pack, pageIv }));
    } catch {
      if (this.#journal === undefined) return;
      this.#journal = undefined;
      this.#onFailed();
    }
  }
}
