/**
 * Runs competitors in rounds and notes every sample, with the load that others put on the machine.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import type { PathKind } from "../../core/transfer/snapshot.ts";
import { KIB, MIB } from "../../core/units.ts";
import { type Grouping, idleLoad, type Load, measureLoad } from "../lib/load.ts";
import { rotated } from "../lib/stats.ts";
import { type Competitor, type Field, type FirstByte, firstByte, type Outcome, ours } from "./competitors.ts";
import type { DataName } from "./data.ts";
import type { LoadedData } from "./stage.ts";

export interface Sample extends Outcome {
  readonly competitor: string;
  readonly data: DataName;
  readonly round: number;
  readonly before: Load | undefined;
  readonly during: Load | undefined;
}

export interface FirstByteSample extends FirstByte {
  readonly path: PathKind;
  readonly bytes: number;
  readonly round: number;
}

/** Files whose first byte is timed: one that fits one small pack, one that fills several. */
export const FIRST_BYTE_SIZES = [64 * KIB, 16 * MIB] as const;

export interface Round {
  readonly samples: readonly Sample[];
  readonly firstBytes: readonly FirstByteSample[];
}

/** Names of the parts of processor time, in the order of the data. */
export const CPU_GROUPS = ["sender page", "sender browser", "server", "receiver browser", "receiver page"] as const;

/** Sorts processes: the two browsers' pages and the rest of them (network and storage), and the servers between. */
function groupingOf({ sender, receiver, relay, tus }: Field): Grouping {
  const groups = new Map<number, (typeof CPU_GROUPS)[number]>();
  return (pid) => {
    if (groups.size === 0) {
      const [from, to] = [sender.processes(), receiver.processes()];
      for (const each of from.all) groups.set(each, "sender browser");
      for (const each of to.all) groups.set(each, "receiver browser");
      for (const each of from.renderers) groups.set(each, "sender page");
      for (const each of to.renderers) groups.set(each, "receiver page");
      for (const each of [relay.pid, tus.pid]) groups.set(each, "server");
    }
    return groups.get(pid);
  };
}

async function tidy({ server }: Field, keep: readonly string[]): Promise<void> {
  await Promise.all([
    server.order("sender", "clean", { keep }).answer,
    server.order("receiver", "clean", { keep: [] }).answer,
  ]);
  // What one competitor wrote must not be flushed at the expense of the next.
  spawnSync("sync");
}

/** One round: every competitor once, in this round's order. `told` gets each sample as it is there. */
export async function runRound(
  field: Field,
  round: number,
  competitors: readonly Competitor[],
  data: ReadonlyMap<DataName, LoadedData>,
  patienceMs: number,
  told: (sample: Sample) => void,
): Promise<Round> {
  const keep = [...data.values()].map(({ name }) => name);
  const samples: Sample[] = [];
  const firstBytes: FirstByteSample[] = [];
  const [some] = keep;
  for (const path of ["webtransport", "tcp"] as const) {
    const used = competitors.some(({ name }) => name === ours(path, "mixed").name);
    // The first of each warms up the relay and is not counted.
    for (const bytes of used && some !== undefined ? [MIB, ...FIRST_BYTE_SIZES] : []) {
      const first = await firstByte(field, some ?? "", bytes, path);
      if (bytes !== MIB) firstBytes.push({ ...first, path, bytes, round });
      await tidy(field, keep);
    }
  }
  for (const competitor of rotated(competitors, round)) {
    const loaded = data.get(competitor.data);
    if (loaded === undefined) continue;
    const before = await idleLoad(patienceMs);
    const load = measureLoad(groupingOf(field));
    const { outcome, verify } = await competitor.run(field, loaded);
    const during = load();
    await verify();
    const sample = { ...outcome, competitor: competitor.name, data: competitor.data, round, before, during };
    samples.push(sample);
    told(sample);
    await tidy(field, keep);
  }
  return { samples, firstBytes };
}
