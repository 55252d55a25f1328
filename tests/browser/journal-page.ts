/**
 * The page of the journal test: the browser's journals within reach of the test.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import * as journals from "../../platform/journal/journals.ts";

declare global {
  /** For `page.evaluate`. */
  var warp: typeof tools;
}

const tools = {
  ...journals,
  /** `resolved`, or the code of what was thrown. */
  async codeOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return "resolved";
    } catch (error) {
      return error instanceof Failure ? error.code : String(error);
    }
  },
  async textsOf(journal: journals.OpenJournal): Promise<string[]> {
    const texts: string[] = [];
    for await (const record of journal.records()) texts.push(new TextDecoder().decode(record));
    return texts;
  },
  append(journal: journals.OpenJournal, text: string): Promise<void> {
    return journal.append(new TextEncoder().encode(text));
  },
  async head(portal: string): Promise<Parameters<typeof journals.createJournal>[0]> {
    const owner = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const handles = [await navigator.storage.getDirectory()];
    return {
      kind: "send",
      portal,
      relayOrigin: location.origin,
      relays: [],
      startedAtMs: 1000,
      keys: { owner },
      handles,
    };
  },
};

globalThis.warp = tools;
