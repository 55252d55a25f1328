/**
 * How long a browser takes for the key of a password (Argon2id with the parameters that senders choose), on this machine and
 * on a slow one: Chromium's own throttle makes its thread four times slower, as its tools do to stand for a slow laptop.
 *
 * @module
 */
import { bundle } from "../../tests/support/bundle.ts";
import { launchBrowser } from "../../tests/support/chromium.ts";
import { median } from "../lib/stats.ts";

/** How many times slower the slow laptop is. */
export const SLOW = 4;

export interface UnlockSample {
  readonly rounds: number;
  /** Medians, milliseconds. */
  readonly plainMs: number;
  readonly slowMs: number;
}

const PAGE = new URL("unlock-page.ts", import.meta.url).pathname;

export async function measureUnlock(rounds: number): Promise<UnlockSample> {
  const code = await bundle(PAGE, "iife");
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.evaluate(code);
    const devtools = await page.context().newCDPSession(page);
    const measure = async (rate: number): Promise<number> => {
      await devtools.send("Emulation.setCPUThrottlingRate", { rate });
      const times: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const ms = (await page.evaluate("unlock()")) as number;
        // The first one compiles.
        if (round > 0) times.push(ms);
      }
      return median(times);
    };
    return { rounds, plainMs: await measure(1), slowMs: await measure(SLOW) };
  } finally {
    await browser.close();
  }
}
