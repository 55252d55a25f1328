/**
 * S1 in a real Chromium, with the real app and relay: hostile names are chosen, sent, listed, received and saved. Nothing in
 * them runs, what is hidden in them is shown, and the end of each name can be read.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { displayPath } from "../../../core/manifest/display-path.ts";
import { sendablePath } from "../../../core/manifest/path.ts";
import { uniquePaths } from "../../../core/manifest/unique-paths.ts";
import { createLink, waitForState } from "../../e2e/app.ts";
import { launchBrowser } from "../../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../../support/launch.ts";
import { openWatched } from "../../support/page-watch.ts";
import { HOSTILE_NAMES } from "../hostile-names.ts";
import { rounds } from "../scale.ts";

/** What a person cannot see, or that moves what a person sees. Names are chosen so that none of it belongs to others. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\p{Zl}\p{Zp}]/u;

/** Names of one component, as a file has one: a few of each kind, in turn. */
function sample(count: number): string[] {
  const kinds = Map.groupBy(
    HOSTILE_NAMES.filter(({ path, what }) => isName(path) && what !== "letters that belong together"),
    ({ what }) => what,
  );
  const names: string[] = [];
  for (let turn = 0; names.length < count; turn += 1) {
    const more = [...kinds.values()].flatMap((kind) => kind.slice(turn, turn + 1).map(({ path }) => path));
    if (more.length === 0) break;
    names.push(...more);
  }
  return names.slice(0, count);
}

function isName(path: string): boolean {
  return path !== "" && !path.includes("/") && path.isWellFormed();
}

/** The name under which a sender sends it, or null where there is none. */
function sendable(name: string): string | null {
  try {
    return sendablePath(name);
  } catch {
    return null;
  }
}

const NAMES = sample(rounds(40, 190));
/** The paths under which they arrive: what was shortened may have to be numbered, in the order in which it was found. */
const SENT = uniquePaths(
  NAMES.toSorted().flatMap((name) => {
    const path = sendable(name);
    return path === null ? [] : [{ kind: "file" as const, path }];
  }),
).map(({ path }) => path);

let relay: RunningRelay;
let browser: Browser;
const problems: (readonly string[])[] = [];
beforeAll(async () => {
  [relay, browser] = await Promise.all([launchRelay(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await relay?.[Symbol.asyncDispose]();
});

async function open(url: string, width = 1280): Promise<Page> {
  const context = await browser.newContext({ acceptDownloads: true, viewport: { width, height: 900 } });
  const watched = await openWatched(context, relay.url);
  problems.push(watched.problems);
  watched.page.on("dialog", (dialog) => {
    problems.push([`a dialog: ${dialog.message()}`]);
    void dialog.dismiss();
  });
  await watched.page.goto(url);
  return watched.page;
}

/** Chooses files of these names; each holds its name. */
async function choose(page: Page, names: readonly string[]): Promise<void> {
  await page.getByTestId("file-input").evaluate((input, names) => {
    const chosen = new DataTransfer();
    for (const name of names) chosen.items.add(new File([JSON.stringify(name)], name));
    if (!(input instanceof HTMLInputElement)) throw new Error("no input");
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, names);
}

/** The list as it is seen. */
async function rowsOf(page: Page): Promise<string[]> {
  return await page
    .getByTestId("file-row")
    .evaluateAll((rows) => rows.map((row) => row.querySelector(".path")?.textContent ?? ""));
}

/** What stands in a page that names must not bring there: elements, words that nobody sees, something that ran. */
function strangers(page: Page): Promise<unknown> {
  return page.evaluate((unseen) => {
    const hidden = new RegExp(unseen, "u");
    const elements = [...document.querySelectorAll("[data-testid=file-row] *")].map(({ localName }) => localName);
    const words = [...document.querySelectorAll("*")].flatMap((element) =>
      ["aria-label", "title", "alt", "value"].map((name) => element.getAttribute(name) ?? ""),
    );
    return {
      ran: "ran" in globalThis,
      elements: [...new Set(elements)].filter((name) => !["span", "bdi", "svg", "path", "button"].includes(name)),
      words: words.filter((word) => hidden.test(word.replaceAll("\u00a0", ""))),
      title: document.title.length < 80,
    };
  }, UNSEEN.source);
}

const NO_STRANGERS = { ran: false, elements: [], words: [], title: true };

/** Rows in which the letters after the last dot are not all seen, one after the other, in their order. */
function unreadableEnds(page: Page): Promise<string[]> {
  return page.getByTestId("file-row").evaluateAll((rows) =>
    rows.flatMap((row) => {
      const name = row.querySelector(".name");
      const text = name?.textContent ?? "";
      const ending = /\.[A-Za-z0-9]{1,8}$/.exec(text)?.[0] ?? "";
      if (name === null || ending === "") return [];
      row.scrollIntoView({ block: "nearest" });
      const walker = document.createTreeWalker(name, NodeFilter.SHOW_TEXT);
      const letters: DOMRect[] = [];
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        for (let at = 0; at < (node.textContent?.length ?? 0); at += 1) {
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + 1);
          letters.push(range.getBoundingClientRect());
        }
      }
      const seen = letters.slice(-ending.length);
      const [frame, tail] = [row.getBoundingClientRect(), row.querySelector(".tail")?.getBoundingClientRect()];
      const isSeen = seen.every((box, index) => {
        const before = seen[index - 1];
        const follows = before === undefined || box.left >= before.right - 1 || box.top > before.top + 1;
        const isInside = box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.width > 0;
        return follows && isInside && tail !== undefined && box.right <= tail.right + 1;
      });
      return isSeen ? [] : [text];
    }),
  );
}

describe("S1: hostile names in the app", () => {
  test(`${NAMES.length} of them are sent, listed, received and saved for what they are`, async () => {
    const sender = await open(relay.url);
    await choose(sender, NAMES);
    await sender.getByTestId("create-link").waitFor();
    expect((await rowsOf(sender)).toSorted()).toEqual(SENT.map(displayPath).toSorted());
    expect(await strangers(sender)).toEqual(NO_STRANGERS);
    const link = await createLink(sender);
    await waitForState(sender, "done");
    expect(await strangers(sender)).toEqual(NO_STRANGERS);

    for (const width of [1280, 360]) {
      const receiver = await open(link, width);
      await receiver.getByTestId("receive").and(receiver.locator(":enabled")).waitFor();
      expect((await rowsOf(receiver)).toSorted()).toEqual(SENT.map(displayPath).toSorted());
      expect(await strangers(receiver)).toEqual(NO_STRANGERS);
      expect([width, await unreadableEnds(receiver)]).toEqual([width, []]);
      await receiver.context().close();
    }

    const receiver = await open(link);
    await receiver.getByTestId("sink-select").selectOption("private");
    await receiver.getByTestId("receive").click();
    await waitForState(receiver, "done");
    expect(await strangers(receiver)).toEqual(NO_STRANGERS);
    const stored = await receiver.evaluate(async () => {
      const found: (readonly [path: string, text: string])[] = [];
      const walk = async (folder: FileSystemDirectoryHandle, depth: number): Promise<void> => {
        for await (const [name, handle] of folder.entries()) {
          if (handle instanceof FileSystemDirectoryHandle) await walk(handle, depth + 1);
          if (handle instanceof FileSystemFileHandle)
            found.push([`${depth} ${name}`, await (await handle.getFile()).text()]);
        }
      };
      await walk(await navigator.storage.getDirectory(), 0);
      return found;
    });
    // All of them two folders deep: in the portal's own among what was received.
    expect(stored.filter(([path]) => !path.startsWith("2 "))).toEqual([]);
    const sentNames = NAMES.filter((name) => sendable(name) !== null);
    expect(stored.map(([, text]) => text).toSorted()).toEqual(sentNames.map((name) => JSON.stringify(name)).toSorted());

    const save = receiver.getByTestId("file-row").filter({ hasText: "exe\u27e8U+" }).first().getByRole("button");
    const [download] = await Promise.all([receiver.waitForEvent("download"), save.click()]);
    expect(download.suggestedFilename()).toMatch(/^exe.?fdp\.exe$/u);
    expect(download.suggestedFilename()).not.toMatch(UNSEEN);
    expect(problems.flat()).toEqual([]);
  }, 180_000);
});
