import { expect, it } from "vitest";
import { noise, objectHash } from "../../tests/support/bytes.ts";
import { type Deferred, deferred } from "../edge/deferred.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { IN_FLIGHT_PACKS, Outgoing } from "./outgoing.ts";

function sealed(kind: ObjectKind, index: number): SealedObject {
  const bytes = noise(10, index);
  return { header: { kind, index, final: false, length: 10, hash: objectHash(bytes) }, bytes };
}

/** Sends packs as long as there is room. Gives how many went. */
async function fill(outgoing: Outgoing): Promise<number> {
  for (let sent = 0; ; sent++) {
    const hasRoom = outgoing.room("pack").then(() => true);
    const isFull = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
    if (!(await Promise.race([hasRoom, isFull]))) return sent;
    outgoing.send(sealed("pack", sent), Promise.resolve(), () => {});
  }
}

it("a send has as many packs under way as one relay's window takes, or as it is told", async () => {
  const put = () => new Promise<void>(() => {});
  expect(await fill(new Outgoing({ put }))).toBe(IN_FLIGHT_PACKS);
  expect(await fill(new Outgoing({ put }, 3))).toBe(3);
});

it("a send that gets another relay has room for more packs at once, also for one that waited", async () => {
  const stored: Deferred<void>[] = [];
  const put = () => {
    const one = deferred<void>();
    stored.push(one);
    return one.promise;
  };
  const outgoing = new Outgoing({ put }, 2);
  expect(await fill(outgoing)).toBe(2); // a third one waits
  outgoing.widen(2);
  expect(await fill(outgoing)).toBe(1); // the one that waited has the other place, and another one waits
  stored[0]?.resolve();
  expect(await fill(outgoing)).toBe(0); // its place goes to the one that waited
});
