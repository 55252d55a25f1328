/**
 * The aims of the engines and what the rows say of them.
 *
 * @module
 */
import type { Row, Subject } from "./contest.ts";
import type { DataName } from "./data.ts";

/** Names of the rows of the processor that aims speak of. */
export const HASH_OWN = "hash, 1 MiB slices";
export const HASH_PEERS = ["hash, blake3-jit", "hash, hash-wasm"] as const;
export const HASH_PROGRAM = "hash, b3sum --num-threads 1";
export const LZ4_OWN = "lz4, 1 MiB runs";
export const LZ4_PEER = "lz4, lz4-wasm";

/** Something to reach: `value` at least `least`. */
export interface Aim {
  readonly what: string;
  readonly value: number | undefined;
  readonly least: number;
  readonly verdict: "met" | "NOT MET" | "not judged";
}

const COMPRESSIBLE = ["text", "code"] as const;

/** The first row that has these properties. */
export function find(rows: readonly Row[], wanted: Partial<Subject>): Row | undefined {
  return rows.find((row) => Object.entries(wanted).every(([key, value]) => row[key as keyof Subject] === value));
}

/** By the device's clock where it has one: the other also counts how long it takes to start. */
function deviceSpeed(row: Row | undefined): number | undefined {
  return row && (row.device ?? row.wall);
}

/** All aims; those of a GPU are judged only on a real one (`isHardware`). */
export function aimsOf(rows: readonly Row[], isHardware: boolean): Aim[] {
  const aims: Aim[] = [];
  const add = (what: string, value: number | undefined, least: number, isJudged = true): void => {
    const isMet = value !== undefined && value >= least;
    aims.push({
      what,
      value,
      least,
      verdict: value === undefined || !isJudged ? "not judged" : isMet ? "met" : "NOT MET",
    });
  };
  const addGpu = (what: string, value: number | undefined, least: number): void => add(what, value, least, isHardware);

  const stageSpeed = (wanted: Partial<Subject>) => scaled(deviceSpeed(find(rows, { part: "stage", ...wanted })));
  addGpu("GPU: hash, GB/s", stageSpeed({ name: "hash, 64 KiB slices" }), 300);
  addGpu("GPU: cut candidates, GB/s", stageSpeed({ name: "cut-candidates" }), 300);
  for (const data of COMPRESSIBLE) {
    const wanted = { part: "stage", name: "compress-lz4", data } as const;
    addGpu(`GPU: LZ4, ${data}, GB/s`, stageSpeed(wanted), 10);
    addGpu(`GPU: LZ4, ${data}, ratio / lz4 -1`, ratioToProgram(find(rows, wanted)), 0.9);
  }
  const cuts = rows.filter(({ part, name }) => part === "pipeline" && name === "cut + hash");
  const best = cuts.toSorted((a, b) => b.wall - a.wall)[0];
  addGpu("GPU: host to cuts and digests, GB/s", scaled(best?.wall), 4);
  addGpu("GPU: the same / copy limit", best && shareOfCopies(rows, best), 0.7);
  for (const name of ["cut + hash", "cut + hash + lz4"]) {
    addGpu(`GPU: ${name} / one CPU thread, from 1 MiB up`, leastLead(rows, name), 1);
  }

  const speed = (name: string, data?: DataName) => find(rows, { part: "cpu", name, ...(data && { data }) })?.wall;
  const packages = HASH_PEERS.map((name) => speed(name)).filter((peer) => peer !== undefined);
  const bestPackage = packages.length === 0 ? undefined : Math.max(...packages);
  add("CPU: BLAKE3 / best package", quotient(speed(HASH_OWN), bestPackage), 1.2);
  add("CPU: BLAKE3 / b3sum on one thread", quotient(speed(HASH_OWN), speed(HASH_PROGRAM)), 0.3);
  for (const data of COMPRESSIBLE) {
    add(`CPU: LZ4, ${data} / best package`, quotient(speed(LZ4_OWN, data), speed(LZ4_PEER, data)), 1.2);
    add(`CPU: LZ4, ${data}, ratio / lz4 -1`, ratioToProgram(find(rows, { part: "cpu", name: LZ4_OWN, data })), 0.98);
  }
  return aims;
}

/** Of the speed at which as many bytes, as many at a time, travel to the device and back. */
export function shareOfCopies(rows: readonly Row[], { wall, mib, inFlight }: Row): number | undefined {
  const copies = rows.find((row) => row.name === "upload + readback" && row.mib === mib && row.inFlight === inFlight);
  return quotient(wall, copies?.wall);
}

/** How many times quicker than one CPU thread the engine is with one call in flight, at its worst batch. */
function leastLead(rows: readonly Row[], name: string): number | undefined {
  const cpu = find(rows, { part: "cpu", name })?.wall;
  const own = rows.filter((row) => row.part === "pipeline" && row.name === name && row.inFlight === 1);
  return own.length === 0 ? undefined : quotient(Math.min(...own.map(({ wall }) => wall)), cpu);
}

function ratioToProgram(row: Row | undefined): number | undefined {
  return quotient(row?.smaller, row?.smallerByProgram);
}

/** In GB/s. */
function scaled(speed: number | undefined): number | undefined {
  return speed && speed / 1000;
}

function quotient(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}
