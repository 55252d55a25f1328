/**
 * The pages with their real workers against a real relay: a portal's life from its owner's page, a stranger who hands files in,
 * and a list that goes to another device. Each person is a browser profile of their own. Needs the built app.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { openWatched, type WatchedPage } from "../support/page-watch.ts";

let relay: RunningRelay;
let browser: Browser;
const people: WatchedPage[] = [];

beforeAll(async () => {
  [relay, browser] = await Promise.all([launchRelay(), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await relay[Symbol.asyncDispose]();
});

afterEach(async () => {
  const problems = people.flatMap((one) => one.problems);
  await Promise.all(people.splice(0).map(({ page }) => page.context().close()));
  // What a relay refuses, the browser notes in its console by itself.
  expect(problems.filter((text) => !text.includes("Failed to load resource"))).toEqual([]);
});

/** Somebody with a browser of their own opens an address: a path of the relay, or a whole link to it. */
async function somebody(address: string): Promise<Page> {
  const one = await openWatched(await browser.newContext(), relay.url);
  people.push(one);
  await one.page.goto(new URL(address, relay.url).href);
  return one.page;
}

const chooseFile = (page: Page, name: string): Promise<void> =>
  page.getByTestId("file-input").setInputFiles([{ name, mimeType: "text/plain", buffer: Buffer.from(`in ${name}`) }]);

const finished = (page: Page): Promise<unknown> =>
  page.locator('[data-testid="transfer-state"][data-state="done"]').waitFor();

/** Sends one file; leaves its owner on the portal's own page. */
async function send(page: Page, maxDownloads: number): Promise<string> {
  await chooseFile(page, "a.txt");
  await page.getByTestId("option-downloads").fill(String(maxDownloads));
  await page.getByTestId("create-link").click();
  const link = await page.getByTestId("share-link").inputValue();
  await finished(page);
  await page.getByTestId("manage").click();
  await page.getByTestId("portal-pause").waitFor();
  return link;
}

async function receive(page: Page): Promise<void> {
  await page.getByTestId("receive").and(page.locator(":enabled")).waitFor();
  await page.getByTestId("sink-select").selectOption("private");
  await page.getByTestId("receive").click();
  await finished(page);
}

describe("with a real relay", () => {
  it("an owner pauses, lets go on, sees a download counted, and it is refused when all were used", async () => {
    const owner = await somebody("/");
    const link = await send(owner, 2);
    await owner.getByTestId("portal-pause").click();
    await owner.getByTestId("portal-resume").waitFor();
    const first = await somebody(link);
    await first.getByTestId("owner-paused").waitFor();
    await owner.getByTestId("portal-resume").click();
    await receive(first);
    // The secret has left the address, and a reload finds the portal all the same.
    await expect.poll(() => first.url()).not.toContain("#");
    await first.reload();
    await first.getByTestId("from-list").waitFor();
    await owner.getByText("1 of 2\u00a0downloads").waitFor();
    await receive(await somebody(link));
    const late = await somebody(link);
    await late.locator('[data-failure="portal/unknown"]').waitFor();
    await owner.locator('[data-testid="portal-state"][data-state="ended"]').waitFor();
  });

  it("a link to manage with a password lets somebody else revoke a link and end the portal", async () => {
    const owner = await somebody("/");
    const link = await send(owner, 5);
    await owner.getByTestId("link-new").click();
    await owner.getByTestId("link-capability").selectOption("admin");
    await owner.getByTestId("link-password").fill("open sesame");
    await owner.getByTestId("link-make").click();
    const manager = await somebody(await owner.getByTestId("new-link").inputValue());
    await manager.getByTestId("password-input").fill("open sesame");
    await manager.keyboard.press("Enter");
    await manager.getByTestId("adopt-portal").click();
    await manager.getByTestId("link-revoke").first().click();
    await manager.getByTestId("link-revoke-confirm").click();
    await expect.poll(() => manager.getByTestId("link-row").count()).toBe(1);
    await (await somebody(link)).locator('[data-failure="portal/unknown"]').waitFor();
    await manager.getByTestId("portal-end").click();
    await manager.getByTestId("portal-end-confirm").click();
    await owner.locator('[data-testid="portal-state"][data-state="ended"]').waitFor();
  });

  it("quiet hours hold a receive back, which its page and the dashboard say, and it ends when nothing is quiet any more", async () => {
    const owner = await somebody("/");
    const link = await send(owner, 5);
    const page = await somebody("/dashboard");
    await page.getByText("Quiet hours", { exact: true }).click();
    // From an hour until the same: all day.
    await page.getByTestId("quiet-until").selectOption("22:00");
    await page.goto(link);
    await page.getByTestId("receive").and(page.locator(":enabled")).waitFor();
    await page.getByTestId("sink-select").selectOption("private");
    await page.getByTestId("receive").click();
    await page.getByRole("heading", { name: "Held back on this device" }).waitFor();
    await page.getByText("These are quiet hours").first().waitFor();
    const dashboard = await openWatched(page.context(), relay.url);
    people.push(dashboard);
    await dashboard.page.goto(`${relay.url}/dashboard`);
    await dashboard.page.getByRole("heading", { name: "Held back on this device" }).waitFor();
    const edge = dashboard.page.getByTestId("edge");
    expect(await edge.locator("th").textContent()).toContain(new URL(relay.url).host);
    expect(await edge.getAttribute("data-standing")).toBe("up");
    await dashboard.page.getByText("Fastest", { exact: true }).click();
    await page.reload();
    await page.getByTestId("resume-receive").click();
    await finished(page);
  });

  it("a low battery holds a receive back, and it goes on by itself as soon as the device is charging", async () => {
    const link = await send(await somebody("/"), 5);
    const page = await somebody("/dashboard");
    await page.getByRole("radio", { name: "Balanced" }).check();
    await page.addInitScript(() => {
      const battery = Object.assign(new EventTarget(), { level: 0.1, charging: false });
      Object.defineProperty(navigator, "getBattery", { value: async () => battery });
      Object.assign(globalThis, { battery });
    });
    await page.goto(link);
    await page.getByTestId("receive").and(page.locator(":enabled")).waitFor();
    await page.getByTestId("sink-select").selectOption("private");
    await page.getByTestId("receive").click();
    await page.getByText("The battery is low").first().waitFor();
    await page.evaluate(() => {
      const { battery } = globalThis as unknown as { battery: EventTarget };
      Object.assign(battery, { charging: true });
      battery.dispatchEvent(new Event("chargingchange"));
    });
    await finished(page);
  });

  it("a stranger hands a file in, only the asker reads it, and 24 words bring the list to another device", async () => {
    const asker = await somebody("/transfers#request");
    await asker.getByTestId("request-title").fill("Photos of the trip");
    await asker.getByTestId("request-create").click();
    const stranger = await somebody(await asker.getByTestId("request-link").inputValue());
    await stranger.getByRole("heading", { level: 1, name: "Photos of the trip: hand in files" }).waitFor();
    await chooseFile(stranger, "photo.jpg");
    await stranger.getByTestId("hand-in").click();
    await stranger.getByTestId("handed-in").waitFor();
    await asker.goto(`${relay.url}/transfers`);
    await asker.getByTestId("transfers-row").click();
    await asker.locator('[data-testid="delivery-row"][data-complete="true"]').getByTestId("delivery-open").click();
    expect(await asker.getByTestId("file-row").textContent()).toContain("photo.jpg");

    await asker.goto(`${relay.url}/transfers#phrase`);
    await asker.getByTestId("phrase-word").nth(23).waitFor();
    const words = await asker.getByTestId("phrase-word").locator("b").allTextContents();
    await asker.getByTestId("phrase-written").click();
    for (const field of await asker.getByTestId("phrase-check").all()) {
      await field.fill(words[Number(await field.getAttribute("data-number")) - 1] ?? "");
    }
    await asker.getByTestId("phrase-confirm").click();
    await asker.getByTestId("device-row").waitFor();
    const other = await somebody("/transfers#restore");
    await other.getByTestId("phrase-input").fill(words.join(" "));
    await other.getByTestId("phrase-restore").click();
    const row = other.getByTestId("transfers-row").filter({ hasText: "Photos of the trip" });
    await row.getByText("1\u00a0delivery").waitFor();
    expect(await other.getByTestId("device-row").count()).toBe(2);
  });
});
