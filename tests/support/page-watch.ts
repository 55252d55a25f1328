/**
 * Watches a page for what must never happen in the product: script errors, violated policies, words in the console, and
 * requests that leave the origin.
 *
 * @module
 */
import type { BrowserContext, Page } from "playwright-core";

export interface WatchedPage {
  readonly page: Page;
  /** What went wrong so far, in words; empty when all is well. */
  readonly problems: readonly string[];
}

/** Opens a page of `origin` in `context`; the watch begins before its first script. */
export async function openWatched(context: BrowserContext, origin: string): Promise<WatchedPage> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`script error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "blob:" && url.origin !== origin) problems.push(`request to ${url.origin}`);
  });
  await page.exposeFunction("noteViolation", (text: string) => void problems.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, sample }) => {
      const { noteViolation } = globalThis as unknown as { noteViolation(text: string): void };
      noteViolation(`${violatedDirective} ${sample}`);
    });
  });
  return { page, problems };
}
