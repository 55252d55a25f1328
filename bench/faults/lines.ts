/**
 * What lines with loss and delay leave of each path: the same product over WebTransport, over a WebSocket with each congestion
 * control of the system, and by the ways that it chooses by itself, up and down apart.
 *
 * @module
 */
import { setTimeout as pass } from "node:timers/promises";
import type { Page } from "playwright-core";
import type { PathKind } from "../../core/transfer/snapshot.ts";
import { MIB } from "../../core/units.ts";
import { CLEAN, lineOf } from "../../tests/faults/lab/line.ts";
import { type NamespaceNetwork, openNamespaces } from "../../tests/faults/lab/network.ts";
import { openStage, type Stage } from "../../tests/faults/lab/stage.ts";
import { until } from "../../tests/faults/lab/story.ts";
import {
  type Cargo,
  createLink,
  makeCargo,
  onPath,
  openReceiver,
  openSender,
} from "../../tests/faults/lab/transfer.ts";

/** A home line. */
const RATE_MBIT = 100;
/** What waits for the line at most: a fast line's round trip. */
const QUEUE_PACKETS = 1000;
/** More than the fastest line carries in the time; `--seconds` above 15 would need more. */
const CARGO_BYTES = 320 * MIB;
/** Connecting and the slow start do not count, nor, where the product chooses, the trial of the second way. */
const WARM_MS = 4_000;
const CHOSEN_WARM_MS = 8_000;
const LIMIT_MS = 120_000;

/** A line by what it does. */
export interface Cell {
  readonly loss: number;
  readonly rttMs: number;
}

/** One way to send. */
export interface Variant {
  readonly name: string;
  /** Undefined where the product chooses: it begins over WebTransport, and may take TCP beside it. */
  readonly path: PathKind | undefined;
  /** Of the system's TCP, where the path has any. */
  readonly congestionControl: string;
}

export const CELLS: readonly Cell[] = [
  { loss: 0, rttMs: 20 },
  { loss: 0, rttMs: 100 },
  ...[0.01, 0.02, 0.05].flatMap((loss) => [50, 100, 200].map((rttMs) => ({ loss, rttMs }))),
];
/** The lines of the aims. */
export const QUICK_CELLS: readonly Cell[] = CELLS.filter(
  ({ loss, rttMs }) => (loss === 0 && rttMs === 20) || (loss === 0.02 && rttMs === 100),
);
export const VARIANTS: readonly Variant[] = [
  { name: "webtransport", path: "webtransport", congestionControl: "cubic" },
  { name: "tcp cubic", path: "tcp", congestionControl: "cubic" },
  { name: "tcp bbr", path: "tcp", congestionControl: "bbr" },
  { name: "chosen", path: undefined, congestionControl: "cubic" },
];

/** 10^6 bytes a second that came through the line, with the headers of their packets. */
export interface LineSample extends Cell {
  readonly variant: string;
  readonly up: number;
  readonly down: number;
}

/** Which way is measured, by the emulator's order of directions. */
const DIRECTION = { up: 0, down: 1 } as const;

interface Bench {
  readonly network: NamespaceNetwork;
  readonly stage: Stage;
  readonly cargo: Cargo;
  readonly seconds: number;
}

/**
 * Measures every line with every variant, one after the other. Undefined where there are no network namespaces.
 * @param told gets each sample as it is there
 */
export async function measureLines(
  cells: readonly Cell[],
  seconds: number,
  told: (sample: LineSample) => void,
): Promise<readonly LineSample[] | undefined> {
  const network = await openNamespaces();
  if (network === undefined) return undefined;
  await using stage = await openStage(network);
  await using cargo = await makeCargo(CARGO_BYTES, "lines");
  const bench = { network, stage, cargo, seconds };
  const link = await store(bench);
  const samples: LineSample[] = [];
  for (const cell of cells)
    for (const variant of VARIANTS) {
      network.pair.setCongestionControl(variant.congestionControl);
      const up = await upload(bench, cell, variant);
      const down = await download(bench, cell, variant, link);
      const sample = { ...cell, variant: variant.name, up, down };
      samples.push(sample);
      told(sample);
    }
  return samples;
}

/** Sends everything over a line without faults, to be received often. Gives the link. */
async function store({ network, stage, cargo }: Bench): Promise<string> {
  await network.set(CLEAN);
  const sender = await openSender(stage.sender, network.url, cargo, "tcp");
  const link = await createLink(sender);
  await until(sender, ({ state }) => state === "done", LIMIT_MS);
  await sender.context().close();
  return link;
}

async function upload(bench: Bench, cell: Cell, { path }: Variant): Promise<number> {
  const { network, stage, cargo } = bench;
  await network.set(CLEAN);
  const sender = await openSender(stage.sender, network.url, cargo, path);
  await network.set(lineOf(cell.rttMs, cell.loss, { rateMbit: RATE_MBIT, queuePackets: QUEUE_PACKETS }));
  await createLink(sender);
  const speed = await speedOf(bench, "up", sender, path);
  await network.set(CLEAN);
  await sender.getByTestId("cancel").click();
  await sender.context().close();
  return speed;
}

async function download(bench: Bench, cell: Cell, { path }: Variant, link: string): Promise<number> {
  const { network, stage } = bench;
  await network.set(CLEAN);
  const receiver = await openReceiver(stage.receiver, onPath(link, path));
  await network.set(lineOf(cell.rttMs, cell.loss, { rateMbit: RATE_MBIT, queuePackets: QUEUE_PACKETS }));
  await receiver.getByTestId("receive").click();
  const speed = await speedOf(bench, "down", receiver, path);
  await receiver.context().close();
  return speed;
}

/** Bytes in the time after the transfer has warmed up. @throws Error when it runs over another path */
async function speedOf(
  bench: Bench,
  way: keyof typeof DIRECTION,
  page: Page,
  path: PathKind | undefined,
): Promise<number> {
  const taken = async () => (await bench.network.emulator.counters())[DIRECTION[way]].bytes;
  await page
    .locator(`[data-testid=transfer-state][data-path=${path ?? "webtransport"}]`)
    .waitFor({ state: "attached", timeout: LIMIT_MS });
  await pass(path === undefined ? CHOSEN_WARM_MS : WARM_MS);
  const [before, startedMs] = [await taken(), performance.now()];
  await pass(1000 * bench.seconds);
  return (await taken().then((after) => after - before)) / 1000 / (performance.now() - startedMs);
}
