/**
 * Interrupted sends on the send page in a real Chromium, under the product's policies; only the transfer worker is scripted.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Script, ScriptedInterrupted } from "../support/scripted-transfer.ts";
import { makeTree } from "../support/tree.ts";
import {
  attributes,
  calls,
  choose,
  drop,
  INTERRUPTED,
  INTERRUPTED_RECEIVE,
  LINK,
  makeFolder,
  SENDING,
  show,
  startSending,
  useWebPages,
} from "../support/web-pages.ts";

const pages = useWebPages();
const PORTAL = INTERRUPTED.portal;

const openWith = (change: Partial<ScriptedInterrupted> = {}, script: Script = {}): Promise<Page> =>
  pages.open("/", { interrupted: [{ ...INTERRUPTED, ...change }], ...script });

/** What `startSending` chooses. */
const CHOSEN = [
  ["a.txt", 17],
  ["b.txt", 17],
] as const;

/** What was resumed, and with which items; items are null until all were handed over. */
async function resumed(page: Page): Promise<unknown> {
  const all = (await calls(page)) as readonly (readonly [string, ...unknown[]])[];
  const at = all.findLastIndex(([method]) => method === "resumeSend");
  const [, portal, options] = all[at] ?? [];
  const [, items = null] = all.slice(at).find(([method, , isLast]) => method === "add" && isLast === true) ?? [];
  return { portal, options, items };
}

async function expectResumed(page: Page, items: readonly (readonly [path: string, size: number])[], takeOver = false) {
  const options = { overrides: {}, figures: null, takeOver };
  await expect.poll(() => resumed(page)).toEqual({ portal: PORTAL, options, items });
}

/** Answers the browser's question in place of a person, and notes whether it was asked in a click. */
const answerPermission = (page: Page, answer: PermissionState): Promise<void> =>
  page.evaluate((state) => {
    const asked: unknown[] = [];
    Object.assign(globalThis, { asked });
    Object.assign(FileSystemHandle.prototype, {
      async requestPermission(this: FileSystemHandle, { mode }: { mode: string }) {
        asked.push([this.name, mode, navigator.userActivation.isActive]);
        return state;
      },
    });
  }, answer);

const permissionsAsked = (page: Page): Promise<unknown> =>
  page.evaluate(() => (globalThis as unknown as { asked: unknown }).asked);

const focusedText = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.getAttribute("data-testid") ?? document.activeElement?.textContent);

describe("the list of unfinished transfers", () => {
  it("is not asked for where nothing was ever written down", async () => {
    const page = await pages.open("/");
    await choose(page, "a.txt");
    expect(await calls(page).catch(() => [])).not.toContainEqual(["interrupted"]);
    expect(await page.getByTestId("interrupted-list").count()).toBe(0);
  });

  it("says of each what it is, how far it came and when it began", async () => {
    const page = await pages.open("/", {
      interrupted: [INTERRUPTED, { ...INTERRUPTED_RECEIVE, title: "movie\u202Efdp.mkv", bytesDone: 2.1e6 }],
    });
    const rows = page.getByTestId("interrupted-row");
    await rows.nth(1).waitFor();
    const [send = "", receive = ""] = await rows.allTextContents();
    for (const text of ["12 files", "45\u00a0%, 1.22 of 2.70\u00a0GB sent", "Started Sun"]) {
      expect(send).toContain(text);
    }
    for (const text of ["movie⟨U+202E⟩fdp.mkv", "0\u00a0%, 2.1\u00a0MB of 2.70\u00a0GB received"]) {
      expect(receive).toContain(text);
    }
    expect(await attributes(page)).toMatchObject({ state: "preparing" });
    expect(await page.getByTestId("file-input").count()).toBe(1);
  });

  it("discards only after one question, by keyboard too, and is gone with its last row", async () => {
    const page = await openWith();
    await page.getByTestId("discard-transfer").focus();
    await page.keyboard.press("Enter");
    expect(await focusedText(page)).toContain("Keep it");
    await page.keyboard.press("Enter");
    expect(await focusedText(page)).toBe("discard-transfer");
    expect((await calls(page)).map(([method]) => method)).not.toContain("discard");
    await page.getByTestId("discard-transfer").click();
    await page.getByTestId("confirm-discard").click();
    await expect.poll(() => page.getByTestId("interrupted-list").count()).toBe(0);
    expect(await calls(page)).toContainEqual(["discard", "send", PORTAL]);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
  });

  it("says why a transfer could not be discarded, and keeps it", async () => {
    const page = await openWith({ isRunning: true }, { refusal: { code: "transfer/elsewhere" } });
    await page.getByTestId("discard-transfer").click();
    await page.getByTestId("confirm-discard").click();
    expect(await page.getByRole("alert").textContent()).toContain("This transfer is running in another tab");
    await page.getByTestId("discard-transfer").waitFor();
  });

  it("makes way for a list that is being put together, and comes back after it", async () => {
    const page = await openWith();
    await page.getByTestId("interrupted-row").waitFor();
    await choose(page, "a.txt");
    expect(await page.getByTestId("interrupted-row").count()).toBe(0);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByTestId("interrupted-row").waitFor();
  });

  it("offers no resume once the link has ended", async () => {
    const page = await openWith({ expiresAtMs: 1 });
    await page.getByText("Its link has ended").waitFor();
    expect(await page.getByTestId("resume-transfer").count()).toBe(0);
    expect(await page.getByTestId("discard-transfer").count()).toBe(1);
  });

  it("leads from a receive to its link", async () => {
    const page = await pages.open("/", { interrupted: [INTERRUPTED_RECEIVE] });
    await page.getByTestId("resume-transfer").click();
    await page.getByTestId("resume-receive").waitFor();
    expect(page.url()).toBe(pages.app.url + LINK);
  });
});

describe("a send with handles", () => {
  it("asks in the click, finds the files again under the same paths, and shows the link", async () => {
    const page = await openWith({ handles: ["set"] });
    await page.getByTestId("interrupted-row").waitFor();
    await makeFolder(page, "set", { "b.txt": "bb", "deep/\u0001a.txt": "a" });
    await answerPermission(page, "granted");
    await page.getByTestId("resume-transfer").click();
    await page.getByTestId("share-link").waitFor();
    await expect.poll(async () => (await attributes(page))["state"]).toBe("running");
    expect(await permissionsAsked(page)).toEqual([["set", "read", true]]);
    await expectResumed(page, [
      ["set/b.txt", 2],
      ["set/deep/\u2401a.txt", 1],
    ]);
    expect(await page.getByTestId("file-row").count()).toBe(2);
  });

  it("asks for the files where reading is not allowed any more", async () => {
    const page = await openWith({ handles: ["set"] });
    await page.getByTestId("interrupted-row").waitFor();
    await answerPermission(page, "denied");
    await page.getByTestId("resume-transfer").click();
    await page.getByRole("alert").waitFor();
    expect(await focusedText(page)).toBe("file-input");
    expect((await calls(page)).map(([method]) => method)).not.toContain("resumeSend");
  });
});

describe("a send without handles", () => {
  it("asks for the same files in its row, and goes on with them under the same paths", async () => {
    const page = await openWith();
    await page.getByTestId("resume-transfer").click();
    await page.getByText(/Choose the same 12\sfiles or the same folder again/).waitFor();
    expect(await page.getByTestId("file-input").count()).toBe(1);
    expect(await page.getByTestId("interrupted-row").getByTestId("folder-input").count()).toBe(1);
    const file = (name: string, text: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
    await page.getByTestId("file-input").setInputFiles([file("a.txt", "1"), file("a.txt", "22")]);
    await page.getByTestId("share-link").waitFor();
    await expect.poll(async () => (await attributes(page))["state"]).toBe("running");
    await expectResumed(page, [
      ["a.txt", 1],
      ["a (2).txt", 2],
    ]);
  });

  it("takes a drop anywhere for the row that asks", async () => {
    const tree = await makeTree({ "x.txt": Buffer.from("x") });
    const page = await openWith();
    await page.getByTestId("resume-transfer").click();
    await page.getByTestId("file-input").waitFor({ state: "attached" });
    await drop(page, tree.root);
    await page.getByTestId("share-link").waitFor();
    await expectResumed(page, [["folder to send/x.txt", 1]]);
    await tree.remove();
  });

  it("can be put off, and the page takes new files again", async () => {
    const page = await openWith();
    await page.getByTestId("resume-transfer").click();
    await page.getByRole("button", { name: "Not now" }).click();
    await choose(page, "new.txt");
    await page.getByTestId("create-link").click();
    await page.getByTestId("share-link").waitFor();
    expect((await calls(page)).map(([method]) => method)).not.toContain("resumeSend");
  });

  it.each(["file/absent", "file/changed"] as const)("asks once more after %s", async (code) => {
    const page = await openWith();
    const give = (name: string) =>
      page.getByTestId("file-input").setInputFiles([{ name, mimeType: "text/plain", buffer: Buffer.from("x") }]);
    await page.getByTestId("resume-transfer").click();
    await give("wrong.txt");
    await page.getByTestId("share-link").waitFor();
    await show(page, { state: "failed", failure: { code, details: {} } });
    expect(await attributes(page)).toMatchObject({ state: "failed", failure: code });
    await page.getByTestId("choose-again").click();
    await page.getByText("nothing that was sent is sent twice").waitFor();
    await give("right.txt");
    await expect.poll(async () => (await calls(page)).at(-1)).toEqual(["add", [["right.txt", 1]], true]);
  });
});

describe("one sender at a time", () => {
  it("says that it runs in another tab, and takes it over", async () => {
    const page = await openWith({ isRunning: true });
    await page.getByText("It is running in another tab of this browser.").waitFor();
    await page.getByRole("button", { name: "Continue here" }).click();
    await page
      .getByTestId("file-input")
      .setInputFiles([{ name: "a", mimeType: "text/plain", buffer: Buffer.from("x") }]);
    await expectResumed(page, [["a", 1]], true);
  });

  it.each(["portal/leased", "portal/lease-lost", "transfer/elsewhere"] as const)(
    "offers to continue here after %s, with the files at hand",
    async (code) => {
      const page = await pages.open("/");
      await startSending(page);
      await show(page, { ...SENDING, resumable: true });
      await show(page, { state: "failed", failure: { code, details: {} } });
      await page.getByTestId("continue-here").click();
      await page.getByTestId("share-link").waitFor();
      await expectResumed(page, CHOSEN, true);
    },
  );
});

describe("a send that failed", () => {
  it("goes on from where it stopped, with the files at hand", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, {
      ...SENDING,
      resumable: true,
      state: "failed",
      failure: { code: "worker/crashed", details: {} },
    });
    await page.getByTestId("resume-transfer").click();
    await expectResumed(page, CHOSEN);
  });

  it("offers no way on where nothing was written down", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, { ...SENDING, state: "failed", failure: { code: "worker/crashed", details: {} } });
    await page.getByTestId("failure").waitFor();
    const ways = await page.getByTestId("failure").getByRole("button").allTextContents();
    expect(ways.map((way) => way.trim())).toEqual(["Back to the list"]);
  });

  it.each(["journal/damaged", "journal/absent", "pack/unrepeatable"] as const)(
    "is discarded after %s",
    async (code) => {
      const page = await openWith({ handles: ["set"] }, { refusal: { code } });
      await page.getByTestId("resume-transfer").click();
      await page.getByTestId("failure").waitFor();
      expect(await attributes(page)).toMatchObject({ state: "failed", failure: code });
      await page.getByTestId("discard-transfer").click();
      await expect.poll(() => calls(page)).toContainEqual(["discard", "send", PORTAL]);
      await expect.poll(() => page.getByTestId("interrupted-list").count()).toBe(0);
    },
  );
});
