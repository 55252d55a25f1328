/**
 * Merkle trees over 32-byte leaves with SHA-256: over the sealed packs' hashes (public) and over a file's chunk hashes
 * (its identity). Leaf, parent and root are hashed in separate contexts and so are the two uses; the number of leaves is
 * part of the root; an odd node is carried up and never doubled.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat } from "../bytes.ts";
import { assert } from "../failure.ts";

/** What a tree stands for. */
export type MerkleContext = "packs" | "chunks";

/** SHA-256, u8[32]. */
export type Hash32 = Uint8Array<ArrayBuffer>;

const HASH_BYTES = 32;

/** Sixteen bytes before every input; with them a leaf still fits one block of SHA-256. */
const TAGS = { packs: ascii("warp/1/packs\0\0\0\0"), chunks: ascii("warp/1/chunks\0\0\0") } as const;
const LEAF = 0;
const PARENT = 1;
const ROOT = 2;

function hashNode(context: MerkleContext, kind: number, left: Uint8Array, right: Uint8Array): Hash32 {
  return new Uint8Array(sha256(concat([TAGS[context], Uint8Array.of(kind), left, right])));
}

const NOTHING = new Uint8Array(0);

function hashLeaf(context: MerkleContext, leaf: Uint8Array): Hash32 {
  assert(leaf.length === HASH_BYTES, "a leaf has 32 bytes");
  return hashNode(context, LEAF, leaf, NOTHING);
}

/** Binds the number of leaves (u64, big-endian) to the topmost node, which a tree of no leaves does not have. */
function hashRoot(context: MerkleContext, count: number, top: Uint8Array): Hash32 {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(count / 2 ** 32));
  view.setUint32(4, count % 2 ** 32);
  return hashNode(context, ROOT, bytes, top);
}

/** A tree that grows leaf by leaf and keeps one node for each level. */
export class MerkleBuilder {
  readonly #context: MerkleContext;
  /** Roots of complete subtrees, largest first; their sizes are the bits of `#count`. */
  readonly #peaks: Hash32[] = [];
  #count = 0;

  constructor(context: MerkleContext) {
    this.#context = context;
  }

  get count(): number {
    return this.#count;
  }

  /** @param leaf borrowed, u8[32] */
  append(leaf: Uint8Array): void {
    let node = hashLeaf(this.#context, leaf);
    for (let rest = this.#count; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      node = hashNode(this.#context, PARENT, this.#peaks.pop() ?? NOTHING, node);
    }
    this.#peaks.push(node);
    this.#count += 1;
  }

  /** The root over what was appended so far; more may follow. */
  root(): Hash32 {
    let top = this.#peaks.at(-1) ?? NOTHING;
    for (let i = this.#peaks.length - 2; i >= 0; i--) {
      top = hashNode(this.#context, PARENT, this.#peaks[i] ?? NOTHING, top);
    }
    return hashRoot(this.#context, this.#count, top);
  }
}

/** @param leaves u8[n, 32], borrowed */
export function merkleRoot(context: MerkleContext, leaves: Uint8Array): Hash32 {
  const builder = new MerkleBuilder(context);
  for (let at = 0; at < leaves.length; at += HASH_BYTES) builder.append(leaves.subarray(at, at + HASH_BYTES));
  return builder.root();
}

/**
 * The neighbours on the way from leaf `index` to the top, lowest first; levels where the node is carried up have none.
 * @param leaves u8[n, 32], borrowed
 */
export function merkleProof(context: MerkleContext, leaves: Uint8Array, index: number): Hash32[] {
  const count = leaves.length / HASH_BYTES;
  assert(Number.isInteger(index) && index >= 0 && index < count, "the leaf exists");
  let level: Hash32[] = [];
  for (let i = 0; i < count; i++) level.push(hashLeaf(context, leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)));
  const proof: Hash32[] = [];
  for (let place = index; level.length > 1; place >>>= 1) {
    const neighbour = level[place ^ 1];
    if (neighbour !== undefined) proof.push(neighbour);
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => {
      const left = level[2 * i] ?? NOTHING;
      const right = level[2 * i + 1];
      return right === undefined ? new Uint8Array(left) : hashNode(context, PARENT, left, right);
    });
  }
  return proof;
}

/** Whether `leaf` is number `index` of the `count` leaves under `root`. All borrowed; nothing is thrown for bad proofs. */
export function verifyProof(
  context: MerkleContext,
  root: Uint8Array,
  count: number,
  index: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index) || index < 0 || index >= count) return false;
  if (leaf.length !== HASH_BYTES || proof.some((node) => node.length !== HASH_BYTES)) return false;
  let node = hashLeaf(context, leaf);
  let used = 0;
  let place = index;
  for (let width = count; width > 1; width = Math.ceil(width / 2)) {
    const isLeft = place % 2 === 0;
    if (!isLeft || place + 1 < width) {
      const neighbour = proof[used++];
      if (neighbour === undefined) return false;
      node = isLeft ? hashNode(context, PARENT, node, neighbour) : hashNode(context, PARENT, neighbour, node);
    }
    place = Math.floor(place / 2);
  }
  const found = hashRoot(context, count, node);
  return used === proof.length && root.length === HASH_BYTES && found.every((byte, i) => byte === root[i]);
}
