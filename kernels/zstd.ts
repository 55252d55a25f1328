/**
 * Zstandard at level 1, and its bounded decoder: a small glue of our own around the WASM of the zstd library package,
 * whose own glue fetches by itself and asks for up to 2 GiB. The build keeps the file's digest, because its exports have
 * the one-letter names of exactly that build.
 *
 * @module
 */
import { checkZstdFrame } from "../core/compress/zstd-frame.ts";
import { assert, Failure } from "../core/failure.ts";
import { MAX_CHUNK_BYTES, MIB, RUN_BYTES } from "../core/units.ts";
import { compile } from "./loader.ts";

/** Bytes of WASM memory that one instance may grow to. */
const ZSTD_MEMORY_CAP_BYTES = 32 * MIB;
const PAGE_BYTES = 64 * 1024;
/** The fastest level with the ratio that Zstandard is chosen for. */
const LEVEL = 1;

/** The library's functions behind their letters. Pointers and sizes are u32; a zero pointer means no memory. */
interface Library {
  readonly memory: WebAssembly.Memory;
  isError(code: number): number;
  compressBound(bytes: number): number;
  createCompressor(): number;
  compress(
    context: number,
    dst: number,
    capacity: number,
    src: number,
    bytes: number,
    dictionary: 0,
    dictionaryBytes: 0,
    level: number,
  ): number;
  createDecompressor(): number;
  decompress(
    context: number,
    dst: number,
    capacity: number,
    src: number,
    bytes: number,
    dictionary: 0,
    dictionaryBytes: 0,
  ): number;
  allocate(bytes: number): number;
  free(pointer: number): void;
}

/** Zstandard for runs of at most MAX_CHUNK_BYTES. */
export interface Zstd {
  /** One frame, as a view that is good until the next call. @param bytes borrowed @throws Failure `engine/failed` */
  compress(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /**
   * Exactly `plainBytes` bytes, given.
   * @param frame borrowed
   * @throws Failure `chunk/mismatch` when it is anything but one frame of that many bytes
   */
  decompress(frame: Uint8Array, plainBytes: number): Uint8Array<ArrayBuffer>;
}

/** Instantiates Zstandard from kernels/dist/zstd.wasm. @throws Error when it is not that module */
export async function instantiateZstd(bytesOrModule: BufferSource | WebAssembly.Module): Promise<Zstd> {
  const module = await compile(bytesOrModule);
  let memory: WebAssembly.Memory | undefined;
  const stop = (): never => {
    throw new Failure("engine/failed", { codec: "zstd" });
  };
  const imports = {
    /** proc_exit */
    a: stop,
    /** runtime_keepalive_clear */
    b: () => {},
    /** abort */
    c: stop,
    /** setitimer: the library never sets one */
    d: () => 0,
    /** resize_heap: grows to what is asked for, within the cap */
    e: (bytes: number): number => {
      if (memory === undefined || bytes >>> 0 > ZSTD_MEMORY_CAP_BYTES) return 0;
      memory.grow(Math.ceil(((bytes >>> 0) - memory.buffer.byteLength) / PAGE_BYTES));
      return 1;
    },
  };
  const { exports } = await WebAssembly.instantiate(module, { a: imports });
  memory = exports["f"] as WebAssembly.Memory;
  (exports["g"] as () => void)(); // constructors
  return new ZstdInstance({
    memory,
    isError: exports["h"] as Library["isError"],
    compressBound: exports["i"] as Library["compressBound"],
    createCompressor: exports["j"] as Library["createCompressor"],
    compress: exports["l"] as Library["compress"],
    createDecompressor: exports["n"] as Library["createDecompressor"],
    decompress: exports["q"] as Library["decompress"],
    allocate: exports["s"] as Library["allocate"],
    free: exports["t"] as Library["free"],
  });
}

class ZstdInstance implements Zstd {
  readonly #library: Library;
  readonly #compressor: number;
  readonly #decompressor: number;
  readonly #src: Room;
  readonly #dst: Room;

  constructor(library: Library) {
    this.#library = library;
    this.#compressor = library.createCompressor();
    this.#decompressor = library.createDecompressor();
    if (this.#compressor === 0 || this.#decompressor === 0) throw new Failure("engine/failed", { codec: "zstd" });
    this.#src = new Room(library);
    this.#dst = new Room(library);
  }

  compress(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    assert(bytes.length <= MAX_CHUNK_BYTES, "a run fits");
    const bound = this.#library.compressBound(bytes.length);
    const [src, dst] = [this.#src.hold(bytes.length), this.#dst.hold(bound)];
    this.#view(src, bytes.length).set(bytes);
    const size = this.#library.compress(this.#compressor, dst, bound, src, bytes.length, 0, 0, LEVEL);
    if (this.#library.isError(size) !== 0) throw new Failure("engine/failed", { codec: "zstd" });
    return this.#view(dst, size);
  }

  decompress(frame: Uint8Array, plainBytes: number): Uint8Array<ArrayBuffer> {
    checkZstdFrame(frame, plainBytes);
    const tooLarge = plainBytes > MAX_CHUNK_BYTES || frame.length > this.#library.compressBound(MAX_CHUNK_BYTES);
    if (tooLarge) throw new Failure("chunk/mismatch", { codec: "zstd", what: "size" });
    const [src, dst] = [this.#src.hold(frame.length), this.#dst.hold(plainBytes)];
    this.#view(src, frame.length).set(frame);
    const size = this.#library.decompress(this.#decompressor, dst, plainBytes, src, frame.length, 0, 0);
    if (size !== plainBytes) throw new Failure("chunk/mismatch", { codec: "zstd", what: "data" });
    return this.#view(dst, size).slice();
  }

  #view(at: number, bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#library.memory.buffer as ArrayBuffer, at, bytes);
  }
}

/** A buffer in the library's memory that is reused from call to call. */
class Room {
  readonly #library: Library;
  #at = 0;
  #bytes = 0;

  constructor(library: Library) {
    this.#library = library;
  }

  /** Its address, with room for at least `bytes` bytes. */
  hold(bytes: number): number {
    if (this.#at !== 0 && bytes <= this.#bytes) return this.#at;
    if (this.#at !== 0) this.#library.free(this.#at);
    this.#bytes = Math.max(bytes, RUN_BYTES);
    this.#at = this.#library.allocate(this.#bytes);
    if (this.#at === 0) throw new Failure("engine/failed", { codec: "zstd" });
    return this.#at;
  }
}
