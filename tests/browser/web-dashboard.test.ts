/**
 * The dashboard in a real Chromium, under the product's policies; only what measures the engines is scripted.
 *
 * @module
 */
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { FailureCode } from "../../core/failure.ts";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";
import { FIGURES } from "../support/engine-figures.ts";
import { calls, choose, LINK, useWebPages } from "../support/web-pages.ts";

const pages = useWebPages();

const FASTER: EngineStatus = {
  kind: "gpu",
  gpuStages: ["cut", "compress", "hash"],
  reason: "measured-faster",
  adapter: FIGURES.adapter,
  figures: FIGURES,
};
const WITHOUT: EngineStatus = { kind: "cpu", gpuStages: [], reason: "no-webgpu", adapter: null, figures: null };
const SENTENCE =
  "GPU for cutting and hashing, compressing, and verifying; CPU for decompressing: each was measured to be faster there.";
const NO_SPEEDS = ["Cut and hash", "Compress (LZ4)", "Decompress (LZ4)", "Verify"].map((name) => `${name} | – | –`);

interface Opening {
  /** What the browser has kept before the page loads. */
  readonly kept?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly options?: BrowserContextOptions;
}

async function openDashboard({ kept = {}, query = "", options = {} }: Opening = {}): Promise<Page> {
  const page = await pages.open("/", {}, options);
  await page.evaluate((items) => {
    for (const [key, value] of Object.entries(items)) localStorage.setItem(key, value);
  }, kept);
  await page.goto(`${pages.app.url}/dashboard${query}`);
  await page.getByTestId("engine-panel").waitFor();
  return page;
}

const keptFigures = (figures: unknown) => ({ "engine-figures": JSON.stringify(figures) });

const engineOf = (page: Page): Promise<Record<string, string | undefined>> =>
  page.getByTestId("engine-panel").evaluate((element) => ({ ...(element as HTMLElement).dataset }));

const speeds = (page: Page): Promise<string[]> =>
  page
    .locator("[data-testid=engine-panel] tbody tr")
    .evaluateAll((rows) =>
      rows.map((row) =>
        [...row.children].map(({ textContent }) => textContent.replace(/\s+/g, " ").trim()).join(" | "),
      ),
    );

const textOf = async (page: Page, id: string): Promise<string | undefined> =>
  (await page.getByTestId(id).textContent())?.replace(/\s+/g, " ").trim();

const measurements = (page: Page): Promise<number> => page.evaluate(() => globalThis.scriptedLane.measurements);

const answer = (page: Page, status: EngineStatus): Promise<void> =>
  page.evaluate((value) => globalThis.scriptedLane.answer(value), status);

const fail = (page: Page, code: FailureCode): Promise<void> =>
  page.evaluate((value) => globalThis.scriptedLane.fail(value), code);

const keptItem = (page: Page, key: string): Promise<string | null> =>
  page.evaluate((name) => localStorage.getItem(name), key);

const settingOf = (page: Page): Promise<string> =>
  page.getByTestId("engine-setting").locator("input:checked").inputValue();

describe("the engine on the dashboard", () => {
  it("shows what is remembered and measures nothing by itself", async () => {
    const page = await openDashboard({ kept: keptFigures(FIGURES) });
    expect(await page.title()).toBe("Dashboard · Warp Portal");
    expect(await engineOf(page)).toMatchObject({ engine: "gpu", reason: "measured-faster" });
    expect(await textOf(page, "engine-sentence")).toBe(SENTENCE);
    expect(await textOf(page, "engine-adapter")).toBe(FIGURES.adapter);
    expect(await speeds(page)).toEqual([
      "Cut and hash | 612 | 4,019",
      "Compress (LZ4) | 405 | 2,100",
      "Decompress (LZ4) | 2,310 | 1,150",
      "Verify | 1,204 | 3,300",
    ]);
    expect(await textOf(page, "engine-measured")).toMatch(/^Measured Fri, Nov 20, \d\d:\d\d\.$/);
    expect(await measurements(page)).toBe(0);
  });

  it("measures on a click, says so, and remembers the figures", async () => {
    const page = await openDashboard();
    expect(await engineOf(page)).toMatchObject({ engine: "cpu", reason: "not-measured" });
    expect(await speeds(page)).toEqual(NO_SPEEDS);
    const button = page.getByTestId("measure-engine");
    const said = page.getByTestId("engine-panel").locator("p[role=status]");
    await button.click();
    await page.getByText("Measuring …").waitFor();
    expect(await button.getAttribute("aria-disabled")).toBe("true");
    expect(await said.textContent()).toBe("Measuring both engines");
    await button.press("Enter");
    expect(await measurements(page)).toBe(1);
    await answer(page, FASTER);
    await page.getByRole("button", { name: "Measure", exact: true }).waitFor();
    expect(await said.textContent()).toBe(`Measured. ${SENTENCE}`);
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await engineOf(page)).toMatchObject({ engine: "gpu", reason: "measured-faster" });
    expect((await speeds(page))[0]).toBe("Cut and hash | 612 | 4,019");
    await page.getByText("CPU", { exact: true }).click();
    expect(await said.textContent()).toBe("CPU engine: the setting below asks for it.");
    expect(JSON.parse((await keptItem(page, "engine-figures")) ?? "")).toEqual(FIGURES);
  });

  it("shows dashes for a GPU that did not answer in time, and small numbers with two digits", async () => {
    const figures = { ...FIGURES, cpu: { ...FIGURES.cpu, cut: 61.26, compress: 4.052 }, gpu: null };
    const page = await openDashboard({ kept: keptFigures(figures) });
    expect(await engineOf(page)).toMatchObject({ engine: "cpu", reason: "measured-faster" });
    expect(await speeds(page)).toEqual([
      "Cut and hash | 61 | –",
      "Compress (LZ4) | 4.1 | –",
      "Decompress (LZ4) | 2,310 | –",
      "Verify | 1,204 | –",
    ]);
    expect(await textOf(page, "engine-measured")).toMatch(/; the GPU did not answer in time\.$/);
  });

  it("says when there is no GPU to measure", async () => {
    const page = await openDashboard();
    await page.getByTestId("measure-engine").click();
    await answer(page, WITHOUT);
    await page.getByText("CPU engine: this browser offers no GPU.", { exact: true }).waitFor();
    expect(await textOf(page, "engine-adapter")).toBe("none");
    expect(await keptItem(page, "engine-figures")).toBeNull();
    await page.getByText("GPU", { exact: true }).last().click();
    expect(await engineOf(page)).toMatchObject({ engine: "cpu", reason: "no-webgpu" });
  });

  it("says in a sentence why measuring failed, and measures again", async () => {
    const page = await openDashboard();
    await page.getByTestId("measure-engine").click();
    await fail(page, "engine/failed");
    const failure = page.getByTestId("engine-failure");
    expect(await failure.textContent()).toContain("Cutting, hashing or compressing failed on this device.");
    expect(await failure.getAttribute("role")).toBe("alert");
    await page.getByTestId("measure-engine").click();
    await expect.poll(() => failure.count()).toBe(0);
    await answer(page, FASTER);
    await expect.poll(() => engineOf(page)).toMatchObject({ engine: "gpu" });
  });

  it("is not upset by what else may be kept in the place of figures", async () => {
    const page = await openDashboard();
    for (const text of ["null", "{}", "not JSON", '{"adapter":"a","measuredAtMs":"x","cpu":{},"gpu":{}}', "[1]"]) {
      await page.evaluate((kept) => localStorage.setItem("engine-figures", kept), text);
      await page.reload();
      expect(await engineOf(page)).toMatchObject({ engine: "cpu", reason: "not-measured" });
    }
  });
});

describe("the engine setting", () => {
  it("is chosen by keyboard, kept in this browser, and goes before the measurement", async () => {
    const page = await openDashboard({ kept: keptFigures(FIGURES) });
    expect(await settingOf(page)).toBe("auto");
    await page.getByTestId("measure-engine").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await settingOf(page)).toBe("cpu");
    expect(await engineOf(page)).toMatchObject({ engine: "cpu", reason: "forced" });
    expect(await textOf(page, "engine-sentence")).toBe("CPU engine: the setting below asks for it.");
    await page.reload();
    expect(await settingOf(page)).toBe("cpu");
    expect(await keptItem(page, "engine")).toBe("cpu");
    await page.getByText("Automatic", { exact: true }).click();
    expect(await engineOf(page)).toMatchObject({ engine: "gpu", reason: "measured-faster" });
    expect(await keptItem(page, "engine")).toBeNull();
  });

  it("gives way to the address, which the page says", async () => {
    const page = await openDashboard({ kept: { engine: "gpu" }, query: "?engine=cpu" });
    expect(await engineOf(page)).toMatchObject({ engine: "cpu", reason: "forced" });
    expect(await textOf(page, "engine-sentence")).toBe("CPU engine: this page's address asks for it.");
    expect(await textOf(page, "engine-adapter")).toBe("none asked for yet");
    expect(await settingOf(page)).toBe("gpu");
    await page.getByText("This page's address asks for the CPU").waitFor();
  });

  it("is what a transfer asks for, unless the address does", async () => {
    const page = await openDashboard({ kept: { engine: "gpu" } });
    const cases = [
      ["/?path=tcp", { engine: "gpu", path: "tcp" }],
      ["/?engine=cpu", { engine: "cpu" }],
    ] as const;
    for (const [address, overrides] of cases) {
      await page.goto(pages.app.url + address);
      await choose(page, "a.txt");
      await page.getByTestId("create-link").click();
      await page.getByTestId("share-link").waitFor();
      expect((await calls(page))[0]).toMatchObject(["send", { overrides }]);
    }
  });

  it("is what a receiver asks for", async () => {
    const page = await openDashboard({ kept: { engine: "cpu" } });
    await page.goto(pages.app.url + LINK);
    await page.getByTestId("receive").waitFor();
    expect((await calls(page))[0]?.[3]).toEqual({ engine: "cpu" });
  });
});

describe("the page around it", () => {
  it("is reached from the foot of every page", async () => {
    const page = await openDashboard();
    await page.goto(pages.app.url);
    await page.getByRole("link", { name: "Dashboard" }).click();
    await page.getByRole("heading", { level: 1, name: "Dashboard" }).waitFor();
  });

  it("has no fault that axe finds, light and dark, empty, busy, measured and failed", async () => {
    const page = await openDashboard({ query: "?engine=gpu" });
    await page.evaluate(axe.source);
    const faults = async () => {
      const found = [];
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        found.push(
          ...(await page.evaluate(async () => {
            const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
            return violations.flatMap(({ id, nodes }) => nodes.map(({ failureSummary }) => [id, failureSummary]));
          })),
        );
      }
      return found;
    };
    expect(await faults()).toEqual([]);
    await page.getByTestId("measure-engine").click();
    expect(await faults()).toEqual([]);
    await answer(page, FASTER);
    await page.getByRole("button", { name: "Measure", exact: true }).waitFor();
    expect(await faults()).toEqual([]);
    await page.getByTestId("measure-engine").click();
    await fail(page, "worker/crashed");
    await page.getByTestId("engine-failure").waitFor();
    expect(await faults()).toEqual([]);
  });

  it.each([360, 1280])("fits a window of %d pixels, with controls of 44 pixels and more", async (width) => {
    const adapter = `acme ${"long ".repeat(30)}`;
    const kept = keptFigures({ ...FIGURES, adapter });
    const page = await openDashboard({ kept, options: { viewport: { width, height: 800 } } });
    const { scroll, client } = await page.evaluate(() => {
      const { scrollWidth: scroll, clientWidth: client } = document.documentElement;
      return { scroll, client };
    });
    expect(scroll).toBeLessThanOrEqual(client);
    const small = await page
      .locator("main button:visible, [data-testid=engine-setting] label, footer a")
      .evaluateAll((all) =>
        all.map((one) => one.getBoundingClientRect()).filter(({ width, height }) => width < 44 || height < 44),
      );
    expect(small).toEqual([]);
  });
});
