/**
 * What Node has of WebAssembly and its type packages leave to the DOM library: just what the kernels' loader uses when
 * the command line runs it. Only tsconfig.node.json reads this file.
 */
declare namespace WebAssembly {
  class Module {
    private readonly brand: never;
  }
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  interface Global {
    value: unknown;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function compile(bytes: BufferSource): Promise<Module>;
  function instantiate(module: Module, imports?: Record<string, Record<string, unknown>>): Promise<Instance>;
}
type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
