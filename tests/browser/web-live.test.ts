/**
 * What people see of edges and plan, in a real Chromium with scripted workers: the sentence on the transfer's page, and the live
 * view of the dashboard in another tab.
 *
 * @module
 */
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { EDGES } from "../support/scripted-edges.ts";
import {
  attributes,
  calls,
  ENTRIES,
  LINK,
  SENDING,
  show,
  startReceiving,
  startSending,
  useWebPages,
} from "../support/web-pages.ts";

const pages = useWebPages();

const SENTENCE = "1 relay and 1 peer, 84 MB/s, limited by the way to relay-a.example.";
const words = (text: string | null): string => (text ?? "").replace(/\s+/g, " ").trim();

/** A receive over three edges, and the dashboard in another tab. */
async function openBoth(options: BrowserContextOptions = {}): Promise<{ transfer: Page; dashboard: Page }> {
  const transfer = await pages.open(LINK, { entries: ENTRIES }, options);
  await startReceiving(transfer);
  await show(transfer, { ...SENDING, path: "mixed", edges: EDGES });
  const dashboard = await pages.openBeside(transfer, "/dashboard");
  await dashboard.getByTestId("live-sentence").waitFor();
  return { transfer, dashboard };
}

/** The cells of each edge's row. */
const rows = (page: Page): Promise<string[][]> =>
  page
    .getByTestId("edge")
    .evaluateAll((all) =>
      all.map((row) => [...row.children].map(({ textContent }) => textContent.replace(/\s+/g, " ").trim())),
    );

describe("the page of a transfer", () => {
  it("says in one sentence what carries it and what limits it, and says it aloud to nobody", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, { ...SENDING, path: "mixed", edges: EDGES });
    const sentence = page.getByText("limited by the way to");
    expect(words(await sentence.textContent())).toBe(SENTENCE);
    expect(await page.getByText("The network sets the pace.").count()).toBe(0);
    expect(
      await sentence.evaluate((element) => element.closest("[aria-live], [role=status], [role=alert]")),
    ).toBeNull();
    expect(await attributes(page)).toMatchObject({ path: "mixed" });
    expect(words(await page.getByTestId("path-sentence").textContent())).toBe(
      "Using several ways at once; the relay by WebSocket: UDP did not answer within 3 seconds.",
    );
    await show(page, { path: "peer", edges: null });
    expect(await attributes(page)).toMatchObject({ path: "peer" });
    await page.getByText("The network sets the pace.").waitFor();
  });

  it("says why this device holds it back, aloud too", async () => {
    const page = await pages.open("/");
    await startSending(page);
    await show(page, { state: "waiting", waitingFor: "rules", edges: { ...EDGES, hindrance: "quiet" } });
    await page.getByRole("heading", { name: "Held back on this device" }).waitFor();
    await page.getByText("These are quiet hours").first().waitFor();
    const said = page.locator("p[role=status]").filter({ hasText: "Held back on this device. These are quiet hours" });
    expect(await said.count()).toBe(1);
  });

  it("opens the dashboard beside a transfer that runs, and in its place when none does", async () => {
    const page = await pages.open("/");
    const link = page.getByRole("link", { name: "Dashboard" });
    expect(await link.getAttribute("target")).toBeNull();
    await startSending(page);
    await expect.poll(() => link.getAttribute("target")).toBe("_blank");
  });
});

describe("the live view of the dashboard", () => {
  it("says how to get one where nothing runs", async () => {
    const page = await pages.open("/dashboard");
    expect(words(await page.getByTestId("live-empty").textContent())).toMatch(/^None\. Send something or open a link/);
    expect(await page.getByTestId("live-empty").getByRole("link").getAttribute("target")).toBe("_blank");
  });

  it("shows a transfer of another tab with its edges, packs and plan, though it began before", async () => {
    const { transfer, dashboard } = await openBoth();
    expect(words(await dashboard.getByTestId("live-sentence").textContent())).toBe(SENTENCE);
    expect(await rows(dashboard)).toEqual([
      [
        "relay-a.example Relay, WebTransport; connected",
        "97 %",
        "61 MB/s",
        "60 MB/s",
        "+2 %",
        "18 ms",
        "120 (60 %) 6 under way",
      ],
      [
        "relay-b.example Relay, TCP; away, being tried again",
        "42 %",
        "0 MB/s",
        "24 MB/s",
        "\u221255 %",
        "65 ms",
        "31 (15 %)",
      ],
      ["peer 1 Directly, WebRTC; connected", "100 %", "23 MB/s", "–", "–", "under 1 ms", "49 (24 %) 3 under way"],
    ]);
    expect(words(await dashboard.getByTestId("live-packs").textContent())).toBe(
      "Packs wanted 212 Under way 9 Waiting for a holder 2 Second copies so far 5",
    );
    const plan = await dashboard.getByTestId("replan-entry").allTextContents();
    expect(plan.map(words)).toEqual([
      "1 min 15 s Because somebody asked for it. Nothing was left to move.",
      "1 min 12 s Because relay-b.example was lost; the health of relay-b.example fell to 42 %. " +
        "Planned again as a whole: 18 packs moved, saves 12 % of the time that was left. Aim: the earliest end.",
      "31 s Because relay-b.example carries 45 % of what was planned. " +
        "Planned again in part: 1 pack moved, saves 8 % of the time that was left. Aim: as few moves as possible.",
      "4 s Because peer 1 joined. " +
        "Planned again as a whole: 40 packs moved, saves 21 % of the time that was left. Aim: an early end with few moves.",
    ]);
    await show(transfer, { state: "paused" });
    await dashboard.getByRole("heading", { name: "Paused" }).waitFor();
  });

  it("draws the rates of each edge on one scale", async () => {
    const { transfer, dashboard } = await openBoth();
    for (const bytesPerSec of [50e6, 100e6]) {
      await transfer.waitForTimeout(510);
      await show(transfer, { edges: { ...EDGES, edges: EDGES.edges.map((edge) => ({ ...edge, bytesPerSec })) } });
    }
    const charts = dashboard.getByTestId("rate-charts").getByRole("img");
    await expect
      .poll(() => charts.first().getAttribute("aria-label"))
      .toBe("Rate of relay-a.example over the last minute: 100\u00a0MB/s now");
    expect(await charts.count()).toBe(3);
    const heights = await charts.first().locator("polyline").getAttribute("points");
    expect(heights?.split(" ").map((point) => point.split(",")[1])).toEqual(["23.2", "30", "0"]);
    // One that was never planned with has no line of a plan.
    expect(await charts.locator(".planned").count()).toBe(2);
  });

  it("reaches the transfer's tab with a wish for a new plan, by keyboard, and says so", async () => {
    const { transfer, dashboard } = await openBoth();
    await dashboard.getByTestId("replan").focus();
    await dashboard.keyboard.press("Enter");
    await expect.poll(async () => (await calls(transfer)).filter(([name]) => name === "replan")).toHaveLength(1);
    await dashboard.getByText("Asked for a new plan").waitFor({ state: "attached" });
    await show(transfer, { state: "done", edges: EDGES });
    await dashboard.getByRole("heading", { name: "Everything is received and verified" }).waitFor();
    expect(await dashboard.getByTestId("replan").count()).toBe(0);
  });

  it("forgets a transfer whose tab goes, and numbers several", async () => {
    const { transfer, dashboard } = await openBoth();
    const other = await pages.openBeside(transfer, "/");
    await startSending(other);
    await show(other, { ...SENDING });
    await dashboard.getByRole("heading", { name: "2. Sending" }).waitFor();
    await dashboard.getByText("It has one relay and no plan").waitFor();
    await other.goto("about:blank");
    await dashboard.getByRole("heading", { name: "Receiving", exact: true }).waitFor();
    await transfer.goto("about:blank");
    await dashboard.getByTestId("live-empty").waitFor();
  });

  it("draws nothing of a tab that speaks otherwise", async () => {
    const { transfer, dashboard } = await openBoth();
    await transfer.evaluate(() => {
      const channel = new BroadcastChannel("warp-live");
      channel.postMessage({ t: "transfer", transfer: { id: "x", direction: "send", state: "running" } });
      channel.postMessage("<script>");
      channel.close();
    });
    await show(transfer, { state: "paused" });
    await dashboard.getByRole("heading", { name: "Paused" }).waitFor();
    expect(await dashboard.getByTestId("live-transfer").count()).toBe(1);
  });

  it("folds away what was long ago", async () => {
    const { transfer, dashboard } = await openBoth();
    const replans = Array.from({ length: 12 }, (_, i) => ({
      ...(EDGES.replans[0] as (typeof EDGES.replans)[0]),
      atMs: 1000 * i,
    }));
    await show(transfer, { state: "paused", edges: { ...EDGES, replans, replansTotal: 30 } });
    await dashboard.getByText("30 re-plans").waitFor();
    expect(await dashboard.getByTestId("replan-entry").filter({ visible: true }).count()).toBe(5);
    await dashboard.getByText("Earlier: 7").click();
    expect(await dashboard.getByTestId("replan-entry").filter({ visible: true }).count()).toBe(12);
    await dashboard.getByText("18 before these are not kept.").waitFor();
  });

  it.each([360, 720, 1280])("has no fault that axe finds and fits a window of %d pixels", async (width) => {
    const { transfer, dashboard } = await openBoth({ viewport: { width, height: 800 } });
    const long = EDGES.edges.map((edge) =>
      edge.edge === 1 ? { ...edge, name: `${"relay".repeat(12)}.example` } : edge,
    );
    const most = { wanted: 1e7, active: 4096, waiting: 1e7, duplicates: 1e6 };
    await show(transfer, { state: "paused", edges: { ...EDGES, edges: long, packs: most } });
    await dashboard.getByRole("heading", { name: "Paused" }).waitFor();
    await dashboard.evaluate(axe.source);
    for (const colorScheme of ["light", "dark"] as const) {
      await dashboard.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const faults = await dashboard.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
        return violations.flatMap(({ id, nodes }) => nodes.map(({ failureSummary }) => [id, failureSummary]));
      });
      expect(faults).toEqual([]);
    }
    const { scroll, client } = await dashboard.evaluate(() => {
      const { scrollWidth: scroll, clientWidth: client } = document.documentElement;
      return { scroll, client };
    });
    expect(scroll).toBeLessThanOrEqual(client);
    const cells = dashboard.getByTestId("edge-table").locator("th, td").filter({ visible: true });
    const cut = await cells.evaluateAll((all) => all.filter((cell) => cell.scrollWidth > cell.clientWidth).length);
    expect(cut).toBe(0);
  });
});
