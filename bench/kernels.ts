/**
 * The kernels bench: one core's speed at each stage of the CPU engine, beside the best package of the registry for the
 * same work, in the same rounds. Numbers include copying into and out of WASM memory on both sides.
 *
 * @module
 */
import { getChunks } from "@huggingface/xetchunk-wasm";
import { hash as jitHash } from "blake3-jit";
import { decompress as fzstdDecompress } from "fzstd";
import { Hasher } from "gearhash-jit";
import { compress as lz4WasmCompress, decompress as lz4WasmDecompress } from "lz4-wasm/lz4_wasm.js";
import { decompress as lz4jsDecompress } from "lz4js";
import { cutSizesFor } from "../core/chunk/cut-sizes.ts";
import { gearFinder } from "../core/chunk/gear.ts";
import { cutEnds } from "../core/chunk/select-cuts.ts";
import type { Codec, Engine } from "../core/ports/engine.ts";
import { MIB } from "../core/units.ts";
import { loadEngine, loadKernels } from "../tests/support/kernels.ts";
import { type KernelData, loadKernelData } from "./kernels/data.ts";
import { measureLoad } from "./lib/load.ts";
import type { Bench } from "./lib/result.ts";
import { median, megabytesPerSecond, rotated } from "./lib/stats.ts";
import { cell, formatTable } from "./lib/table.ts";

const ROUNDS = 3;
/** Each sample repeats its work until this long has passed. */
const SAMPLE_MS = 150;
/** Bytes that are compressed together. */
const RUN = MIB;
/** How many times faster than the best package each kind must be. */
const LEAST_RATIO: Readonly<Record<string, number>> = { hash: 1.2, cut: 1.3, fused: 2, lz4: 1.2 };

/** Sixteen bits: a match in 64 KiB. */
const XET_MASK = 0xffff_0000_0000_0000n;

type Work = () => unknown;
interface Contest {
  readonly name: string;
  /** Key of the aim that the ratio is held against, if there is one. */
  readonly aim?: string;
  /** Bytes of input (plain bytes for decoders) that each work goes through. */
  readonly bytes: number;
  readonly own: Work;
  /** The best of others; undefined where the row is only for information. */
  readonly peer?: { readonly name: string; readonly work: Work };
  /** Plain bytes for each compressed byte. */
  readonly ratio?: number;
}

/** Runs the contests in interleaved rounds. */
export const run: Bench = async () => {
  const contests = await prepare();
  const samples = contests.map(() => ({ own: [] as number[], peer: [] as number[] }));
  const load = measureLoad();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, { own, peer, bytes }] of rotated([...contests.entries()], round)) {
      const ownSpeed = await speed(own, bytes);
      const peerSpeed = peer && (await speed(peer.work, bytes));
      if (round === 0) continue; // the compilers warm up
      samples[i]?.own.push(ownSpeed);
      if (peerSpeed !== undefined) samples[i]?.peer.push(peerSpeed);
    }
  }
  const rows = contests.map(({ name, aim, peer, ratio }, i) => {
    const own = median(samples[i]?.own ?? []);
    const peerSpeed = peer && median(samples[i]?.peer ?? []);
    const least = aim === undefined ? undefined : LEAST_RATIO[aim];
    const speedRatio = peerSpeed && own / peerSpeed;
    return { name, own, peer: peer?.name, peerSpeed, speedRatio, least, ratio };
  });
  const head = ["kernel", "MB/s", "peer", "MB/s", "ratio", "aim", "x smaller"];
  const text = formatTable(
    head,
    rows.map(({ name, own, peer, peerSpeed, speedRatio, least, ratio }) => {
      return [name, cell(own), peer ?? "-", cell(peerSpeed), cell(speedRatio, 2), cell(least, 1), cell(ratio, 2)];
    }),
  );
  const foreignPercent = load()?.foreignPercent;
  const met = rows.every(({ speedRatio, least }) => least === undefined || (speedRatio ?? 0) >= least);
  return {
    text: `${text}\n\nbytes per second of one core's time, medians of ${ROUNDS}; foreign load ${cell(foreignPercent)} %`,
    data: { foreignPercent, rows, samples },
    met,
  };
};

/** By the processor time of this thread, which other processes do not lengthen as they do the time on the wall. */
async function speed(work: Work, bytes: number): Promise<number> {
  const before = threadMs();
  let times = 0;
  do {
    await work();
    times += 1;
  } while (threadMs() - before < SAMPLE_MS);
  return megabytesPerSecond(bytes * times, threadMs() - before);
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function prepare(): Promise<Contest[]> {
  const engine = await loadEngine();
  const data = loadKernelData();
  return [...hashContests(engine, data), ...(await cutContests(engine, data)), ...(await codecContests(engine, data))];
}

function slicesOf(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

function hashContests(engine: Engine, { random }: KernelData): Contest[] {
  const contest = (name: string, size: number): Contest => {
    const slices = slicesOf(random, size);
    const ends = Uint32Array.from(slices, (_, i) => (i + 1) * size);
    return {
      name,
      aim: "hash",
      bytes: slices.length * size,
      own: () => engine.hash(random, ends),
      peer: { name: "blake3-jit", work: () => slices.map((slice) => jitHash(slice)) },
    };
  };
  const streamed = (): Uint8Array => {
    const hasher = engine.createFileHasher();
    for (const slice of slicesOf(random, MIB)) hasher.update(slice);
    return hasher.digest();
  };
  const whole = { name: "blake3-jit", work: () => jitHash(random) };
  return [
    contest("hash, 1 MiB chunks", MIB),
    contest("hash, 64 KiB chunks", 65_400),
    { name: "hash, whole file", bytes: random.length, own: streamed, peer: whole },
  ];
}

async function cutContests(engine: Engine, { random, text }: KernelData): Promise<Contest[]> {
  const sizes = cutSizesFor(0);
  const { call, bytes, input, table } = await loadKernels();
  const find = (from: number, to: number, bits: number): number =>
    from < to && call.cutCandidates(input, input + from, input + to, bits, bits, table, 1) > 0
      ? new DataView(bytes.buffer).getUint32(table, true) % 2 ** 31
      : -1;
  const contest = (name: string, data: Uint8Array<ArrayBuffer>): Contest[] => {
    const scan = (): number[] => {
      bytes.set(data, input);
      return [...cutEnds(find, data.length, sizes, true)];
    };
    const plain = (): number[] => [...cutEnds(gearFinder(data), data.length, sizes, true)];
    const separate = (): Uint8Array[] => {
      const ends = plain();
      return ends.map((end, i) => jitHash(data.subarray(ends[i - 1] ?? 0, end)));
    };
    // A package's own rule for cuts, at the same average: what counts is the pace of the search.
    const packaged = (): number => {
      const hasher = new Hasher(XET_MASK);
      let chunks = 0;
      for (let start = 0; start < data.length; chunks++) {
        hasher.resetHash();
        const from = Math.min(start + sizes.minBytes, data.length);
        const found = hasher.nextMatch(data.subarray(from, start + sizes.maxBytes));
        start = found < 0 ? start + sizes.maxBytes : from + found;
      }
      return chunks;
    };
    const fused: Work = () => engine.cut(data, [{ start: 0, end: data.length, final: true }], sizes);
    return [
      { name: `cut, ${name}`, aim: "cut", bytes: data.length, own: scan, peer: { name: "gear in JS", work: plain } },
      {
        name: `cut, ${name}`,
        aim: "cut",
        bytes: data.length,
        own: scan,
        peer: { name: "gearhash-jit", work: packaged },
      },
      {
        name: `cut + hash, ${name}`,
        bytes: data.length,
        own: fused,
        peer: { name: "gear in JS + blake3-jit", work: separate },
      },
      {
        name: `cut + hash, ${name}`,
        aim: "fused",
        bytes: data.length,
        own: fused,
        peer: { name: "xetchunk-wasm", work: () => getChunks(data) },
      },
    ];
  };
  return [...contest("random", random), ...contest("text", text)];
}

async function codecContests(engine: Engine, data: KernelData): Promise<Contest[]> {
  const contests: Contest[] = [];
  for (const name of ["text", "code", "random"] as const) {
    const runs = slicesOf(data[name], RUN);
    const ranges = runs.map((_, i) => ({ start: i * RUN, end: (i + 1) * RUN }));
    const bytes = runs.length * RUN;
    const each = (codec: Exclude<Codec, "none">) => engine.compress(data[name], ranges, codec);
    const [lz4, zstd] = [await each("lz4"), await each("zstd")];
    const ratio = (packed: readonly (Uint8Array | undefined)[]): number =>
      bytes / packed.reduce((sum, one, i) => sum + (one ?? runs[i] ?? new Uint8Array(0)).length, 0);
    const lz4Peer = { name: "lz4-wasm", work: () => runs.map((plain) => lz4WasmCompress(plain)) };
    const aim = name === "random" ? {} : { aim: "lz4" };
    contests.push({ name: `lz4, ${name}`, ...aim, bytes, own: () => each("lz4"), peer: lz4Peer, ratio: ratio(lz4) });
    contests.push({ name: `zstd, ${name}`, bytes, own: () => each("zstd"), ratio: ratio(zstd) });
    if (name === "random") continue;
    const back = (codec: Exclude<Codec, "none">, packed: readonly (Uint8Array | undefined)[]) => () =>
      Promise.all(packed.map((one) => one && engine.decompress(one, codec, RUN)));
    const peerPacked = runs.map((plain) => lz4WasmCompress(plain));
    const unlz4Peer = { name: "lz4-wasm", work: () => peerPacked.map((packed) => lz4WasmDecompress(packed)) };
    const lz4jsPeer = { name: "lz4js", work: () => lz4.map((packed) => packed && lz4jsDecompress(packed)) };
    const unzstdPeer = { name: "fzstd", work: () => zstd.map((packed) => packed && fzstdDecompress(packed)) };
    contests.push({ name: `unlz4, ${name}`, bytes, own: back("lz4", lz4), peer: unlz4Peer });
    if (name === "text") contests.push({ name: "unlz4, text", bytes, own: back("lz4", lz4), peer: lz4jsPeer });
    contests.push({ name: `unzstd, ${name}`, bytes, own: back("zstd", zstd), peer: unzstdPeer });
  }
  return contests;
}
