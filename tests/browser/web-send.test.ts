/**
 * The send page in a real Chromium, under the product's policies; only the transfer worker is scripted.
 *
 * @module
 */

import { describe, expect, it } from "vitest";
import { makeTree } from "../support/tree.ts";
import { attributes, calls, choose, SENDING, show, startSending, useWebPages } from "../support/web-pages.ts";

const pages = useWebPages();

describe("the send page", () => {
  it("takes files, creates the link and starts sending, with the options as chosen", async () => {
    const page = await pages.open("/?path=tcp");
    await choose(page, "a.txt", "b.txt");
    await page.getByTestId("option-expiry").selectOption("3600");
    await page.getByTestId("option-idle").selectOption("86400");
    await page.getByTestId("option-downloads").fill("3");
    await page.getByTestId("option-password").fill("open sesame");
    await page.getByTestId("create-link").click();
    expect(await page.getByTestId("share-link").inputValue()).toMatch(
      new RegExp(`^${pages.app.url}/p/[\\w-]{22}#1\\.`),
    );
    expect(await calls(page)).toEqual([
      [
        "send",
        {
          expirySeconds: 3600,
          idleSeconds: 86_400,
          request: null,
          maxDownloads: 3,
          password: "open sesame",
          relayOrigin: pages.app.url,
          overrides: { path: "tcp", peers: false },
          figures: null,
          handles: [],
        },
      ],
      [
        "add",
        [
          ["a.txt", 17],
          ["b.txt", 17],
        ],
        true,
      ],
    ]);
  });

  it("keeps the attributes for scripts current and says path, pace and time in words", async () => {
    const page = await pages.open("/");
    expect(await attributes(page)).toMatchObject({ state: "preparing", bytesDone: "0", bytesTotal: "0" });
    await startSending(page);
    await show(page, SENDING);
    expect(await attributes(page)).toMatchObject({
      state: "running",
      bytesDone: "312000000",
      bytesTotal: "800000000",
      engine: "cpu",
      path: "tcp",
    });
    const card = page.getByRole("region", { name: "Sending" });
    for (const text of ["39\u00a0%", "184\u00a0MB/s", "17\u00a0s", "The network sets the pace."]) {
      expect(await card.textContent()).toContain(text);
    }
    expect(await page.getByTestId("path-sentence").textContent()).toBe(
      "Using TCP (WebSocket): UDP did not answer within 3 seconds.",
    );
    expect(await page.title()).toMatch(/^39\s% · Sending/);
  });

  it("announces a change of state once and a tick never", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, SENDING);
    const status = page.getByTestId("transfer-state").locator("xpath=following-sibling::*[@role='status']");
    await status.evaluate((element) => {
      const said: string[] = [];
      Object.assign(globalThis, { said });
      new MutationObserver(() => said.push(element.textContent ?? "")).observe(element, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    for (let tick = 0; tick < 20; tick += 1) await show(page, { bytesDone: 312e6 + tick * 1e6 });
    await show(page, { state: "waiting", waitingFor: "relay", nextTryMs: 2000 });
    await show(page, { state: "done", bytesDone: 800e6, entriesDone: 2 });
    const said = await page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
    expect(said).toEqual(["Waiting for the relay", "Everything is sent: 2\u00a0entries"]);
  });

  it("pauses, resumes and cancels, and goes back to the same list", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await page.getByTestId("pause").click();
    expect(await attributes(page)).toMatchObject({ state: "paused" });
    await page.getByTestId("resume").click();
    expect(await attributes(page)).toMatchObject({ state: "running" });
    await page.getByTestId("cancel").click();
    expect(await attributes(page)).toMatchObject({ state: "cancelled" });
    await page.getByRole("button", { name: "Back to the list" }).click();
    expect(await page.getByTestId("file-row").count()).toBe(2);
  });

  it("asks before it is left while sending, and not afterwards", async () => {
    const page = await pages.open("/");
    const asks = (): Promise<boolean> =>
      page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
    expect(await asks()).toBe(false);
    await startSending(page);
    await show(page, SENDING);
    expect(await asks()).toBe(true);
    await show(page, { state: "done" });
    expect(await asks()).toBe(false);
  });

  it("gives equal names a number that is seen, and lets rows be removed and all be cleared", async () => {
    const page = await pages.open("/");
    await choose(page, "a.txt");
    await choose(page, "a.txt", "c.txt");
    const rows = page.getByTestId("file-row");
    expect(await rows.allTextContents()).toMatchObject(
      [/^ *a\.txt/, /^ *a \(2\)\.txt/, /^ *c\.txt/].map((shape) => expect.stringMatching(shape)),
    );
    expect(await page.getByText("1\u00a0name changed").count()).toBe(1);
    await page.getByRole("button", { name: "Remove a (2).txt" }).click();
    expect(await rows.count()).toBe(2);
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await rows.count()).toBe(0);
    expect(await page.getByRole("heading", { level: 1 }).isVisible()).toBe(true);
  });

  it("walks a dropped folder, wherever it is dropped, and keeps its empty folder", async () => {
    const tree = await makeTree({ "deep/x.txt": Buffer.from("x"), "deep/hollow": undefined, "y.txt": Buffer.alloc(0) });
    const page = await pages.open("/");
    const client = await page.context().newCDPSession(page);
    const data = { items: [], files: [tree.root], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await client.send("Input.dispatchDragEvent", { type, x: 5, y: 5, data });
    }
    await page.getByTestId("create-link").click();
    await page.getByTestId("share-link").waitFor();
    const [, [, items] = []] = await calls(page);
    expect(items).toEqual([
      ["folder to send/deep/hollow", null],
      ["folder to send/deep/x.txt", 1],
      ["folder to send/y.txt", 0],
    ]);
    await tree.remove();
  });

  it("shows the b3sum-equal hash of a file on demand", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await page.getByRole("button", { name: "Show BLAKE3 of b.txt" }).click();
    expect(await page.getByTestId("file-hash").textContent()).toMatch(/[0-9a-f]{64}/);
    expect((await calls(page)).at(-1)).toEqual(["hashFile", 1]);
  });

  it("shows a refusal in sentences, and sends on the second try", async () => {
    const page = await pages.open("/", { refusal: { code: "portal/full", details: { limitBytes: 5e8 } } });
    await choose(page, "a.txt");
    await page.getByTestId("create-link").click();
    expect(await attributes(page)).toMatchObject({ state: "failed", failure: "portal/full" });
    expect(await page.getByTestId("failure").textContent()).toContain("The limit is 500\u00a0MB.");
    await page.getByRole("button", { name: "Back to the list" }).click();
    await page.evaluate(() => {
      globalThis.script = {};
    });
    await page.getByTestId("create-link").click();
    await page.getByTestId("share-link").waitFor();
    expect(await attributes(page)).toMatchObject({ state: "running" });
  });

  it("works by keyboard alone, and keeps the focus where it was", async () => {
    const page = await pages.open("/");
    const focused = (): Promise<string> =>
      page.evaluate(
        () => document.activeElement?.getAttribute("data-testid") ?? document.activeElement?.textContent ?? "",
      );
    // Asked for early: the browser takes a moment to hand choosers over, and the first key must not come before.
    const chosen = page.waitForEvent("filechooser");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the page");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("my-transfers");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("file-input");
    await page.keyboard.press("Enter");
    const chooser = await chosen;
    await chooser.setFiles([{ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") }]);
    await page.getByTestId("create-link").waitFor();
    const order: string[] = [];
    await page.locator("main").focus();
    for (let step = 0; step < 14 && order.at(-1) !== "create-link"; step += 1) {
      await page.keyboard.press("Tab");
      order.push(await focused());
    }
    expect(order).toEqual(expect.arrayContaining(["file-input", "folder-input", "option-expiry", "option-downloads"]));
    expect(order.at(-1)).toBe("create-link");
    await page.keyboard.press("Enter");
    await page.getByTestId("share-link").waitFor();
    expect(await focused()).toBe("copy-link");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("manage");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("pause");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("resume");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("pause");
  });
});
