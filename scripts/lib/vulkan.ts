/**
 * Finding what the GPU tests run on where there is no GPU: SwiftShader, the software Vulkan that comes with Chromium, and
 * the system's loader for it, `libvulkan.so.1`. Only Linux needs them: elsewhere WebGPU does not go through Vulkan.
 *
 * @module
 */
import { existsSync, globSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { findChromium, installHere } from "./chromium.ts";

const DRIVER = "vk_swiftshader_icd.json";
const LOADER = "libvulkan.so.1";
/** Chromium's files where the program on the path is only a script that starts it. */
const CHROMIUM_FOLDERS = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/usr/lib64/chromium-browser"];
/** Where the dynamic linker looks; the loader in Chromium's own folder is not found. */
const LIBRARY_FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"];

/** Path of the description of Chromium's SwiftShader, as the Vulkan loader wants it; undefined without a Chromium. */
export function findSwiftShader(): string | undefined {
  const program = findChromium();
  const folders = program === undefined ? [] : [dirname(realpathSync(program)), ...CHROMIUM_FOLDERS];
  return folders.map((folder) => join(folder, DRIVER)).find((path) => existsSync(path));
}

function hasLoader(): boolean {
  const named = (process.env.LD_LIBRARY_PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  if (named.some((folder) => existsSync(join(folder, LOADER)))) return true;
  const places = LIBRARY_FOLDERS.flatMap((folder) => [`${folder}/${LOADER}`, `${folder}/*-linux-*/${LOADER}`]);
  return globSync(places).length > 0;
}

/**
 * Installs the Vulkan loader where it is missing and this is root on a system with apt-get.
 * @throws Error with the command to run, when it cannot be had
 */
export async function ensureVulkan(): Promise<void> {
  if (process.platform !== "linux" || hasLoader()) return;
  await installHere("libvulkan1", "the GPU tests");
  if (!hasLoader()) throw new Error(`The GPU tests need ${LOADER}. On Debian: sudo apt-get install -y libvulkan1`);
}
