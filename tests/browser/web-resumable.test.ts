/**
 * What makes a send resumable, and what its page says meanwhile, in a real Chromium; only the transfer worker is scripted.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { makeTree } from "../support/tree.ts";
import {
  attributes,
  calls,
  choose,
  drop,
  INTERRUPTED,
  makeFolder,
  SENDING,
  show,
  startSending,
  useWebPages,
} from "../support/web-pages.ts";

const pages = useWebPages();

describe("handles", () => {
  const handlesSent = async (page: Page): Promise<unknown> => {
    await page.getByTestId("create-link").click();
    await page.getByTestId("share-link").waitFor();
    const options = (await calls(page)).find(([method]) => method === "send")?.[1];
    return (options as { handles: unknown }).handles;
  };

  it("of a drop are kept for a resume", async () => {
    const tree = await makeTree({ "x.txt": Buffer.from("x") });
    const page = await pages.open("/");
    await drop(page, tree.root);
    await page.getByTestId("create-link").waitFor();
    expect(await handlesSent(page)).toEqual(["directory folder to send"]);
    await tree.remove();
  });

  it("are none where a part of the list has none", async () => {
    const tree = await makeTree({ "x.txt": Buffer.from("x") });
    const page = await pages.open("/");
    await drop(page, tree.root);
    await choose(page, "a.txt");
    expect(await handlesSent(page)).toEqual([]);
    await tree.remove();
  });

  it("come from the button of files where the browser can pick them, and the input still works", async () => {
    const page = await pages.open("/");
    await makeFolder(page, "picked", { "p.txt": "ppp" });
    await page.evaluate(() => {
      Object.assign(globalThis, {
        showOpenFilePicker: async () => {
          const root = await navigator.storage.getDirectory();
          return [await (await root.getDirectoryHandle("picked")).getFileHandle("p.txt")];
        },
      });
    });
    await page.getByText("Choose files", { exact: true }).click();
    await page.getByTestId("create-link").waitFor();
    expect(await page.getByTestId("file-row").allTextContents()).toEqual([expect.stringContaining("p.txt")]);
    await page.evaluate(() => {
      Object.assign(globalThis, { showOpenFilePicker: () => Promise.reject(new DOMException("closed", "AbortError")) });
    });
    await page.getByText("Add files", { exact: true }).click();
    expect(await handlesSent(page)).toEqual(["file p.txt"]);
  });
});

describe("what the page says while it sends", () => {
  const asks = (page: Page): Promise<boolean> =>
    page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));

  it("is that the tab must stay open where no record is kept", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, SENDING);
    await page.getByText("this browser keeps no record to resume from").waitFor();
    expect(await asks(page)).toBe(true);
  });

  it("is what a resume will want, and a question before leaving only where it wants files", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, { ...SENDING, resumable: true });
    await page.getByText("choose the same files, and it goes on").waitFor();
    expect(await asks(page)).toBe(true);

    const other = await pages.open("/", { interrupted: [{ ...INTERRUPTED, handles: ["set"] }] });
    await other.getByTestId("resume-transfer").click();
    await other.getByTestId("share-link").waitFor();
    await show(other, { ...SENDING, resumable: true });
    await other.getByText("resume it with a click").waitFor();
    expect(await asks(other)).toBe(false);
  });

  it("is why the relay is waited for and when the next try is, also to scripts and screen readers", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, {
      ...SENDING,
      state: "waiting",
      waitingFor: "relay",
      waitingCode: "relay/foreign",
      nextTryMs: 3700,
    });
    const card = page.getByRole("region", { name: "Waiting for the relay" });
    expect(await card.textContent()).toContain("sign in to the network. Next try in 4\u00a0s.");
    const said = await attributes(page);
    expect(said).toMatchObject({ state: "waiting", waiting: "relay/foreign" });
    expect(said["failure"]).toBeUndefined();
    const status = page.getByTestId("transfer-state").locator("xpath=following-sibling::*[@role='status']");
    expect(await status.textContent()).toMatch(/^Waiting for the relay\. This network answers in its place/);
    await show(page, { state: "running", waitingFor: null, waitingCode: null, nextTryMs: null });
    expect((await attributes(page))["waiting"]).toBeUndefined();
    await show(page, { path: "webtransport", carrier: "webtransport", pathReason: "webtransport-back" });
    expect(await page.getByTestId("path-sentence").textContent()).toContain("UDP gets through again");
  });
});
