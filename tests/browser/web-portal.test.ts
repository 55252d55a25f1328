/**
 * One portal of the list in a real Chromium, under the product's policies; only the workers are scripted.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { expectAccessible, expectFitting } from "../support/axe.ts";
import { ENDED_ID, knownPortals, MANAGED_ID, RECEIVED_ID, REQUEST_ID, SENT_ID } from "../support/known-portals.ts";
import type { PortalsScript } from "../support/scripted-portals.ts";
import { portalCalls, show, startSending, useWebPages } from "../support/web-pages.ts";

const pages = useWebPages();

const openList = (script: PortalsScript = {}, hash = "", options = {}): Promise<Page> =>
  pages.open(`/transfers${hash}`, { portals: { rows: knownPortals(pages.app.url, Date.now()), ...script } }, options);

const stateOf = (page: Page): Promise<string | null> => page.getByTestId("portal-state").getAttribute("data-state");

describe("one portal", () => {
  it("is opened by keyboard, is read out by its own heading, and gives the keyboard back to its row", async () => {
    const page = await openList();
    await page.getByTestId("transfers-row").nth(1).focus();
    await page.keyboard.press("Enter");
    const title = page.getByTestId("portal-title");
    await title.waitFor();
    expect(await title.textContent()).toBe("Photos of the trip");
    expect(await title.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.getByTestId("all-transfers").click();
    await page.getByTestId("transfers-row").first().waitFor();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-portal") ?? null))
      .toBe(REQUEST_ID);
  });

  it("is paused and let go on, and its link copied", async () => {
    const page = await openList({}, `#${SENT_ID}`, { permissions: ["clipboard-read", "clipboard-write"] });
    await page.getByTestId("portal-pause").click();
    await expect.poll(() => stateOf(page)).toBe("paused");
    await page.getByTestId("portal-resume").click();
    await expect.poll(() => stateOf(page)).toBe("ready");
    expect(await portalCalls(page, "change")).toEqual([
      [SENT_ID, { paused: true }],
      [SENT_ID, { paused: false }],
    ]);
    await page.getByTestId("copy-link").first().click();
    await page.getByRole("button", { name: "Copied: sample-set" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      `${pages.app.url}/p/${SENT_ID}#1.first-canary.check`,
    );
  });

  it("changes only the rules that were touched, within what the relay allows", async () => {
    const page = await openList({}, `#${SENT_ID}`);
    await expect
      .poll(() => page.getByTestId("portal-extend").locator("option").allTextContents())
      .toContain("30 days from now");
    const button = page.getByTestId("portal-change");
    expect(await button.isEnabled()).toBe(false);
    await page.getByTestId("portal-extend").selectOption("604800");
    await button.click();
    await page.getByText("Changed.", { exact: true }).waitFor();
    await page.getByTestId("portal-downloads").fill("");
    await page.getByTestId("portal-idle").selectOption("86400");
    await button.click();
    await expect
      .poll(() => portalCalls(page, "change"))
      .toEqual([
        [SENT_ID, { expirySeconds: 604_800 }],
        [SENT_ID, { maxDownloads: null, idleSeconds: 86_400 }],
      ]);
    expect(await page.getByText("6\u00a0d 23\u00a0h left").or(page.getByText("7\u00a0d left")).count()).toBe(1);
  });

  it("says where else it lives, and that a limit of downloads ends it there", async () => {
    const rows = knownPortals(pages.app.url, Date.now()).map((row) => ({ ...row, relays: ["https://b.example:8443"] }));
    const page = await openList({ rows }, `#${SENT_ID}`);
    await page.getByText("b.example:8443").waitFor();
    const sentence = page.getByTestId("portal-counting");
    await page.getByTestId("portal-downloads").fill("");
    expect(await sentence.count()).toBe(0);
    await page.getByTestId("portal-downloads").fill("3");
    expect(await sentence.textContent()).toContain("what the other relay keeps of it ends there first");
    await expectAccessible(page);
    await expectFitting(page);
  });

  it("says what a change failed with and leaves everything as it is", async () => {
    const page = await openList({ refusals: { change: { code: "device/revoked" } } }, `#${SENT_ID}`);
    await page.getByTestId("portal-pause").click();
    expect(await page.getByTestId("problem").textContent()).toContain("This device was removed");
    expect(await stateOf(page)).toBe("ready");
  });

  it("gets another link with conditions of its own, shown once to be copied, and loses one by revoking", async () => {
    const page = await openList({}, `#${SENT_ID}`);
    await page.getByTestId("link-new").click();
    await page.getByTestId("link-label").fill("For Ben");
    await page.getByTestId("link-password").fill("open sesame");
    await page.getByTestId("link-uses").fill("2");
    await page.getByTestId("link-from").fill("2090-01-01T10:00");
    await page.getByTestId("link-until").fill("2090-01-01T09:00");
    await page.getByText("It would be over before it begins.").waitFor();
    expect(await page.getByTestId("link-make").isEnabled()).toBe(false);
    await page.getByTestId("link-until").fill("2090-01-02T10:00");
    await page.getByTestId("link-make").click();
    expect(await page.getByTestId("new-link").inputValue()).toMatch(/#1\.made-link-canary\.check$/);
    const [[portal, options] = []] = await portalCalls(page, "addLink");
    const moments = await page.evaluate(() => [new Date("2090-01-01T10:00"), new Date("2090-01-02T10:00")].map(Number));
    expect([portal, options]).toEqual([
      SENT_ID,
      {
        capability: "read",
        label: "For Ben",
        password: "open sesame",
        maxUses: 2,
        notBeforeMs: moments[0],
        expiresAtMs: moments[1],
      },
    ]);
    const rows = page.getByTestId("link-row");
    expect(await rows.last().textContent()).toContain("For Ben");
    await rows.nth(1).getByTestId("link-revoke").click();
    await page.getByTestId("link-revoke-confirm").click();
    await expect.poll(() => rows.count()).toBe(3);
    expect(await portalCalls(page, "revokeLink")).toEqual([[SENT_ID, "second-link"]]);
  });

  it("is ended after one question that says what happens, and taken off the list after another", async () => {
    const page = await openList({}, `#${SENT_ID}`);
    await page.getByTestId("portal-end").click();
    await page.getByText("the relay deletes what it holds").waitFor();
    await page.getByRole("button", { name: "Keep it" }).click();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-testid"))).toBe("portal-end");
    await page.getByTestId("portal-end").click();
    await page.getByTestId("portal-end-confirm").click();
    await expect.poll(() => stateOf(page)).toBe("ended");
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-testid")))
      .toBe("portal-title");
    expect(await page.getByTestId("portal-pause").count()).toBe(0);
    expect(await page.getByTestId("link-row").count()).toBe(0);
    await page.getByTestId("portal-forget").click();
    await page.getByTestId("portal-forget-confirm").click();
    await page.getByTestId("transfers-row").first().waitFor();
    expect(await page.getByTestId("transfers-row").count()).toBe(5);
  });

  it("that is only managed offers no links to manage, one that was received nothing to change", async () => {
    const page = await openList({}, `#${MANAGED_ID}`);
    await page.getByTestId("link-new").click();
    expect(await page.getByTestId("link-capability").locator("option").allTextContents()).toEqual([
      "Download the files",
    ]);
    const received = await openList({}, `#${RECEIVED_ID}`);
    await received.getByTestId("portal-title").waitFor();
    for (const id of ["portal-pause", "portal-end", "link-new", "portal-change"]) {
      expect(await received.getByTestId(id).count()).toBe(0);
    }
    const absent = await openList({}, "#zzzzzzzzzzzzzzzzzzzzzz");
    await absent.getByText("It is not on this list").waitFor();
  });

  it("is one click from the link that was just made, in a tab of its own while something runs", async () => {
    const page = await pages.open("/");
    await startSending(page);
    const manage = page.getByTestId("manage");
    expect(await manage.getAttribute("href")).toBe("/transfers#q3Zk1Yw0R5uT8sVbXc2NeA");
    expect(await manage.getAttribute("target")).toBe("_blank");
    expect(await page.getByTestId("my-transfers").getAttribute("target")).toBe("_blank");
    await show(page, { state: "done" });
    expect(await manage.getAttribute("target")).toBeNull();
    expect(await page.getByTestId("my-transfers").getAttribute("target")).toBeNull();
  });
});

describe("for everybody", () => {
  it.each(["", `#${SENT_ID}`, `#${REQUEST_ID}`, `#${ENDED_ID}`, "#request", "#phrase", "#restore"])(
    "/transfers%s has no fault of access, and fits a phone",
    async (hash) => {
      const page = await openList({}, hash, { viewport: { width: 390, height: 800 } });
      await page.getByTestId("transfers-row").or(page.getByTestId("all-transfers")).first().waitFor();
      if (hash === `#${SENT_ID}`) {
        await page.getByTestId("link-new").click();
        await page.getByTestId("portal-end").click();
      }
      await expectAccessible(page);
      await expectFitting(page);
    },
  );
});
