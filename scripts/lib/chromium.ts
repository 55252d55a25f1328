/**
 * Finding the system's Chromium for the tests, and installing what they need through the system's package manager where
 * that is possible without asking.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runProgram } from "./process.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const FIXED_PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ],
  win32: [
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files\\Chromium\\Application\\chrome.exe",
  ],
};

/** Path of a Chromium or Chrome: `CHROMIUM_PATH` when set, else the first found where systems put it. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const chosen = environment.CHROMIUM_PATH;
  if (chosen) return existsSync(chosen) ? chosen : undefined;
  const folders = (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...(FIXED_PLACES[process.platform] ?? [])].find((path) => existsSync(path));
}

function hasProgram(name: string): boolean {
  return spawnSync(name, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** The one command that installs a Chromium here. */
export function installCommand(platform: NodeJS.Platform, has: (program: string) => boolean = hasProgram): string {
  if (platform === "darwin") return "brew install --cask chromium";
  if (platform === "win32") return "winget install Google.Chrome";
  if (has("apt-get")) return "sudo apt-get install -y chromium";
  if (has("dnf")) return "sudo dnf install -y chromium";
  if (has("pacman")) return "sudo pacman -S --noconfirm chromium";
  if (has("apk")) return "sudo apk add chromium";
  return "install Chromium or Chrome, then set CHROMIUM_PATH to its program";
}

/**
 * Installs a Debian package where this is root on a system with apt-get, and does nothing elsewhere; what came of it the
 * caller sees for itself.
 */
export async function installHere(debianPackage: string, why: string): Promise<void> {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !hasProgram("apt-get")) return;
  process.stderr.write(`Installing ${debianPackage} for ${why} (once) …\n`);
  process.env.DEBIAN_FRONTEND = "noninteractive";
  await runProgram("apt-get", ["update", "-qq"]);
  const ran = await runProgram("apt-get", ["install", "-y", "-qq", "--no-install-recommends", debianPackage]);
  if (!ran.ok) process.stderr.write(ran.output);
}

/**
 * The path of a Chromium, installed first where there is none and this is root on a system with apt-get.
 * @throws Error with the command to run, when none can be had
 */
export async function ensureChromium(): Promise<string> {
  if (findChromium() === undefined) await installHere("chromium", "the tests");
  const found = findChromium();
  if (found === undefined) throw new Error(`The tests need Chromium. Run: ${installCommand(process.platform)}`);
  return found;
}
