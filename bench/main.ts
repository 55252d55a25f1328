/**
 * Runs the benchmarks: all, or those named first on the command line; what follows goes to each.
 *
 * @module
 */
import { type Bench, writeResult } from "./lib/result.ts";

/** By name, loaded when run. Each module gives its bench as `run`. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: Bench }>>> = {
  engine: () => import("./engine.ts"),
  faults: () => import("./faults.ts"),
  kernels: () => import("./kernels.ts"),
  portals: () => import("./portals.ts"),
  schedule: () => import("./schedule.ts"),
  transfer: () => import("./transfer.ts"),
};

const first = process.argv.slice(2).findIndex((argument) => argument.startsWith("-"));
const names = process.argv.slice(2, first === -1 ? undefined : 2 + first);
const options = first === -1 ? [] : process.argv.slice(2 + first);

const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(`No bench is called ${unknown.join(", ")}. There are: ${Object.keys(BENCHES).join(", ")}\n`);
  process.exit(1);
}
for (const [name, load] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const { run } = await load();
  const result = await run(options);
  process.stdout.write(`\n${result.text}\n\nwritten to ${writeResult(result.name ?? name, result)}\n`);
}
process.exit(0);
