/**
 * How much memory a transfer takes at its peak, in the relay and in both browsers, and that it does not grow with the
 * size of the file. Sampling costs processor time, so nothing is timed here.
 *
 * @module
 */
import type { PathKind } from "../../core/transfer/snapshot.ts";
import { peakResidentBytes, proportionalBytes, residentBytes } from "../lib/proc.ts";
import { type BareBrowser, startBrowser } from "./browser.ts";
import { type Field, ours } from "./competitors.ts";
import type { DataFile } from "./data.ts";
import { loadData, NO_SERVICE, openRelay, openStage } from "./stage.ts";

const EVERY_MS = 200;
const SETTLE_MS = 2_500;

export interface BrowserMemory {
  /** Proportional bytes of the largest renderer, and of all processes of the browser. */
  readonly renderer: number;
  readonly all: number;
}

export interface MemoryResult {
  readonly path: PathKind;
  readonly bytes: number;
  /** Resident bytes of the relay before and at the peak. */
  readonly relayIdle: number;
  readonly relayPeak: number;
  readonly sender: BrowserMemory;
  readonly receiver: BrowserMemory;
}

function memoryOf(browser: BareBrowser): BrowserMemory {
  const { all, renderers } = browser.processes();
  const sizes = new Map(all.map((pid) => [pid, proportionalBytes(pid) ?? 0]));
  return {
    renderer: Math.max(0, ...renderers.map((pid) => sizes.get(pid) ?? 0)),
    all: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  };
}

function higher(a: BrowserMemory, b: BrowserMemory): BrowserMemory {
  return { renderer: Math.max(a.renderer, b.renderer), all: Math.max(a.all, b.all) };
}

/** What a browser takes with an empty page. */
export async function blankTab(url: string, folder: string | undefined): Promise<BrowserMemory> {
  const browser = await startBrowser("blank", url, folder);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const memory = memoryOf(browser);
  await browser.close();
  return memory;
}

/** One transfer between fresh browsers through a fresh relay, watched. */
export async function watchTransfer(
  pagesFolder: string,
  folder: string | undefined,
  data: DataFile,
  path: PathKind,
): Promise<MemoryResult> {
  const relay = await openRelay(folder, undefined);
  const stage = await openStage(pagesFolder, folder);
  try {
    const { server } = stage;
    const loaded = await loadData(server, "memory.bin", data, false);
    const relayIdle = residentBytes(relay.pid) ?? 0;
    let sender: BrowserMemory = { renderer: 0, all: 0 };
    let receiver = sender;
    const timer = setInterval(() => {
      sender = higher(sender, memoryOf(stage.sender));
      receiver = higher(receiver, memoryOf(stage.receiver));
    }, EVERY_MS);
    const field: Field = { ...stage, relay, tus: NO_SERVICE };
    const { verify } = await ours(path, "incompressible")
      .run(field, loaded)
      .finally(() => clearInterval(timer));
    await verify();
    return { path, bytes: data.bytes, relayIdle, relayPeak: peakResidentBytes(relay.pid) ?? 0, sender, receiver };
  } finally {
    await stage.close();
    await relay.close();
  }
}
