/**
 * Driving the pages as a person does: drop things, share the link, open it in another browser, save.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Download, Page } from "playwright-core";
import { expect } from "vitest";

/**
 * A page that fails the test on a script error, a CSP violation or a request that leaves the relay's origin.
 * @param others hosts of further relays, to which it may go too
 */
export async function openPage(browser: Browser, url: string, others: readonly string[] = []): Promise<Page> {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  const problems: string[] = [];
  const origin = new URL(url).host;
  page.on("pageerror", (error) => problems.push(`script error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Trusted/i.test(message.text()))
      problems.push(message.text());
  });
  page.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && host !== origin && !others.includes(host)) problems.push(`request to ${host}`);
  });
  page.on("close", () => {
    expect(problems).toEqual([]);
  });
  await page.goto(url);
  return page;
}

export interface TransferState {
  readonly state: string | null;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly engine: string | null;
  readonly path: string | null;
  readonly failure: string | null;
}

/** What scripts may read of a transfer. */
export async function transferState(page: Page): Promise<TransferState> {
  const element = page.getByTestId("transfer-state");
  const read = (name: string) => element.getAttribute(`data-${name}`);
  return {
    state: await read("state"),
    bytesDone: Number(await read("bytes-done")),
    bytesTotal: Number(await read("bytes-total")),
    engine: await read("engine"),
    path: await read("path"),
    failure: await read("failure"),
  };
}

/** Waits for a state; fails at once, with its code, when the transfer fails instead. */
export async function waitForState(page: Page, wanted: string, timeoutMs = 90_000): Promise<TransferState> {
  const reached = page.locator(
    `[data-testid=transfer-state][data-state=${wanted}], [data-testid=transfer-state][data-state=failed]`,
  );
  await reached.waitFor({ state: "attached", timeout: timeoutMs });
  const now = await transferState(page);
  expect(now, `wanted ${wanted}`).toMatchObject({ state: wanted });
  return now;
}

/** Drops real folders and files from disk onto the page, as the operating system does; empty folders survive. */
export async function dropPaths(page: Page, paths: readonly string[]): Promise<void> {
  const client = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await client.send("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
  await client.detach();
}

/** Everything in a folder, as it would be dropped from a file manager with all selected. */
export async function topLevel(folder: string): Promise<string[]> {
  return (await readdir(folder)).map((name) => join(folder, name));
}

/** Clicks create-link and gives the link. */
export async function createLink(page: Page): Promise<string> {
  await page.getByTestId("create-link").click();
  const input = page.getByTestId("share-link");
  await input.waitFor();
  await expect.poll(() => input.inputValue(), { timeout: 10_000 }).toMatch(/\/p\/[\w-]{22}#1\./);
  return input.inputValue();
}

/** The link with a query of the page, which stands before the fragment. */
export function withQuery(link: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(link);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

/** Receives as a download and gives it when it is whole. */
export async function receiveDownload(page: Page): Promise<Download> {
  await page.getByTestId("sink-select").selectOption("download");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("receive").click()]);
  return download;
}

/** Pauses the transfer in the moment when the button appears, before much was sent. */
export function pauseAtOnce(page: Page): Promise<void> {
  return page.evaluate(() => {
    const observer = new MutationObserver(() => {
      const button = document.querySelector<HTMLButtonElement>("[data-testid=pause]");
      if (button === null) return;
      observer.disconnect();
      button.click();
    });
    observer.observe(document.body, { childList: true, subtree: true });
  });
}
