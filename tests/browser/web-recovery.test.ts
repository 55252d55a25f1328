/**
 * The recovery phrase and the devices in a real Chromium, under the product's policies; only the workers are scripted.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { expectAccessible, expectFitting } from "../support/axe.ts";
import { knownDevices, knownPortals } from "../support/known-portals.ts";
import type { PortalsScript } from "../support/scripted-portals.ts";
import { portalCalls, useWebPages } from "../support/web-pages.ts";

const pages = useWebPages();

const openList = (script: PortalsScript, hash = "", options = {}): Promise<Page> =>
  pages.open(`/transfers${hash}`, { portals: { rows: knownPortals(pages.app.url, Date.now()), ...script } }, options);

const kept = (): PortalsScript => ({
  identity: { state: "kept", syncedAtMs: Date.now() },
  devices: knownDevices(Date.now()),
});

const stateOf = (page: Page): Promise<string | null> => page.getByTestId("recovery").getAttribute("data-state");

/** Reads the words as a person would, from the page. */
async function wordsOf(page: Page): Promise<readonly string[]> {
  await page.getByTestId("phrase-word").nth(23).waitFor();
  return page
    .getByTestId("phrase-word")
    .evaluateAll((all) => all.map((one) => one.querySelector("b")?.textContent ?? ""));
}

/** Answers the three questions; `change` makes some of them wrong. */
async function answer(page: Page, words: readonly string[], change: (word: string) => string = (word) => word) {
  for (const field of await page.getByTestId("phrase-check").all()) {
    const number = Number(await field.getAttribute("data-number"));
    await field.fill(change(words[number - 1] ?? ""));
  }
  await page.getByTestId("phrase-confirm").click();
}

describe("a recovery phrase", () => {
  it("is 24 numbered words, asked back before the list is kept, and gone from the page afterwards", async () => {
    const page = await openList({});
    await expect.poll(() => stateOf(page)).toBe("local");
    await page.getByTestId("phrase-make").click();
    const words = await wordsOf(page);
    expect(words).toHaveLength(24);
    expect(await page.getByTestId("phrase-word").first().textContent()).toMatch(/^1/);
    await page.getByTestId("phrase-written").click();
    expect(await page.getByTestId("phrase-word").count()).toBe(0);
    const numbers = await page
      .getByTestId("phrase-check")
      .evaluateAll((all) => all.map((one) => Number((one as HTMLElement).dataset["number"])));
    expect(new Set(numbers).size).toBe(3);
    await answer(page, words, () => "wrong");
    await page.getByText(`Word ${numbers[0]} is another one.`).waitFor();
    expect(await portalCalls(page, "confirmPhrase")).toEqual([]);
    await page.getByTestId("device-name").fill("My laptop");
    await answer(page, words, (word) => ` ${word.toUpperCase()} `);
    await page.getByTestId("device-row").waitFor();
    expect(await portalCalls(page, "confirmPhrase")).toEqual([[pages.app.url, "My laptop"]]);
    expect(await stateOf(page)).toBe("kept");
    const html = await page.content();
    expect(words.filter((word) => html.includes(word))).toEqual([]);
  });

  it("that was not confirmed is offered again, the same words", async () => {
    const page = await openList({ identity: { state: "unconfirmed", syncedAtMs: null } });
    await page.getByText("not yet said that it is written down").waitFor();
    await page.getByRole("link", { name: "Show the words again" }).click();
    const words = await wordsOf(page);
    await page.reload();
    expect(await wordsOf(page)).toEqual(words);
  });

  it("that is in use is not shown again", async () => {
    const page = await openList(kept(), "#phrase");
    await page.getByTestId("phrase-gone").waitFor();
    expect(await portalCalls(page, "makePhrase")).toEqual([]);
  });

  it("prints the words and nothing around them", async () => {
    const page = await openList({}, "#phrase");
    await wordsOf(page);
    await page.emulateMedia({ media: "print" });
    expect(await page.getByTestId("phrase-word").last().isVisible()).toBe(true);
    for (const id of ["my-transfers", "phrase-written", "all-transfers"]) {
      expect(await page.getByTestId(id).isVisible()).toBe(false);
    }
  });

  it("says what keeping the list failed with, and can be confirmed again", async () => {
    const page = await openList({ refusals: { confirmPhrase: { code: "relay/unreachable" } } }, "#phrase");
    const words = await wordsOf(page);
    await page.getByTestId("phrase-written").click();
    await answer(page, words);
    expect(await page.getByTestId("problem").textContent()).toContain("The relay does not answer");
    await page.evaluate(() => globalThis.scriptedPortals.refuse("confirmPhrase", null));
    await page.getByTestId("phrase-confirm").click();
    await page.getByTestId("device-row").waitFor();
  });
});

describe("a phrase that was written down elsewhere", () => {
  it("brings the list here, with the words as they were typed", async () => {
    const page = await openList({ devices: knownDevices(Date.now()) });
    await page.getByTestId("phrase-have").click();
    const phrase = Array.from({ length: 24 }, (_, index) => `word${index}`).join("\n ");
    await page.getByTestId("phrase-input").fill(phrase);
    await page.getByText("24 of 24 words").waitFor();
    await page.getByTestId("phrase-restore").click();
    await page.getByTestId("device-row").first().waitFor();
    const [[typed, relayOrigin, name] = []] = await portalCalls(page, "restore");
    expect([typed, relayOrigin]).toEqual([phrase, pages.app.url]);
    expect(name).toMatch(/ on Linux$/);
  });

  it.each([
    ["phrase/wrong", { word: 7 }, "Word 7 is in no recovery phrase."],
    ["phrase/wrong", { words: 23 }, "There are 23 words, and should be 24."],
    ["vault/unknown", {}, "No list is kept here"],
  ] as const)("says what is wrong with it: %s %o", async (code, details, text) => {
    const page = await openList({ refusals: { restore: { code, details } } }, "#restore");
    await page.getByTestId("phrase-input").fill("one two three");
    await page.getByTestId("phrase-restore").click();
    expect(await page.getByTestId("problem").textContent()).toContain(text);
    expect(await page.getByTestId("phrase-input").inputValue()).toBe("one two three");
  });
});

describe("the devices", () => {
  it("are listed with names and times; this one is marked and cannot be removed", async () => {
    const page = await openList(kept());
    const rows = page.getByTestId("device-row");
    await rows.first().waitFor();
    expect(await rows.first().textContent()).toMatch(/Chrome on Linux.*this device.*Last seen/s);
    expect(await rows.first().getByTestId("device-revoke").count()).toBe(0);
    expect(await rows.last().textContent()).toContain("Removed");
  });

  it("are removed after one question that says what it does, and what could not be done yet is said", async () => {
    const page = await openList(kept());
    await page.getByTestId("device-revoke").click();
    await page.getByText("your portals get new keys").waitFor();
    await page.getByTestId("device-revoke-confirm").click();
    await page.getByTestId("device-left").waitFor();
    expect(await page.getByTestId("device-left").textContent()).toContain("1\u00a0portal could not be given a new key");
    expect(await portalCalls(page, "revokeDevice")).toEqual([["phone"]]);
    expect(await page.getByTestId("device-revoke").count()).toBe(0);
  });

  it("know that this one was taken off, and how it comes back", async () => {
    const page = await openList({ identity: { state: "revoked", syncedAtMs: null } });
    await page.getByText("Another device took this one off.").waitFor();
    expect(await page.getByTestId("phrase-make").count()).toBe(0);
    expect(await page.getByTestId("phrase-have").isVisible()).toBe(true);
    expect(await page.getByTestId("transfers-row").count()).toBe(6);
  });
});

describe("for everybody", () => {
  it("the words, the question and the devices have no fault of access, and fit a phone", async () => {
    const viewport = { width: 390, height: 800 };
    const page = await openList({}, "#phrase", { viewport });
    await wordsOf(page);
    await expectAccessible(page);
    await expectFitting(page);
    await page.getByTestId("phrase-written").click();
    await answer(page, [], () => "wrong");
    await expectAccessible(page);
    await expectFitting(page);
    const list = await openList(kept(), "", { viewport });
    await list.getByTestId("device-revoke").click();
    await expectAccessible(list);
    await expectFitting(list);
  });
});
