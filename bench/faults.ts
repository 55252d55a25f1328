/**
 * The faults bench: how soon a transfer goes on after each fault and what it sends twice, what lines with loss and
 * delay leave of each path, and what one relay bears. See bench/README.md for what is measured and how.
 *
 * @module
 */
import { CELLS, measureLines, QUICK_CELLS } from "./faults/lines.ts";
import { parseOptions } from "./faults/options.ts";
import { measureRecovery } from "./faults/recovery.ts";
import { formatRelay, measureRelay, relayAims } from "./faults/relay-capacity.ts";
import { type Aim, formatAims, formatLines, formatRecovery, isMet, lineAims, recoveryAims } from "./faults/report.ts";
import type { Bench } from "./lib/result.ts";

function tell(what: object): void {
  process.stderr.write(`${JSON.stringify(what)}\n`);
}

export const run: Bench = async (args) => {
  const options = parseOptions(args);
  const data: Record<string, object> = { options };
  const parts: string[] = [];
  const aims: Aim[] = [];
  if (options.parts.includes("recovery")) {
    const samples = await measureRecovery(options.rounds, options.isQuick, tell);
    data["recovery"] = samples;
    parts.push(formatRecovery(samples));
    aims.push(...recoveryAims(samples));
  }
  if (options.parts.includes("lines")) {
    const samples = await measureLines(options.isQuick ? QUICK_CELLS : CELLS, options.seconds, tell);
    data["lines"] = samples ?? [];
    parts.push(samples === undefined ? "lines: this machine permits no network namespaces" : formatLines(samples));
    aims.push(...lineAims(samples ?? []));
  }
  if (options.parts.includes("relay")) {
    const sample = await measureRelay(options.isQuick);
    data["relay"] = sample;
    parts.push(formatRelay(sample));
    aims.push(...relayAims(sample));
  }
  data["aims"] = aims.map((aim) => ({ ...aim, met: isMet(aim) }));
  return { text: [...parts, formatAims(aims)].join("\n\n"), data, met: aims.every(isMet) };
};
