/**
 * The system's Chromium for browser tests, driven through playwright-core. It talks to nobody on its own and is
 * otherwise as people have it: QUIC stays on.
 *
 * @module
 */
import { type Browser, type BrowserContext, chromium, type LaunchOptions } from "playwright-core";
import { findChromium, installCommand } from "../../scripts/lib/chromium.ts";

/** How a test's browser differs from the plain one. */
export interface BrowserOptions {
  /** Offer WebGPU; without a real adapter it is the software one. */
  readonly gpu?: boolean;
  /** More command-line switches. */
  readonly args?: readonly string[];
  /** A program that takes Chromium's switches in its place and becomes it, in a network namespace for example. */
  readonly executable?: string;
}

/** Switches of every browser here. Tests open only pages of this repository, so the sandbox may be off (root has none). */
const QUIET = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

function launchOptions(options: BrowserOptions): LaunchOptions {
  const executablePath = options.executable ?? findChromium();
  if (executablePath === undefined) throw new Error(`No Chromium found. Run: ${installCommand(process.platform)}`);
  const gpu = options.gpu === true ? ["--enable-unsafe-webgpu"] : [];
  return { executablePath, headless: true, args: [...QUIET, ...gpu, ...(options.args ?? [])] };
}

/** A fresh browser that forgets everything. The caller closes it. */
export function launchBrowser(options: BrowserOptions = {}): Promise<Browser> {
  return chromium.launch(launchOptions(options));
}

/**
 * A browser that keeps its databases, private files and permissions in `folder`, for tests that end a browser and come
 * back. The caller closes the context, which ends the browser.
 */
export function launchProfile(folder: string, options: BrowserOptions = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, launchOptions(options));
}
