/**
 * The receive page in a real Chromium, under the product's policies; only the transfer worker is scripted.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { attributes, calls, ENTRIES, LINK, SENDING, show, startReceiving, useWebPages } from "../support/web-pages.ts";

const pages = useWebPages();

describe("the receive page", () => {
  it("hands path and fragment to the worker, lists every entry with its path, and sends the secret nowhere", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES });
    await page.getByTestId("receive").waitFor();
    const rows = await page.getByTestId("file-row").allTextContents();
    expect(rows).toHaveLength(3);
    for (const [index, { path }] of ENTRIES.entries()) expect(rows[index]).toContain(path);
    expect((await calls(page))[0]).toEqual(["open", LINK, pages.app.url, {}]);
    expect(page.url()).toContain("#1.secret-canary");

    // Once more through the service worker, which must not keep the link either.
    await page.getByTestId("receive").and(page.locator(":enabled")).waitFor();
    await page.reload();
    await page.getByTestId("receive").waitFor();
    const cached = await page.evaluate(async () => {
      const names = await caches.keys();
      const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return requests.flat().map(({ url }) => url);
    });
    expect(cached.length).toBeGreaterThan(3);
    expect([...cached, ...pages.app.requests].filter((url) => url.includes("secret-canary"))).toEqual([]);
  });

  it("unlocks with the right password and says when it is wrong", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES, password: "open sesame" });
    await page.getByTestId("password-input").fill("guess");
    await page.keyboard.press("Enter");
    await page.getByText("The password is not right.").waitFor();
    expect(await attributes(page)).toMatchObject({ state: "preparing", failure: "password/wrong" });
    await page.getByTestId("password-input").fill("open sesame");
    await page.keyboard.press("Enter");
    await page.getByTestId("receive").waitFor();
    expect(await page.getByTestId("file-row").count()).toBe(3);
    expect((await attributes(page))["failure"]).toBeUndefined();
  });

  it("offers the ways to save that this browser has, and preselects the one of the address", async () => {
    const page = await pages.open(`/p/x?sink=private${LINK.slice(LINK.indexOf("#"))}`, { entries: ENTRIES });
    const select = page.getByTestId("sink-select").and(page.locator(":enabled"));
    await select.waitFor();
    expect(await select.inputValue()).toBe("private");
    const offered = await select
      .locator("option")
      .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    expect(offered.toSorted()).toEqual(["directory", "download", "private"]);
    await page.getByTestId("receive").click();
    // The page asks for persistent storage first.
    await expect.poll(async () => (await calls(page)).at(-1)).toEqual(["receive", "private", false]);
  });

  it("calls the folder picker in the click, and takes closing it as no failure", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES });
    await page.evaluate(() => {
      Object.assign(globalThis, {
        showDirectoryPicker: async () => {
          Object.assign(globalThis, { wasActive: navigator.userActivation.isActive });
          throw new DOMException("closed", "AbortError");
        },
      });
    });
    await page.getByTestId("sink-select").selectOption("directory");
    await page.getByTestId("receive").click();
    expect(await page.evaluate(() => (globalThis as unknown as { wasActive: boolean }).wasActive)).toBe(true);
    expect(await page.getByTestId("receive").isEnabled()).toBe(true);
    expect(await attributes(page)).toMatchObject({ state: "preparing" });
  });

  it("exports single files after receiving into the private file system", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES });
    await startReceiving(page);
    await show(page, { ...SENDING, state: "done", bytesDone: 5_001_200, bytesTotal: 5_001_200, entriesDone: 3 });
    expect(await page.getByRole("button", { name: "Save all as a zip" }).isVisible()).toBe(true);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save set/deep/b.bin" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("b.bin");
    expect(await readFile(await download.path(), "utf8")).toBe("verified");
  });

  it("shows a failure in sentences and opens the link again", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES, refusal: { code: "link/cut" } });
    expect(await attributes(page)).toMatchObject({ state: "failed", failure: "link/cut" });
    expect(await page.getByTestId("failure").textContent()).toContain("Copy the whole link again");
    await page.evaluate((entries) => {
      globalThis.script = { entries };
    }, ENTRIES);
    await page.getByRole("button", { name: "Open the link again" }).click();
    await page.getByTestId("receive").waitFor();
  });

  it("opens another link that is put into the same tab", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES });
    await page.evaluate(() => {
      location.hash = "#1.other.check";
    });
    await expect.poll(async () => (await calls(page)).at(-1)?.[1]).toBe("/p/q3Zk1Yw0R5uT8sVbXc2NeA#1.other.check");
  });

  it("shows names that would deceive as what they are, and never as markup", async () => {
    const entries = ["safe\u202Efdp.exe", "<img src=x onerror=alert(1)>.txt"].map((path) => ({ ...ENTRIES[0], path }));
    const page = await pages.open(LINK, { entries });
    const rows = page.getByTestId("file-row");
    expect(await rows.nth(0).textContent()).toContain("safe⟨U+202E⟩fdp.exe");
    expect(await rows.nth(1).textContent()).toContain("<img src=x onerror=alert(1)>.txt");
  });
});

describe("100,000 files", () => {
  const COUNT = 100_000;

  it("are listed with a few rows in the page, down to the last one", async () => {
    const page = await pages.open(LINK, { entryCount: COUNT });
    const rows = page.getByTestId("file-row");
    await page.getByRole("heading", { name: "100,000\u00a0files" }).waitFor();
    expect(await rows.count()).toBeLessThan(100);
    await page.getByRole("region", { name: "Files of this portal" }).focus();
    await page.keyboard.press("End");
    await page.getByText(`sample-${COUNT - 1}.json`).waitFor();
    expect(await rows.count()).toBeLessThan(100);
  });

  it("cost no more per tick than three files", async () => {
    const touchedPerTick = async (entryCount: number): Promise<number> => {
      const page = await pages.open(LINK, { entryCount });
      await page.getByTestId("file-row").first().waitFor();
      await startReceiving(page);
      await show(page, SENDING);
      await page.evaluate(() => {
        const touched = { count: 0 };
        Object.assign(globalThis, { touched });
        new MutationObserver((changes) => {
          touched.count += changes.length;
        }).observe(document, { attributes: true, childList: true, characterData: true, subtree: true });
      });
      await show(page, { bytesDone: 450e6, bytesPerSecond: 99e6, etaSeconds: 8, entriesDone: 2 });
      return page.evaluate(() => (globalThis as unknown as { touched: { count: number } }).touched.count);
    };
    const few = await touchedPerTick(3);
    const many = await touchedPerTick(COUNT);
    expect(few).toBeGreaterThan(0);
    expect(many).toBe(few);
    expect(many).toBeLessThan(25);
  });
});
