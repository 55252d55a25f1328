/**
 * An honest portal of several packs and pages, and what somebody without its keys may do to its objects: what is stored on the
 * relay is theirs to change, its keys are not.
 *
 * @module
 */
import type { Engine } from "../../../core/ports/engine.ts";
import { createSealBuffer, seal } from "../../../core/seal/seal.ts";
import { MIB, SEGMENT_BYTES } from "../../../core/units.ts";
import type { ObjectHeader, ObjectKind, SealedObject } from "../../../core/wire/object.ts";
import { noise, objectHash } from "../../support/bytes.ts";
import { memoryFile } from "../../support/fake-host.ts";
import { FakeRelay } from "../../support/fake-relay.ts";
import { batchSource, createPortal, type Portal, startSend } from "../../support/fake-transfer.ts";

/** The name of an object at the fake relay. */
export type Place = `${ObjectKind} ${number}`;

/** A portal as its relay holds it. */
export interface GoodPortal {
  readonly portal: Portal;
  readonly objects: ReadonlyMap<string, SealedObject>;
  readonly relay: FakeRelay;
  readonly pages: number;
}

/** Sends 6 MiB: two packs, and a page at least for the list, for the content, and for the end. */
export async function sendGood(engine: Engine, portal?: Portal, seed = "good"): Promise<GoodPortal> {
  const relay = new FakeRelay();
  const made = portal ?? (await createPortal());
  const files = [memoryFile("a.bin", noise(6 * MIB, seed)), memoryFile("b.txt", noise(1000, `${seed} b`))];
  await startSend(relay, made, files, batchSource(files, engine)).done;
  const pages = [...relay.objects.keys()].filter((key) => key.startsWith("page")).length;
  return { portal: made, objects: new Map(relay.objects), relay, pages };
}

/** A relay that holds the portal with some of its objects changed. */
export function withChanged(good: GoodPortal, changed: ReadonlyMap<string, SealedObject | null>): FakeRelay {
  const relay = new FakeRelay();
  for (const [place, object] of good.objects) relay.objects.set(place, object);
  for (const [place, object] of changed) {
    if (object === null) relay.objects.delete(place);
    else relay.objects.set(place, object);
  }
  relay.commitment = good.relay.commitment;
  return relay;
}

export function objectAt(good: GoodPortal, place: Place): SealedObject {
  const object = good.objects.get(place);
  if (object === undefined) throw new Error(`there is no ${place}`);
  return object;
}

/** The object in another place: its header says so, nothing else does. */
export function moved({ header, bytes }: SealedObject, change: Partial<ObjectHeader>): SealedObject {
  return { header: { ...header, ...change }, bytes };
}

/** Other bytes under the same name; `isHonest` when the header's length and hash are theirs. */
export function rewritten({ header }: SealedObject, bytes: Uint8Array, isHonest: boolean): SealedObject {
  const fresh = new Uint8Array(bytes);
  const length = fresh.length;
  return { header: isHonest ? { ...header, length, hash: objectHash(fresh) } : { ...header, length }, bytes: fresh };
}

export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

/** The same bytes with two of their segments exchanged. */
export function exchanged(bytes: Uint8Array, first: number, second: number): Uint8Array {
  const copy = bytes.slice();
  const segment = (number: number) => bytes.subarray(number * SEGMENT_BYTES, (number + 1) * SEGMENT_BYTES);
  copy.set(segment(second), first * SEGMENT_BYTES);
  copy.set(segment(first), second * SEGMENT_BYTES);
  return copy;
}

/** Seals a payload as somebody with the given keys would. */
export async function sealAs(
  { keys, link }: Portal,
  kind: ObjectKind,
  index: number,
  final: boolean,
  payload: Uint8Array,
): Promise<SealedObject> {
  const buffer = createSealBuffer(kind === "pack" ? 4 * MIB : MIB);
  buffer.room.set(payload);
  return seal(keys[kind], link.portal, kind, index, final, buffer, payload.length);
}
