/**
 * Committing: the moment in which a sender says that this is all, and the relay checks that it is.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import { MerkleBuilder } from "../../../core/hash/merkle.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import { type PortalKey, sameBytes } from "../bytes.ts";
import type { Store } from "../store/store.ts";
import type { LivePortal } from "./live-portal.ts";

/** Hashes put into the Merkle tree before other work gets its turn. */
const HASHES_PER_TURN = 4096;

/**
 * Fixes counts and root. Idempotent. Of a partial portal packs may be missing, so nobody here can tell that the root is theirs.
 * @throws Failure `portal/incomplete` | `portal/closed` | `portal/expired` | `portal/lease-lost`
 */
export async function commitPortal(
  store: Store,
  portal: LivePortal,
  commitment: Commitment,
  lease: number,
): Promise<void> {
  if (portal.ended !== undefined) throw portal.ended;
  portal.assertHolds();
  portal.assertLease(lease);
  const before = portal.stored.commitment;
  if (before !== null) {
    if (sameCommitment(before, commitment)) return;
    throw new Failure("portal/closed");
  }
  assertPacks(portal, commitment);
  if (!portal.held.page.isPrefix(commitment.pages)) throw new Failure("portal/incomplete", { what: "pages" });
  if (!portal.stored.isPartial && !sameBytes(await rootOf(store, portal.key), commitment.root))
    throw new Failure("portal/incomplete", { what: "root" });
  // Another link may have committed, or stored one more, while the root was computed.
  if (portal.stored.commitment !== null) return commitPortal(store, portal, commitment, lease);
  assertPacks(portal, commitment);
  portal.stored = { ...portal.stored, commitment };
  try {
    const committing = store.commitPortal(portal.key, commitment, lease);
    portal.trackWrite(committing);
    await committing;
  } catch (error) {
    portal.stored = { ...portal.stored, commitment: null };
    throw error;
  }
  portal.reconsider();
}

/** @throws Failure `portal/incomplete` when a pack is too many, or missing where none may be */
function assertPacks({ held, stored }: LivePortal, { packs }: Commitment): void {
  const isRight = stored.isPartial ? held.pack.isBelow(packs) : held.pack.isPrefix(packs);
  if (!isRight) throw new Failure("portal/incomplete", { what: "packs" });
}

async function rootOf(store: Store, key: PortalKey): Promise<Uint8Array> {
  const tree = new MerkleBuilder("packs");
  let turn = 0;
  for (const hash of [...store.packHashes(key)]) {
    tree.append(hash);
    if (++turn % HASHES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return tree.root();
}

function sameCommitment(a: Commitment, b: Commitment): boolean {
  return a.packs === b.packs && a.pages === b.pages && sameBytes(a.root, b.root);
}
