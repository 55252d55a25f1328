/**
 * The end of a send to several relays: home is completed and committed, then the others as far as they are there.
 *
 * @module
 */
import type { RelaysMode } from "../portal/portal.ts";
import type { Clock } from "../ports/clock.ts";
import type { Commitment } from "../wire/frame.ts";
import type { ObjectKind } from "../wire/object.ts";
import { type FillParts, fillRelay } from "./fill-relay.ts";
import type { SendLeg } from "./send-leg.ts";

/** A relay that is completed is looked at this often, whether it is still there. */
const LOOK_MS = 50;

/** What it takes. */
export interface CompleteParts extends Pick<FillParts, "hashOf" | "clock" | "signal"> {
  readonly home: SendLeg;
  /** All relays, home too; it may grow. */
  readonly legs: readonly SendLeg[];
  readonly mode: RelaysMode;
  readonly commitment: Commitment;
  /** Makes an object again that no relay holds any more. */
  readonly remake: (kind: ObjectKind, index: number) => void;
}

/** Resolves when home has everything and says so; whatever happens to the others, the send is done. @throws Failure */
export async function completeRelays(parts: CompleteParts): Promise<void> {
  const { home, legs, mode, commitment, hashOf, remake, clock, signal } = parts;
  const common = { others: () => legs, commitment, hashOf, clock, signal };
  if (legs.length > 1) await fillRelay({ ...common, target: home, kinds: ["page", "pack"], remake });
  await home.link.commit(commitment);
  const kinds: readonly ObjectKind[] = mode === "replicated" ? ["page", "pack"] : ["page"];
  const others = legs.filter((leg) => leg !== home && leg.isUp);
  const complete = async (leg: SendLeg) => {
    await fillRelay({ ...common, target: leg, kinds, remake: undefined });
    if (leg.isUp) await leg.link.commit(commitment);
  };
  await Promise.allSettled(others.map((leg) => untilAway(complete(leg), () => leg.isUp, clock)));
}

/** Settles with `work`, or when what it works at goes away. */
async function untilAway(work: Promise<void>, isThere: () => boolean, clock: Clock): Promise<void> {
  const watch = new AbortController();
  const away = (async () => {
    while (isThere()) await clock.sleep(LOOK_MS, watch.signal);
  })();
  away.catch(() => {});
  try {
    await Promise.race([work, away]);
  } finally {
    watch.abort();
    work.catch(() => {});
  }
}
