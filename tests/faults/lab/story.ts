/**
 * What a page shows of a transfer over time, and what can be asked of that.
 *
 * @module
 */
import type { Page } from "playwright-core";
import type { PathKind } from "../../../core/transfer/snapshot.ts";

/** The attributes of the transfer's state, at a time. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly state: string;
  readonly path: string;
  /** What it waits for the relay for; empty while it does not. */
  readonly waiting: string;
  readonly failure: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

declare global {
  var story: Moment[] | undefined;
}

/** Begins to note every change; before anything is sent or received. */
export async function watchStory(page: Page): Promise<void> {
  await page.evaluate(() => {
    const moments: Moment[] = [];
    globalThis.story = moments;
    const note = (): void => {
      const data = document.querySelector<HTMLElement>("[data-testid=transfer-state]")?.dataset ?? {};
      const { state = "", path = "", waiting = "", failure = "" } = data;
      const bytes = { bytesDone: Number(data["bytesDone"] ?? 0), bytesTotal: Number(data["bytesTotal"] ?? 0) };
      moments.push({ atMs: Date.now(), state, path, waiting, failure, ...bytes });
    };
    note();
    const changes = { subtree: true, childList: true, attributes: true, attributeFilter: [] as string[] };
    changes.attributeFilter = ["data-state", "data-path", "data-waiting", "data-failure", "data-bytes-done"];
    new MutationObserver(note).observe(document.body, changes);
  });
}

/** Everything noted so far, oldest first. */
export function readStory(page: Page): Promise<readonly Moment[]> {
  return page.evaluate(() => globalThis.story ?? []);
}

/** What is shown now. @throws Error when nothing was noted */
export async function now(page: Page): Promise<Moment> {
  const moment = await page.evaluate(() => globalThis.story?.at(-1));
  if (moment === undefined) throw new Error("the page is not watched");
  return moment;
}

/** How often a condition is looked at again. */
const LOOK_MS = 50;

/**
 * Waits until the page shows what `isReached` wants.
 * @throws Error with what it shows, at once when the transfer failed, else after `limitMs`
 */
export async function until(page: Page, isReached: (moment: Moment) => boolean, limitMs: number): Promise<Moment> {
  for (const startedMs = performance.now(); ; ) {
    const moment = await now(page);
    if (isReached(moment)) return moment;
    if (moment.state === "failed") throw new Error(`the transfer failed: ${JSON.stringify(moment)}`);
    if (performance.now() - startedMs > limitMs) throw new Error(`after ${limitMs} ms: ${JSON.stringify(moment)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/**
 * Milliseconds from `sinceMs` until bytes were done again, over `path` where one is named; until it was done, where no bytes were
 * left. Undefined when never.
 */
export function recoveryMs(story: readonly Moment[], sinceMs: number, path?: PathKind): number | undefined {
  const before = story.findLast(({ atMs }) => atMs <= sinceMs);
  if (before?.state === "done") return 0;
  const after = story.find(
    ({ atMs, state, bytesDone, path: by }) =>
      atMs > sinceMs && (state === "done" || bytesDone > (before?.bytesDone ?? 0)) && (path ?? by) === by,
  );
  return after && after.atMs - sinceMs;
}

/** The states and paths that it went through, without repeats: `running webtransport`, `waiting`, … */
export function turns(story: readonly Moment[]): string[] {
  const names = story.map(({ state, path }) => `${state} ${path}`.trim());
  return names.filter((name, i) => name !== names[i - 1]);
}
