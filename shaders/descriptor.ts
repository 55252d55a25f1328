/**
 * What a host must know to run a shader: its source, what each binding is, its constants, and how many workgroups cover
 * how much work. Nothing here touches a device.
 *
 * Conventions of every shader: one entry point `main`; bindings are group 0, numbered in the order of `bindings`; byte
 * strings are `array<u32>`, little-endian, and readable for DATA_PADDING_BYTES behind their last byte; offsets and
 * lengths are in bytes unless a name says words.
 *
 * @module
 */

/** How a shader uses a binding: storage that it reads, storage that it writes (and may read), or a uniform block. */
export type BindingKind = "read" | "write" | "uniform";

/** One shader with its constants fixed. */
export interface ShaderDescriptor {
  /** File name without `.wgsl`. */
  readonly name: string;
  readonly source: string;
  readonly bindings: readonly BindingKind[];
  /** Values of the shader's `override` constants; some belong to the variant. */
  readonly overrides: Readonly<Record<string, number>>;
  /** Invocations of one workgroup. */
  readonly workgroupInvocations: number;
  /** Workgroup memory, bytes; an adapter with less needs another variant. */
  readonly workgroupBytes: number;
}

/** Readable bytes behind the end of every byte string: unaligned loads read one word on, vector loads four. */
export const DATA_PADDING_BYTES = 32;

/** Most workgroups in one dimension of a dispatch, on every device. */
const MAX_WORKGROUPS = 65_535;

/**
 * The grid for `count` workgroups: x, and y once x is full. A shader numbers its workgroup `x + y * num_workgroups.x` and
 * leaves numbers from its own count on alone.
 */
export function gridFor(count: number): readonly [x: number, y: number] {
  const x = Math.min(Math.max(1, count), MAX_WORKGROUPS);
  return [x, Math.ceil(Math.max(1, count) / x)];
}
