/**
 * Pages of a test whose only content is one bundled module; the rest of their origin may be a real relay.
 *
 * @module
 */
import type { BrowserContext, Page } from "playwright-core";

/** What is served at a page's own paths; whatever is not named goes to the origin. */
export interface ModulePage {
  /** `http://localhost:PORT` */
  readonly origin: string;
  /** The page's script. */
  readonly code: string;
  /** Name of what its script sets when it is ready. */
  readonly global: string;
  /** A worker's script, at `/worker.js`. */
  readonly worker?: string;
}

/** Opens it and waits until its script is ready. The caller closes it. */
export async function openModulePage(context: BrowserContext, module: ModulePage): Promise<Page> {
  const page = await context.newPage();
  const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/code.js"></script>';
  const answer = (path: string, contentType: string, body: string) =>
    page.route(module.origin + path, (route) => route.fulfill({ contentType, body }));
  await answer("/module", "text/html", html);
  await answer("/code.js", "text/javascript", module.code);
  if (module.worker !== undefined) await answer("/worker.js", "text/javascript", module.worker);
  await page.goto(`${module.origin}/module`);
  await page.waitForFunction((name) => name in globalThis, module.global);
  return page;
}

/** Loads it again: its threads end, what it stored stays. */
export async function reloadModule(page: Page, { global }: ModulePage): Promise<void> {
  await page.reload();
  await page.waitForFunction((name) => name in globalThis, global);
}
