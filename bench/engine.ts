/**
 * The engine bench: each shader on resident data, copies to the device and back, the GPU engine as the product uses it,
 * and the processor at the same work, in the same rounds; in Node or in a browser. See bench/README.md for what is
 * measured and how.
 *
 * @module
 */
import { aimsOf } from "./engine/aims.ts";
import { measureInBrowser } from "./engine/browser.ts";
import { measureInNode } from "./engine/node.ts";
import { parseOptions } from "./engine/options.ts";
import { withProgramRatios } from "./engine/program.ts";
import { formatReport, type Head } from "./engine/report.ts";
import { loadKernelData } from "./kernels/data.ts";
import { measureLoad } from "./lib/load.ts";
import type { Bench } from "./lib/result.ts";

function tell(line: string): void {
  process.stderr.write(`engine bench: ${line}\n`);
}

/** Verifies everything once, then measures it in interleaved rounds. */
export const run: Bench = async (args) => {
  const { chromiumArgs, ...extent } = parseOptions(args);
  let load = measureLoad();
  let foreignPercent: number | undefined;
  const report = {
    tell,
    began: (): void => {
      load = measureLoad();
    },
    // A process that has ended by then would count as somebody else's.
    ended: (): void => {
      foreignPercent = load()?.foreignPercent;
    },
  };
  const { rows: found, ...where } = await (chromiumArgs === undefined
    ? measureInNode(extent, report)
    : measureInBrowser(extent, chromiumArgs, report));
  const { rounds, cpuMib } = extent;
  const rows = withProgramRatios(found, loadKernelData(), { residentMib: where.residentMib, cpuMib });
  const aims = aimsOf(rows, where.kind === "hardware");
  const head: Head = { ...where, rounds, cpuMib, foreignPercent };
  return {
    ...(chromiumArgs !== undefined && { name: "engine in a browser" }),
    text: formatReport(rows, aims, head),
    data: { ...head, aims, rows },
    met: aims.every(({ verdict }) => verdict !== "NOT MET"),
  };
};
