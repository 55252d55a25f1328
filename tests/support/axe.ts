/**
 * Looks for faults that lock people out, by axe, in both colour schemes.
 *
 * @module
 */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Expects none, light and dark; each is told with where it is and why. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const faults = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
      type Violation = { id: string; nodes: { target: string[]; failureSummary: string }[] };
      const { violations } = await axe.run();
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => [id, target.join(" "), failureSummary]),
      );
    });
    expect(faults).toEqual([]);
  }
}

/** Expects that the page fits its window, with controls that a finger can hit. */
export async function expectFitting(page: Page): Promise<void> {
  const { scrollWidth, clientWidth } = await page.evaluate(() => ({
    scrollWidth: document.documentElement.scrollWidth,
    clientWidth: document.documentElement.clientWidth,
  }));
  expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
  const small = await page
    .locator("button:visible, select:visible, input[type=file] + label:visible, summary:visible")
    .evaluateAll((all) =>
      all
        .map((one) => [one.textContent, one.getBoundingClientRect()] as const)
        .filter(([, { width, height }]) => width < 44 || height < 44),
    );
  expect(small).toEqual([]);
}
