/**
 * What a store of portals should do, in the simplest words: the model that the real one is held against.
 *
 * @module
 */
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import type { Commitment } from "../../core/wire/frame.ts";
import type { ObjectKind, SealedObject } from "../../core/wire/object.ts";
import { sameBytes } from "../../relay-server/src/bytes.ts";
import type { NewPortal } from "../../relay-server/src/store/store.ts";

export const MODEL_LIMITS = { maxPortalBytes: 90_000, maxStoreBytes: 130_000, maxPortals: 2 };

/** `rotten`: its bytes changed and nobody read them since; `lost`: somebody did. */
type Condition = "good" | "rotten" | "lost";

interface ModelObject {
  readonly object: SealedObject;
  condition: Condition;
}

interface ModelPortal {
  readonly request: NewPortal;
  lease: number;
  isEnded: boolean;
  commitment: Commitment | null;
  readonly objects: Map<string, ModelObject>;
  readonly completed: Set<number>;
  /** Claims that hold. */
  readonly running: Set<number>;
}

/** What a lease is compared with the portal's. */
export type LeaseKind = "held" | "older" | "never given";

/** Every method gives what the real store answers: `ok`, or the code of the failure. */
export class StoreModel {
  readonly portals = new Map<number, ModelPortal>();

  create(slot: number, request: NewPortal, isSame: boolean): string {
    const known = this.portals.get(slot);
    if (known !== undefined) return isSame ? (known.isEnded ? "portal/expired" : "ok") : "portal/taken";
    if (this.active().length >= MODEL_LIMITS.maxPortals) return "relay/full";
    const fresh = { lease: 1, isEnded: false, commitment: null, objects: new Map() };
    this.portals.set(slot, { request, ...fresh, completed: new Set(), running: new Set() });
    return "ok";
  }

  active(): ModelPortal[] {
    return [...this.portals.values()].filter(({ isEnded }) => !isEnded);
  }

  /** @throws Error when the slot is empty */
  portal(slot: number): ModelPortal {
    const portal = this.portals.get(slot);
    if (portal === undefined) throw new Error("no such portal");
    return portal;
  }

  /** The answer to every write under a wrong lease, or undefined. */
  refusal(slot: number, lease: LeaseKind): string | undefined {
    if (this.portal(slot).isEnded) return "portal/expired";
    if (lease === "older") return "portal/lease-lost";
    return lease === "never given" ? "wire/malformed" : undefined;
  }

  upload(slot: number, object: SealedObject, lease: LeaseKind): string {
    const refusal = this.refusal(slot, lease);
    if (refusal !== undefined) return refusal;
    const portal = this.portal(slot);
    const key = keyOf(object.header);
    const known = portal.objects.get(key);
    if (known !== undefined && known.object !== object) return "object/conflict";
    if (known !== undefined && known.condition !== "lost") return "ok";
    const { kind, index, length } = object.header;
    const isBeyond = index >= (portal.commitment?.[`${kind}s`] ?? Number.POSITIVE_INFINITY);
    if (portal.commitment !== null && (known === undefined || isBeyond)) return "portal/closed";
    if (known === undefined) {
      if (bytesOf(portal) + length > MODEL_LIMITS.maxPortalBytes) return "portal/full";
      if (this.bytes() + length > MODEL_LIMITS.maxStoreBytes) return "relay/full";
    }
    portal.objects.set(key, { object, condition: "good" });
    return "ok";
  }

  /** Also what a scrubber does to one object. */
  read(slot: number, kind: ObjectKind, index: number): string {
    const portal = this.portal(slot);
    if (portal.isEnded) return "portal/expired";
    const known = portal.objects.get(keyOf({ kind, index }));
    if (known === undefined) return "object/absent";
    if (known.condition === "rotten") known.condition = "lost";
    return known.condition === "good" ? "ok" : "object/corrupt";
  }

  /** Gives how many rotten objects it found. */
  scrub(): number {
    const rotten = this.active().flatMap(({ objects }) =>
      [...objects.values()].filter((one) => one.condition === "rotten"),
    );
    for (const object of rotten) object.condition = "lost";
    return rotten.length;
  }

  commit(slot: number, commitment: Commitment, lease: LeaseKind): string {
    const refusal = this.refusal(slot, lease);
    if (refusal !== undefined) return refusal;
    const portal = this.portal(slot);
    if (portal.commitment !== null) return sameCommitment(portal.commitment, commitment) ? "ok" : "portal/closed";
    const isComplete =
      isPrefix(this.held(slot, "pack"), commitment.packs) && isPrefix(this.held(slot, "page"), commitment.pages);
    if (!isComplete || !sameBytes(commitment.root, this.root(slot))) return "portal/incomplete";
    portal.commitment = commitment;
    return "ok";
  }

  takeLease(slot: number): string {
    const portal = this.portal(slot);
    if (portal.isEnded) return "portal/expired";
    portal.lease++;
    return "ok";
  }

  claim(slot: number, claim: number): string {
    const refusal = this.#refuseClaim(slot, claim);
    if (refusal !== undefined) return refusal;
    const { completed, running } = this.portal(slot);
    if (!completed.has(claim)) running.add(claim);
    return "ok";
  }

  release(slot: number, claim: number): string {
    const { isEnded, running } = this.portal(slot);
    if (isEnded) return "portal/expired";
    running.delete(claim);
    return "ok";
  }

  complete(slot: number, claim: number): string {
    const refusal = this.#refuseClaim(slot, claim);
    if (refusal !== undefined) return refusal;
    const { completed, running, request } = this.portal(slot);
    running.delete(claim);
    completed.add(claim);
    if (completed.size >= (request.maxDownloads ?? Number.POSITIVE_INFINITY)) this.end(slot);
    return "ok";
  }

  #refuseClaim(slot: number, claim: number): string | undefined {
    const { isEnded, completed, running, request } = this.portal(slot);
    if (isEnded) return "portal/expired";
    if (completed.has(claim) || running.has(claim)) return undefined;
    const isFull = completed.size + running.size >= (request.maxDownloads ?? Number.POSITIVE_INFINITY);
    return isFull ? "portal/claimed" : undefined;
  }

  end(slot: number): void {
    const portal = this.portal(slot);
    portal.isEnded = true;
    portal.objects.clear();
  }

  /** So much time passes that no claim holds any more. */
  forgetEnded(): void {
    for (const { running } of this.portals.values()) running.clear();
    for (const [slot, { isEnded }] of this.portals) if (isEnded) this.portals.delete(slot);
  }

  /** Indexes that are told as held, ascending. */
  held(slot: number, kind: ObjectKind): number[] {
    const objects = [...this.portal(slot).objects.values()].filter(
      ({ object, condition }) => object.header.kind === kind && condition !== "lost",
    );
    return objects.map(({ object }) => object.header.index).sort((a, b) => a - b);
  }

  /** Over the held packs, in order. */
  root(slot: number): Uint8Array<ArrayBuffer> {
    const { objects } = this.portal(slot);
    const tree = new MerkleBuilder("packs");
    for (const index of this.held(slot, "pack")) {
      const hash = objects.get(keyOf({ kind: "pack", index }))?.object.header.hash;
      if (hash !== undefined) tree.append(hash);
    }
    return Uint8Array.from(tree.root());
  }

  bytes(): number {
    return this.active().reduce((sum, portal) => sum + bytesOf(portal), 0);
  }
}

export function bytesOf({ objects }: { readonly objects: ReadonlyMap<string, ModelObject> }): number {
  return [...objects.values()].reduce((sum, { object }) => sum + object.header.length, 0);
}

export function keyOf({ kind, index }: { readonly kind: ObjectKind; readonly index: number }): string {
  return `${kind} ${index}`;
}

function isPrefix(indexes: readonly number[], count: number): boolean {
  return indexes.length === count && indexes.every((index, at) => index === at);
}

function sameCommitment(a: Commitment, b: Commitment): boolean {
  return a.packs === b.packs && a.pages === b.pages && sameBytes(a.root, b.root);
}
