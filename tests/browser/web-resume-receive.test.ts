/**
 * Interrupted receives on the receive page in a real Chromium, under the product's policies; only the transfer worker is
 * scripted.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { ScriptedInterrupted } from "../support/scripted-transfer.ts";
import {
  attributes,
  calls,
  ENTRIES,
  INTERRUPTED_RECEIVE,
  LINK,
  SENDING,
  show,
  startReceiving,
  useWebPages,
} from "../support/web-pages.ts";

const pages = useWebPages();
const FOLDER = { sink: "directory", handles: ["downloads"] } as const;

const openWith = (change: Partial<ScriptedInterrupted> = {}): Promise<Page> =>
  pages.open(LINK, { entries: ENTRIES, interrupted: [{ ...INTERRUPTED_RECEIVE, ...change }] });

/** The last receive that was asked for: sink, whether it continues, and the folder's name. */
async function received(page: Page): Promise<unknown> {
  const [, ...values] = (await calls(page)).findLast(([method]) => method === "receive") ?? [];
  return values;
}

const asks = (page: Page): Promise<boolean> =>
  page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));

describe("an interrupted receive", () => {
  it("says how far it came and where to, and continues in private storage", async () => {
    const page = await openWith();
    const card = page.getByRole("region", { name: "Interrupted at 45\u00a0%" });
    expect(await card.textContent()).toContain("1.22 of 2.70\u00a0GB were received into this browser’s own storage");
    expect(await page.getByTestId("sink-select").count()).toBe(0);
    await page.getByTestId("resume-receive").click();
    await expect.poll(() => received(page)).toEqual(["private", true]);
    await show(page, { ...SENDING, resumable: true });
    await page.getByText("open the link again and continue with a click").waitFor();
    expect(await asks(page)).toBe(false);
  });

  it.each([true, false])("asks for the folder in the click (continue: %s)", async (resume) => {
    const page = await openWith(FOLDER);
    await page.getByText("into the folder “downloads”").waitFor();
    await page.evaluate(() => {
      Object.assign(FileSystemHandle.prototype, {
        async requestPermission({ mode }: { mode: string }) {
          Object.assign(globalThis, { asked: [mode, navigator.userActivation.isActive] });
          return "granted";
        },
      });
    });
    await page.getByTestId(resume ? "resume-receive" : "restart-receive").click();
    await expect.poll(() => received(page)).toEqual(["directory", resume, "downloads"]);
    expect(await page.evaluate(() => (globalThis as unknown as { asked: unknown }).asked)).toEqual(["readwrite", true]);
  });

  it("fails with a sentence where writing is not allowed any more, and can be tried again", async () => {
    const page = await openWith(FOLDER);
    await page.evaluate(() => {
      Object.assign(FileSystemHandle.prototype, { requestPermission: async () => "denied" });
    });
    await page.getByTestId("resume-receive").click();
    await expect.poll(() => attributes(page)).toMatchObject({ state: "failed", failure: "sink/denied" });
    await page.getByRole("button", { name: "Open the link again" }).click();
    await page.getByTestId("resume-receive").waitFor();
  });

  it("starts over in the same place", async () => {
    const page = await openWith();
    await page.getByTestId("restart-receive").click();
    await expect.poll(() => received(page)).toEqual(["private", false]);
  });

  it("gives way to another way to save", async () => {
    const page = await openWith();
    await page.getByRole("button", { name: "Save in another way" }).click();
    await startReceiving(page);
    await expect.poll(() => received(page)).toEqual(["private", false]);
  });

  it("says that it runs in another tab", async () => {
    const page = await openWith({ isRunning: true });
    await page.getByText("It is running in another tab of this browser.").waitFor();
  });

  it("is discarded when its record is damaged", async () => {
    const page = await openWith();
    await page.getByTestId("resume-receive").click();
    await expect.poll(() => received(page)).toEqual(["private", true]);
    await show(page, { state: "failed", failure: { code: "journal/damaged", details: {} } });
    await page.getByTestId("discard-transfer").click();
    await page.getByTestId("sink-select").waitFor();
    expect(await calls(page)).toContainEqual(["discard", "receive", INTERRUPTED_RECEIVE.portal]);
  });
});

describe("a download", () => {
  const receiveAsDownload = async (page: Page): Promise<void> => {
    await page.getByTestId("sink-select").selectOption("download");
    await page.getByTestId("receive").and(page.locator(":enabled")).click();
    await expect.poll(() => received(page)).toMatchObject([expect.stringMatching(/download|blob/), false]);
  };

  it("is said to be lost when it is cut off, before it begins and while it runs", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES });
    await page.getByTestId("sink-select").selectOption("private");
    expect(await page.getByTestId("no-resume").count()).toBe(0);
    await page.getByTestId("sink-select").selectOption("download");
    expect(await page.getByTestId("no-resume").textContent()).toContain(
      "A download cannot be resumed once it is cut off. Receiving into a folder of your choice and into this browser’s own storage can.",
    );
    await receiveAsDownload(page);
    await show(page, SENDING);
    expect(await page.getByTestId("staying").textContent()).toContain("Keep this tab open until all of it is there.");
    // Starting a download keeps such questions away for a second.
    await expect.poll(() => asks(page), { timeout: 10_000 }).toBe(true);
  });

  it("that was cut off by a reload is told, and the ways that can resume come first", async () => {
    const page = await pages.open(LINK, { entries: [ENTRIES[0]] });
    const select = page.getByTestId("sink-select").and(page.locator(":enabled"));
    expect(await select.inputValue()).toBe("download");
    await receiveAsDownload(page);
    await show(page, SENDING);
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain("secret-canary");
    await page.reload();
    await page.getByTestId("download-interrupted").waitFor();
    expect(await page.getByTestId("download-interrupted").textContent()).toContain("Your download was interrupted.");
    expect(await select.inputValue()).toBe("directory");
    const offered = await select
      .locator("option")
      .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    expect(offered).toEqual(["directory", "private", "download"]);
  });

  it.each(["done", "cancelled"] as const)("that is %s was not cut off", async (state) => {
    const page = await pages.open(LINK, { entries: ENTRIES });
    await receiveAsDownload(page);
    await show(page, { ...SENDING, state });
    await page.reload();
    await page.getByTestId("sink-select").waitFor();
    expect(await page.getByTestId("download-interrupted").count()).toBe(0);
  });
});
