import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MerkleBuilder, type MerkleContext, merkleProof, merkleRoot, verifyProof } from "./merkle.ts";

const leavesOf = (count: number, seed = 0): Uint8Array<ArrayBuffer> => {
  const leaves = new Uint8Array(count * 32);
  for (let i = 0; i < count; i++) leaves.set(createHash("sha256").update(`${seed} ${i}`).digest(), i * 32);
  return leaves;
};
const leafAt = (leaves: Uint8Array, index: number): Uint8Array => leaves.subarray(index * 32, index * 32 + 32);

/** The definition, top down and by another SHA-256. */
function slowRoot(context: MerkleContext, leaves: Uint8Array): Buffer {
  const tag = Buffer.from(`warp/1/${context}`.padEnd(16, "\0"));
  const sha = (kind: number, ...parts: Uint8Array[]): Buffer =>
    createHash("sha256")
      .update(Buffer.concat([tag, Buffer.of(kind), ...parts]))
      .digest();
  const node = (from: number, count: number): Buffer => {
    if (count === 1) return sha(0, leafAt(leaves, from));
    let left = 1;
    while (left * 2 < count) left *= 2;
    return sha(1, node(from, left), node(from + left, count - left));
  };
  const count = leaves.length / 32;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(count));
  return sha(2, bytes, count === 0 ? Buffer.alloc(0) : node(0, count));
}

describe("Merkle tree", () => {
  it("has the root of its definition for every small number of leaves, and at each step of growth", () => {
    for (const context of ["packs", "chunks"] as const) {
      const leaves = leavesOf(70);
      const builder = new MerkleBuilder(context);
      for (let count = 0; count <= 70; count++) {
        const expected = slowRoot(context, leaves.subarray(0, count * 32));
        expect(Buffer.compare(builder.root(), expected), `${count}`).toBe(0);
        expect(Buffer.compare(merkleRoot(context, leaves.subarray(0, count * 32)), expected)).toBe(0);
        expect(builder.count).toBe(count);
        if (count < 70) builder.append(leafAt(leaves, count));
      }
    }
  });

  it("differs between its uses, and from the tree with its last leaf doubled", () => {
    const three = leavesOf(3);
    const doubled = new Uint8Array([...three, ...leafAt(three, 2)]);
    const roots = [merkleRoot("packs", three), merkleRoot("chunks", three), merkleRoot("packs", doubled)];
    expect(new Set(roots.map((root) => Buffer.from(root).toString("hex"))).size).toBe(3);
  });

  it("proves every leaf, with no more nodes than levels", () => {
    for (const count of [1, 2, 3, 4, 5, 7, 8, 9, 31, 33]) {
      const leaves = leavesOf(count);
      const root = merkleRoot("chunks", leaves);
      for (let i = 0; i < count; i++) {
        const proof = merkleProof("chunks", leaves, i);
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
        expect(verifyProof("chunks", root, count, i, leafAt(leaves, i), proof), `${i} of ${count}`).toBe(true);
        expect(verifyProof("packs", root, count, i, leafAt(leaves, i), proof)).toBe(false);
      }
    }
  });

  it("accepts no other leaf, place, count, root or proof", () => {
    const shape = fc.integer({ min: 1, max: 40 }).chain((count) => fc.tuple(fc.constant(count), fc.nat(count - 1)));
    fc.assert(
      fc.property(shape, fc.nat(31), fc.nat(60), ([count, index], byte, other) => {
        const leaves = leavesOf(count);
        const root = merkleRoot("packs", leaves);
        const leaf = leafAt(leaves, index);
        const proof = merkleProof("packs", leaves, index);
        const flip = (bytes: Uint8Array): Uint8Array => bytes.map((value, i) => (i === byte ? value ^ 1 : value));
        const verify = (changed: {
          root?: Uint8Array;
          count?: number;
          index?: number;
          leaf?: Uint8Array;
          proof?: Uint8Array[];
        }) =>
          verifyProof(
            "packs",
            changed.root ?? root,
            changed.count ?? count,
            changed.index ?? index,
            changed.leaf ?? leaf,
            changed.proof ?? proof,
          );
        expect(verify({})).toBe(true);
        expect(verify({ leaf: flip(leaf) })).toBe(false);
        expect(verify({ root: flip(root) })).toBe(false);
        expect(verify({ proof: [...proof, leaf] })).toBe(false);
        expect(verify({ index: -1 }) || verify({ index: count }) || verify({ index: 0.5 })).toBe(false);
        if (other !== count) expect(verify({ count: other })).toBe(false);
        if (other !== index) expect(verify({ index: other })).toBe(false);
        if (proof.length > 0) {
          expect(verify({ proof: proof.slice(1) })).toBe(false);
          expect(verify({ proof: proof.map((node, i) => (i === other % proof.length ? flip(node) : node)) })).toBe(
            false,
          );
        }
      }),
    );
  });
});
