/**
 * The transfer bench: a file from one browser through the relay to another, over both paths, beside the limit of each
 * path and what people would use instead. See bench/README.md for what is measured and how.
 *
 * @module
 */
import { join } from "node:path";
import { MIB } from "../core/units.ts";
import { removeFolder, temporaryFolder } from "./lib/cleanup.ts";
import type { Bench } from "./lib/result.ts";
import { megabytesPerSecond } from "./lib/stats.ts";
import { BenchServer } from "./transfer/bench-server.ts";
import { COMPETITORS, type Competitor } from "./transfer/competitors.ts";
import { type DataFile, type DataName, writeData } from "./transfer/data.ts";
import { type BrowserMemory, blankTab, type MemoryResult, watchTransfer } from "./transfer/memory.ts";
import { parseOptions, type TransferOptions } from "./transfer/options.ts";
import { buildPages } from "./transfer/pages-build.ts";
import { aimsOf, formatReport, isMet, type Measured, rowsOf } from "./transfer/report.ts";
import { type FirstByteSample, runRound, type Sample } from "./transfer/samples.ts";
import { type LoadedData, loadData, NO_SERVICE, openRelay, openStage, openTus } from "./transfer/stage.ts";

interface Prepared {
  readonly options: TransferOptions;
  readonly pages: string;
  readonly scratch: string;
  readonly data: ReadonlyMap<DataName, DataFile>;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function prepare(options: TransferOptions): Promise<Prepared> {
  const pages = await temporaryFolder("pages");
  const scratch = await temporaryFolder("data", options.folder);
  await buildPages(pages);
  const data = new Map<DataName, DataFile>();
  for (const name of ["incompressible", "mixed"] as const)
    data.set(name, await writeData(name, join(scratch, name), options.mib * MIB));
  return { options, pages, scratch, data };
}

async function timed({ options, pages, data }: Prepared): Promise<Pick<Measured, "samples" | "firstBytes">> {
  const competitors = COMPETITORS.filter(
    ({ name }) => options.only.length === 0 || options.only.some((wanted) => name.startsWith(wanted)),
  );
  const samples: Sample[] = [];
  const firstBytes: FirstByteSample[] = [];
  const stage = await openStage(pages, options.folder);
  try {
    const { server } = stage;
    const loaded = new Map<DataName, LoadedData>();
    for (const [name, file] of data) loaded.set(name, await loadData(server, name, file, name === "incompressible"));
    for (let round = 0; round < options.rounds; round++) {
      const uses = (service: Competitor["through"]) => competitors.some(({ through }) => through === service);
      const [relay, tus] = await Promise.all([
        uses("relay") ? openRelay(options.folder, options.profile) : NO_SERVICE,
        uses("tus") ? openTus(options.folder) : NO_SERVICE,
      ]);
      try {
        const done = await runRound(
          { ...stage, relay, tus },
          round,
          competitors,
          loaded,
          1000 * options.patienceSeconds,
          (sample) => {
            const speed = megabytesPerSecond(sample.bytes, sample.ms).toFixed(0);
            const foreign = sample.during?.foreignPercent.toFixed(0) ?? "?";
            tell(`round ${round + 1}: ${sample.competitor}, ${sample.data}: ${speed} MB/s (foreign load ${foreign} %)`);
          },
        );
        samples.push(...done.samples);
        firstBytes.push(...done.firstBytes);
      } finally {
        await relay.close();
        await tus.close();
      }
    }
  } finally {
    await stage.close();
  }
  return { samples, firstBytes };
}

async function watched({ options, pages, scratch, data }: Prepared): Promise<Pick<Measured, "memory" | "blank">> {
  const small = data.get("incompressible");
  if (options.largeMib === 0 || small === undefined) return { memory: [], blank: undefined };
  const large = await writeData("incompressible", join(scratch, "large"), options.largeMib * MIB);
  const memory: MemoryResult[] = [];
  const blank = await blankMemory(pages, options.folder);
  for (const path of ["webtransport", "tcp"] as const)
    for (const file of [small, large]) {
      memory.push(await watchTransfer(pages, options.folder, file, path));
      tell(`memory: ${path}, ${file.bytes / MIB} MiB: watched`);
    }
  return { memory, blank };
}

async function blankMemory(pages: string, folder: string | undefined): Promise<BrowserMemory> {
  const server = new BenchServer(pages);
  await server.listen();
  try {
    return await blankTab(`${server.url}/blank`, folder);
  } finally {
    server.close();
  }
}

export const run: Bench = async (args) => {
  const options = parseOptions(args);
  const prepared = await prepare(options);
  try {
    const measured: Measured = { ...(await timed(prepared)), ...(await watched(prepared)) };
    const aims = aimsOf(measured).map((aim) => ({ ...aim, met: isMet(aim) }));
    return {
      text: formatReport(measured),
      data: { options, rows: rowsOf(measured.samples), aims, ...measured },
      met: aims.every(({ met }) => met),
    };
  } finally {
    await removeFolder(prepared.scratch);
    await removeFolder(prepared.pages);
  }
};
