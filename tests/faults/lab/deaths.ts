/**
 * The ways in which a page ends that nobody asked for, and a browser that outlives them.
 *
 * @module
 */
import type { BrowserContext, Page } from "playwright-core";
import { launchProfile } from "../../support/chromium.ts";

/** Its tab is closed, its process crashes, or the whole browser ends without a good-bye. */
export const DEATHS = ["closed", "crashed", "killed"] as const;
export type Death = (typeof DEATHS)[number];

/** A browser with a profile on disk, started again when it was killed. */
export class LastingBrowser implements AsyncDisposable {
  readonly #folder: string;
  #context: BrowserContext;

  private constructor(folder: string, context: BrowserContext) {
    this.#folder = folder;
    this.#context = context;
  }

  /** @param folder of the profile; the caller removes it */
  static async start(folder: string): Promise<LastingBrowser> {
    return new LastingBrowser(folder, await launchProfile(folder));
  }

  newPage(): Promise<Page> {
    return this.#context.newPage();
  }

  /** Ends the page. */
  async end(page: Page, how: Death): Promise<void> {
    if (how === "closed") return page.close();
    if (how === "crashed") {
      const crashed = new Promise((resolve) => page.once("crash", resolve));
      await page.goto("chrome://crash").catch(() => {});
      await crashed;
      return page.close();
    }
    const client = await this.#context.newCDPSession(page);
    await client.send("Browser.crash").catch(() => {});
    await this.#context.close().catch(() => {});
    this.#context = await launchProfile(this.#folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
