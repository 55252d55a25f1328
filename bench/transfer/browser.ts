/**
 * A bare Chromium: its own profile, one page, and nobody attached to it.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { findChromium, installCommand } from "../../scripts/lib/chromium.ts";
import { endProcess, removeFolder, startProcess, temporaryFolder } from "../lib/cleanup.ts";
import { argumentsOf, listProcesses, treeOf } from "../lib/proc.ts";

const SWITCHES = [
  "--headless",
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-default-apps",
  "--disable-extensions",
  "--mute-audio",
  // A page that nobody looks at must run as one that somebody looks at.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  // Pages stand on the bench's origin and talk to relay and tus on other ports; the product's page is of the relay's
  // origin and needs no such permission, so none is asked for here either.
  "--disable-web-security",
  // Host candidates of the data channel carry addresses, not mDNS names that nothing here resolves.
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

export interface BareBrowser {
  readonly pid: number;
  /** Process ids by role; the renderer is the one with the page. */
  processes(): { readonly all: readonly number[]; readonly renderers: readonly number[] };
  close(): Promise<void>;
}

/** True for a process that shows pages of the web, not parts of the browser's own window. */
function isPage(pid: number): boolean {
  const switches = argumentsOf(pid);
  return switches.includes("--type=renderer") && !switches.includes("--top-chrome-webui");
}

/** Starts a browser with one page, in a window without an address bar, whose scripts would run beside the page's. @throws Error when there is no Chromium */
export async function startBrowser(name: string, url: string, folder: string | undefined): Promise<BareBrowser> {
  const program = findChromium();
  if (program === undefined) throw new Error(`No Chromium found. Run: ${installCommand(process.platform)}`);
  const profile = await temporaryFolder(name, folder);
  const child: ChildProcess = startProcess(program, [...SWITCHES, `--user-data-dir=${profile}`, `--app=${url}`], {
    stdio: "ignore",
  });
  const pid = child.pid ?? 0;
  return {
    pid,
    processes: () => {
      const all = treeOf([pid], listProcesses()).map((each) => each.pid);
      return { all, renderers: all.filter(isPage) };
    },
    async close() {
      await endProcess(child);
      await removeFolder(profile);
    },
  };
}
