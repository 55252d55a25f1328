/**
 * What people prefer of transfers, in a real Chromium with scripted workers: the setting on the dashboard, and that it reaches
 * the worker, as does what the browser tells of the device.
 *
 * @module
 */
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { calls, chooseFiles, LINK, startSending, useWebPages } from "../support/web-pages.ts";

const pages = useWebPages();

const QUIET = { kind: "quiet", days: [0, 1, 2, 3, 4, 5, 6], fromHour: 22, untilHour: 7 };

async function openDashboard(kept?: object, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await pages.open("/", {}, options);
  if (kept !== undefined) await page.evaluate((text) => localStorage.setItem("policy", text), JSON.stringify(kept));
  await page.goto(`${pages.app.url}/dashboard`);
  await page.getByTestId("policy-panel").waitFor();
  return page;
}

const keptPolicy = (page: Page): Promise<unknown> =>
  page.evaluate(() => JSON.parse(localStorage.getItem("policy") ?? "null"));

const policyOf = (page: Page): Promise<string | null> => page.getByTestId("policy-panel").getAttribute("data-policy");

describe("the policy setting", () => {
  it("is the fastest at first, is chosen by keyboard, and is kept", async () => {
    const page = await openDashboard();
    expect(await policyOf(page)).toBe("performance");
    expect(await page.getByTestId("quiet-hours").count()).toBe(0);
    const fastest = page.getByRole("radio", { name: "Fastest" });
    await fastest.focus();
    await page.keyboard.press("ArrowDown");
    expect(await policyOf(page)).toBe("balanced");
    for (const kind of ["eco", "cheap", "quiet"]) {
      await page.keyboard.press("ArrowDown");
      expect(await policyOf(page)).toBe(kind);
    }
    await page.reload();
    expect(await policyOf(page)).toBe("quiet");
    expect(await keptPolicy(page)).toEqual(QUIET);
  });

  it("takes days and hours, and says what they come to", async () => {
    const page = await openDashboard(QUIET);
    const note = page.getByTestId("quiet-note");
    expect(await note.textContent()).toBe(
      "On the chosen days from 22:00 until 07:00 on the day after, on the clock of this device.",
    );
    await page.getByTestId("quiet-from").selectOption("09:00");
    await page.getByTestId("quiet-until").selectOption("17:00");
    await page.getByRole("checkbox", { name: "Sunday" }).uncheck({ force: true });
    await page.getByRole("checkbox", { name: "Saturday" }).focus();
    await page.keyboard.press("Space");
    expect(await keptPolicy(page)).toEqual({ kind: "quiet", days: [1, 2, 3, 4, 5], fromHour: 9, untilHour: 17 });
    expect(await note.textContent()).toBe("On the chosen days from 09:00 until 17:00, on the clock of this device.");
    for (const day of ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"])
      await page.getByRole("checkbox", { name: day }).uncheck({ force: true });
    expect(await note.textContent()).toBe("No day is chosen, so there are no quiet hours.");
    await page.getByText("Save battery", { exact: true }).click();
    await page.getByText("Quiet hours", { exact: true }).click();
    expect(await keptPolicy(page)).toEqual({ kind: "quiet", days: [], fromHour: 9, untilHour: 17 });
  });

  it("is what a send asks for, beside what the address does", async () => {
    const page = await openDashboard({ ...QUIET, kind: "cheap" });
    await page.goto(`${pages.app.url}/?path=tcp`);
    await startSending(page);
    expect((await calls(page))[0]).toMatchObject(["send", { overrides: { path: "tcp", policy: { kind: "cheap" } } }]);
  });

  it("is what a receive asks for, quiet hours too", async () => {
    const page = await openDashboard({ ...QUIET, days: [5, 6] });
    await page.goto(pages.app.url + LINK);
    await page.getByTestId("receive").waitFor();
    const policy = { kind: "quiet", hours: [{ days: [5, 6], startHour: 22, endHour: 6 }] };
    expect((await calls(page))[0]?.[3]).toEqual({ policy });
  });

  it.each([360, 1280])("has no fault that axe finds, and controls of 44 pixels, at %d pixels", async (width) => {
    const page = await openDashboard(QUIET, { viewport: { width, height: 800 } });
    await page.evaluate(axe.source);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const faults = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
        return violations.flatMap(({ id, nodes }) => nodes.map(({ failureSummary }) => [id, failureSummary]));
      });
      expect(faults).toEqual([]);
    }
    const small = await page
      .getByTestId("policy-panel")
      .locator("label:has(input), select")
      .evaluateAll((all) =>
        all.map((one) => one.getBoundingClientRect()).filter(({ width, height }) => width < 44 || height < 44),
      );
    expect(small).toEqual([]);
    const { scroll, client } = await page.evaluate(() => {
      const { scrollWidth: scroll, clientWidth: client } = document.documentElement;
      return { scroll, client };
    });
    expect(scroll).toBeLessThanOrEqual(client);
  });
});

describe("what the browser tells of the device", () => {
  it("reaches the worker when a transfer begins, and again when it changes", async () => {
    const page = await pages.open("/");
    await page.evaluate(() => {
      const connection = Object.assign(new EventTarget(), { type: "wifi", saveData: false });
      const battery = Object.assign(new EventTarget(), { level: 0.8, charging: false });
      Object.defineProperty(navigator, "connection", { value: connection });
      Object.defineProperty(navigator, "getBattery", { value: async () => battery });
      Object.assign(globalThis, { connection });
    });
    await chooseFiles(page, "a.txt");
    const last = () => page.evaluate(() => globalThis.scripted.devices.at(-1));
    const battery = { level: 0.8, charging: false };
    await expect.poll(last).toEqual({ battery, metered: false, saveData: false });
    await page.evaluate(() => {
      const { connection } = globalThis as unknown as { connection: EventTarget };
      Object.assign(connection, { type: "cellular", saveData: true });
      connection.dispatchEvent(new Event("change"));
    });
    expect(await last()).toEqual({ battery, metered: true, saveData: true });
  });
});
