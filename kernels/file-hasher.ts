/**
 * BLAKE3 of a file of any size, slice by slice. Whole subtrees of 64 KiB are hashed as soon as it is known that more
 * follows; their chaining values wait on a stack of one for each level.
 *
 * @module
 */
import { assert } from "../core/failure.ts";
import type { FileHasher } from "../core/ports/engine.ts";
import type { Kernels } from "./loader.ts";

const SUBTREE_BYTES = 64 * 1024;
const SUBTREE_LEAVES = SUBTREE_BYTES / 1024;
const CV_BYTES = 32;

/** Several may run at once over the same kernels: their state lies outside the kernels' memory. */
export function createFileHasher(kernels: Kernels): FileHasher {
  return new KernelFileHasher(kernels);
}

class KernelFileHasher implements FileHasher {
  readonly #kernels: Kernels;
  readonly #waiting = new Uint8Array(SUBTREE_BYTES);
  #waitingBytes = 0;
  readonly #stack: Uint8Array[] = [];
  /** Subtrees hashed so far. */
  #subtrees = 0;
  #done = false;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  update(bytes: Uint8Array): void {
    assert(!this.#done, "the hasher is not used after its digest");
    for (let at = 0; at < bytes.length; ) {
      if (this.#waitingBytes === SUBTREE_BYTES) {
        this.#push(this.#hashSlice(this.#waiting, false));
        this.#waitingBytes = 0;
      }
      // Straight from the caller's bytes while more than a subtree is left of them.
      for (; this.#waitingBytes === 0 && bytes.length - at > SUBTREE_BYTES; at += SUBTREE_BYTES) {
        this.#push(this.#hashSlice(bytes.subarray(at, at + SUBTREE_BYTES), false));
      }
      const take = Math.min(SUBTREE_BYTES - this.#waitingBytes, bytes.length - at);
      this.#waiting.set(bytes.subarray(at, at + take), this.#waitingBytes);
      this.#waitingBytes += take;
      at += take;
    }
  }

  digest(): Uint8Array<ArrayBuffer> {
    assert(!this.#done, "the hasher is not used after its digest");
    this.#done = true;
    let node = this.#hashSlice(this.#waiting.subarray(0, this.#waitingBytes), this.#stack.length === 0);
    for (let left = this.#stack.pop(); left !== undefined; left = this.#stack.pop()) {
      node = this.#join(left, node, this.#stack.length === 0);
    }
    return node;
  }

  /** A bit of the number of subtrees is set for each complete tree on the stack; adding one carries. */
  #push(cv: Uint8Array<ArrayBuffer>): void {
    let node = cv;
    for (let rest = this.#subtrees; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#stack.pop();
      assert(left !== undefined, "the stack holds a tree for each bit");
      node = this.#join(left, node, false);
    }
    this.#stack.push(node);
    this.#subtrees += 1;
  }

  #hashSlice(slice: Uint8Array, isRoot: boolean): Uint8Array<ArrayBuffer> {
    const { call, bytes, input, table } = this.#kernels;
    bytes.set(slice, input);
    call.hashSlice(input, slice.length, BigInt(this.#subtrees * SUBTREE_LEAVES), Number(isRoot), table);
    return bytes.slice(table, table + CV_BYTES);
  }

  #join(left: Uint8Array, right: Uint8Array, isRoot: boolean): Uint8Array<ArrayBuffer> {
    const { call, bytes, table } = this.#kernels;
    bytes.set(left, table);
    bytes.set(right, table + CV_BYTES);
    call.hashTree(table, 2, Number(isRoot));
    return bytes.slice(table, table + CV_BYTES);
  }
}
