/**
 * Makes the kernels callable. The bytes come from the caller: a browser fetches them, Node reads the file, so nothing
 * here knows where it runs.
 *
 * @module
 */
import { assert } from "../core/failure.ts";

/** Bytes of WASM memory that one instance has, for good: nothing that is processed makes it grow. */
export const KERNEL_MEMORY_BYTES = 14 * 2 ** 20;

/** What the kernels do; addresses and lengths are in bytes. Each is described in kernels/assembly. */
interface KernelFunctions {
  cutCandidates(
    base: number,
    from: number,
    to: number,
    looseBits: number,
    strictBits: number,
    out: number,
    capacity: number,
  ): number;
  hashSlice(at: number, bytes: number, counter: bigint, isRoot: number, out: number): void;
  hashTree(cvs: number, count: number, isRoot: number): void;
  probeEntropy(at: number, bytes: number, out: number): number;
  compressLz4(src: number, bytes: number, dst: number, sizes: number): number;
  decompressLz4(src: number, bytes: number, dst: number, plainBytes: number): number;
}

type Address = "INPUT" | "INPUT_BYTES" | "OUTPUT" | "OUTPUT_BYTES" | "TABLE" | "END" | "LZ4_SLOT_BYTES";
type KernelExports = KernelFunctions & { readonly memory: WebAssembly.Memory } & Readonly<
    Record<Address, WebAssembly.Global>
  >;

/** One instance: the functions, its memory, and the addresses of its regions. Not to be shared between engines. */
export interface Kernels {
  readonly call: KernelFunctions;
  /** The whole memory; it never grows, so the view stays good. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Room for what a kernel reads, and its size. */
  readonly input: number;
  readonly inputBytes: number;
  /** Room for what a kernel writes, and its size. */
  readonly output: number;
  readonly outputBytes: number;
  /** Room for small tables. */
  readonly table: number;
  /** Distance between two compressed LZ4 blocks in the output. */
  readonly lz4SlotBytes: number;
}

/** Instantiates the kernels from kernels/dist/kernels.wasm. @throws Error when it is not that module */
export async function instantiateKernels(bytesOrModule: BufferSource | WebAssembly.Module): Promise<Kernels> {
  const module = await compile(bytesOrModule);
  const instance = await WebAssembly.instantiate(module);
  const exports = instance.exports as unknown as KernelExports;
  const bytes = new Uint8Array(exports.memory.buffer as ArrayBuffer);
  const address = (global: WebAssembly.Global): number => Number(global.value);
  assert(bytes.length === KERNEL_MEMORY_BYTES && address(exports.END) <= bytes.length, "the layout fits the memory");
  return {
    call: exports,
    bytes,
    input: address(exports.INPUT),
    inputBytes: address(exports.INPUT_BYTES),
    output: address(exports.OUTPUT),
    outputBytes: address(exports.OUTPUT_BYTES),
    table: address(exports.TABLE),
    lz4SlotBytes: address(exports.LZ4_SLOT_BYTES),
  };
}

/** A module from bytes; a module is given back as it is. */
export async function compile(bytesOrModule: BufferSource | WebAssembly.Module): Promise<WebAssembly.Module> {
  return bytesOrModule instanceof WebAssembly.Module ? bytesOrModule : WebAssembly.compile(bytesOrModule);
}
