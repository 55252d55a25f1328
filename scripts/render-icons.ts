/**
 * Draws the app's PNG icons from `public/icons/mark.svg` with the system's Chromium. Run by hand when the mark changes:
 * `node scripts/render-icons.ts`; the pictures are kept in the repository.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { findChromium } from "./lib/chromium.ts";
import { ROOT } from "./lib/process.ts";

const FOLDER = join(ROOT, "public/icons");

/** A maskable icon may be cut to a circle of 80 % of its width, so the mark is smaller and the ground has no corners. */
const ICONS = [
  { name: "icon-192.png", pixels: 192, isMaskable: false },
  { name: "icon-512.png", pixels: 512, isMaskable: false },
  { name: "maskable-512.png", pixels: 512, isMaskable: true },
] as const;

const mark = await readFile(join(FOLDER, "mark.svg"), "utf8");
const executablePath = findChromium();
if (executablePath === undefined) throw new Error("no Chromium found");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-background-networking"] });
try {
  for (const { name, pixels, isMaskable } of ICONS) {
    const page = await browser.newPage({ viewport: { width: pixels, height: pixels } });
    const drawing = isMaskable
      ? mark.replace(/rx="15"/, "").replace('viewBox="0 0 64 64"', 'viewBox="-6 -6 76 76"')
      : mark;
    const ground = isMaskable ? "#00635d" : "transparent";
    await page.setContent(`<style>html,body{margin:0;background:${ground}}svg{display:block}</style>${drawing}`);
    await page.screenshot({ path: join(FOLDER, name), omitBackground: true });
    await page.close();
  }
} finally {
  await browser.close();
}
