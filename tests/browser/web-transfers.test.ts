/**
 * The list of transfers in a real Chromium, under the product's policies; only the workers are scripted. One portal of it is
 * in web-portal.test.ts.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { DELIVERED_ID, knownPortals, livePortal, SENT_ID } from "../support/known-portals.ts";
import type { PortalsScript } from "../support/scripted-portals.ts";
import {
  calls,
  changePortal,
  choose,
  INTERRUPTED,
  portalCalls,
  SENDING,
  show,
  useWebPages,
} from "../support/web-pages.ts";

const pages = useWebPages();

const openList = (script: PortalsScript = {}): Promise<Page> =>
  pages.open("/transfers", { portals: { rows: knownPortals(pages.app.url, Date.now()), ...script } });

describe("the list of transfers", () => {
  it("shows all that this browser knows, each with its state, and names that deceive as what they are", async () => {
    const page = await openList();
    const rows = page.getByTestId("transfers-row");
    await rows.first().waitFor();
    expect(await rows.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset["state"]))).toEqual([
      "ready",
      "open",
      "known",
      "paused",
      "known",
      "ended",
    ]);
    const [sent = "", request = ""] = await rows.allTextContents();
    for (const text of ["sample-set", "2.70\u00a0GB", "2 of 5\u00a0downloads", "left", "1 connected"]) {
      expect(sent).toContain(text);
    }
    expect(request).toContain("3\u00a0deliveries");
    expect(await rows.last().textContent()).toContain("draft⟨U+202E⟩fdp.exe");
    expect(await rows.last().getByTestId("transfers-state").textContent()).toContain("downloaded as often as allowed");
    expect(await page.title()).toBe("My transfers · Warp Portal");
  });

  it("says that nothing is there, and why the list cannot be read", async () => {
    const empty = await pages.open("/transfers");
    await empty.getByTestId("transfers-empty").waitFor();
    expect(await empty.getByTestId("list-export").count()).toBe(0);
    const broken = await openList({ refusals: { list: { code: "journal/damaged" } } });
    expect(await broken.getByTestId("problem").textContent()).toContain("cannot be read");
  });

  it("is asked of the relays again and again while it is seen, and says as of when it is where they do not answer", async () => {
    const page = await openList({ refusals: { refresh: { code: "relay/unreachable" } } });
    expect(await page.getByTestId("stale").textContent()).toContain("as this browser remembers it");
    expect(await page.getByTestId("transfers-row").count()).toBe(6);
    await page.evaluate(() => globalThis.scriptedPortals.refuse("refresh", null));
    await expect.poll(() => page.getByTestId("stale").count(), { timeout: 40_000 }).toBe(0);
    await page.evaluate(() => globalThis.scriptedPortals.refuse("refresh", "relay/unreachable"));
    await page.getByText("this is the list as of").waitFor({ timeout: 40_000 });
  });

  it("follows what other tabs and the relay change", async () => {
    const page = await openList();
    const state = page.getByTestId("transfers-state").first();
    expect(await state.textContent()).toBe("Ready to download");
    await changePortal(page, SENT_ID, { live: livePortal(Date.now(), { phase: "paused" }) });
    await expect.poll(() => state.textContent()).toBe("Paused");
    await changePortal(page, SENT_ID, { ended: "time", live: null });
    await expect.poll(() => state.textContent()).toBe("Ended: its time was over");
  });

  it("narrows a longer list to a group and to words, and few rows need neither", async () => {
    const few = await openList();
    await few.getByTestId("transfers-row").first().waitFor();
    expect(await few.getByTestId("transfers-search").count()).toBe(0);
    const many = await pages.open("/transfers", { portals: { rowCount: 30 } });
    const rows = many.getByTestId("transfers-row");
    await rows.first().waitFor();
    await many.getByText("Received", { exact: true }).click();
    expect(await rows.count()).toBe(10);
    await many.getByTestId("transfers-search").fill("SAMPLE-2");
    expect(await rows.count()).toBe(3);
    await many.getByTestId("transfers-search").fill("nothing like it");
    await many.getByText("Nothing on the list is like that.").waitFor();
  });

  it("resumes an unfinished send on the spot", async () => {
    const rows = knownPortals(pages.app.url, Date.now());
    const page = await pages.open("/transfers", {
      portals: { rows },
      interrupted: [{ ...INTERRUPTED, portal: SENT_ID, handles: ["set"] }],
    });
    await page.getByTestId("interrupted-row").waitFor();
    expect(await page.getByTestId("transfers-state").first().textContent()).toBe("Sending stopped at 45\u00a0%");
    await page.getByTestId("resume-transfer").click();
    await page.getByTestId("share-link").waitFor();
    expect((await calls(page)).some(([method, portal]) => method === "resumeSend" && portal === SENT_ID)).toBe(true);
  });

  it("shows no link to share where what was resumed is handed in to somebody", async () => {
    const page = await pages.open("/transfers", {
      portals: { rows: knownPortals(pages.app.url, Date.now()) },
      interrupted: [{ ...INTERRUPTED, portal: "q3Zk1Yw0R5uT8sVbXc2NeA", handles: ["set"] }],
    });
    await changePortal(page, DELIVERED_ID, { portal: "q3Zk1Yw0R5uT8sVbXc2NeA" });
    await page.getByTestId("resume-transfer").click();
    await expect.poll(async () => (await calls(page)).map(([method]) => method)).toContain("resumeSend");
    await show(page, { ...SENDING, state: "done" });
    await page.getByText("Handed in. Only the one who asked can read it.").waitFor();
    expect(await page.getByTestId("share-link").count()).toBe(0);
  });

  it("keeps 10,000 rows smooth: few of them are in the page, and the way back leads to the one that was opened", async () => {
    const page = await pages.open("/transfers", { portals: { rowCount: 10_000 } });
    const rows = page.getByTestId("transfers-row");
    await rows.first().waitFor();
    expect(await rows.count()).toBeLessThan(60);
    await page.getByRole("region", { name: "Transfers" }).focus();
    const last = page.getByText("sample-9999.bin");
    // Rows are measured when they are seen: the end may move once.
    await expect
      .poll(async () => {
        await page.keyboard.press("End");
        return last.count();
      })
      .toBe(1);
    await last.click();
    await page.getByTestId("portal-title").waitFor();
    await page.goBack();
    await last.waitFor();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-portal") ?? null))
      .toBe("portal-000000000009999");
    await page.getByTestId("transfers-search").fill("sample-77.bin");
    expect(await rows.count()).toBe(1);
  });

  it("is exported after a warning, and cleared after a question", async () => {
    const page = await openList();
    await page.getByTestId("list-export").click();
    await page.getByText("whoever has it can open, change and end all of it").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByTestId("list-export-confirm").click(),
    ]);
    expect(download.suggestedFilename()).toBe("warp-portals.json");
    expect(JSON.parse(await readFile(await download.path(), "utf8")).portals).toHaveLength(6);
    await page.getByTestId("list-clear").click();
    await page.getByRole("button", { name: "Keep it" }).click();
    expect(await portalCalls(page, "clear")).toEqual([]);
    await page.getByTestId("list-clear").click();
    await page.getByTestId("list-clear-confirm").click();
    await page.getByTestId("transfers-empty").waitFor();
  });
});

describe("the invitation of a relay", () => {
  it("is asked for once, kept, and asked for again when it is refused", async () => {
    pages.app.askInvite(true);
    try {
      const page = await pages.open("/", { refusal: { code: "relay/invite" } });
      await choose(page, "a.txt");
      await page.getByTestId("invite-input").fill(`${pages.app.url}/#invite=code-1`);
      await page.getByTestId("create-link").click();
      await expect.poll(() => portalCalls(page, "setInvite")).toEqual([["code-1"]]);
      await page.getByRole("button", { name: "Back to the list" }).click();
      await page.getByText("The relay did not take the last one.").waitFor();
      await page.evaluate(() => {
        globalThis.script = {};
      });
      await page.getByTestId("invite-input").fill("code-2");
      await page.getByTestId("create-link").click();
      await page.getByTestId("share-link").waitFor();
      expect(await portalCalls(page, "setInvite")).toEqual([["code-1"], ["code-2"]]);
    } finally {
      pages.app.askInvite(false);
    }
  });

  it("is taken from the address, which keeps nothing of it, and not asked for then", async () => {
    pages.app.askInvite(true);
    try {
      const page = await pages.open("/?path=tcp#invite=code%2B3");
      await expect.poll(() => portalCalls(page, "setInvite")).toEqual([["code+3"]]);
      expect(page.url()).toBe(`${pages.app.url}/?path=tcp`);
      await choose(page, "a.txt");
      expect(await page.getByTestId("invite-input").count()).toBe(0);
    } finally {
      pages.app.askInvite(false);
    }
  });
});
