/**
 * Portals of the list at further relays: told what home is now, and told later where that is not possible at once.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { type Alike, endFurther, type FurtherPortal, makeAlike, stepOf } from "../../core/portal/further.ts";
import { type FurtherState, freshState, MAX_UNTOLD_LINKS } from "../../core/portal/further-state.ts";
import { type DescribedLink, linkFor } from "../../core/portal/new-link.ts";
import type { PortalDetails } from "../../core/portal/portal.ts";
import type { PortalRecord } from "../../core/portal/record.ts";
import { changeKept, findKept, type KeptRecord, listKept } from "../../platform/registry/registry.ts";
import { relayHost } from "../../platform/relay-host.ts";
import { inParallel } from "./in-parallel.ts";

/** Everything that one relay is told of one portal takes no longer; what is left is told another time. */
const TELL_MS = 4_000;
/** A relay that could not be told anything is not asked again for so long, unless somebody changes something. */
const REST_MS = 60_000;
/** Portals at a time. */
const MOST_AT_ONCE = 4;

/** No relay keeps a portal for longer, unless it is told to. */
const LONGEST_LIFE_MS = 366 * 86_400_000;

/** When which relay, by its origin, was last found to be away. */
const away = new Map<string, number>();

/**
 * Makes a portal at its further relays what it is at home, where it is not yet.
 * @param isHasty somebody waits for it: also a relay that was away a moment ago is asked
 * @throws Failure `journal/damaged`, nothing else: what cannot be told now is told later
 */
export async function makeAllAlike(portal: string, home: PortalDetails, isHasty = true): Promise<void> {
  const kept = await findKept(portal);
  if (kept === undefined) return;
  const step = stepOf(home);
  const due = kept.record.relays.filter((origin) => isDue(stateOf(kept, origin), step) && (isHasty || !isAway(origin)));
  await tell(kept, due, step, (further) => makeAlike(further, home));
}

/**
 * Ends it at its further relays: it is over, or its downloads are to be counted, which is done at home.
 * @throws Failure `journal/damaged`, nothing else: what cannot be ended now is ended later
 */
export async function endAllFurther(portal: string, isHasty = true): Promise<void> {
  const kept = await findKept(portal);
  if (kept === undefined) return;
  const due = kept.record.relays.filter((origin) => isHasty || !isAway(origin));
  await tell(kept, due, "", endFurther);
}

/**
 * Goes on with ends that could not be told, until the portal is over there by itself. What has not ended is told when home is
 * asked.
 * @throws Failure `journal/damaged`, nothing else
 */
export async function endUntold(): Promise<void> {
  const ended = (await listKept()).filter(({ record }) => record.relays.length > 0 && isEnded(record));
  await inParallel(ended, MOST_AT_ONCE, async (kept) => {
    const { portal, relays } = kept.record;
    const late = relays.filter((origin) => isLate(kept, origin));
    if (late.length > 0) await changeKept(portal, (now) => now && late.reduce(without, now));
    if (late.length < relays.length) await endAllFurther(portal, false);
  });
}

/** A link that was made at home is told to the further relays when they are told the rest. @throws Failure `journal/damaged` */
export async function queueLink({ portal, relays }: PortalRecord, link: DescribedLink): Promise<void> {
  if (relays.length === 0) return;
  const id = base64urlnopad.decode(portal);
  const told = new Map(
    await Promise.all(relays.map(async (origin) => [origin, await linkFor(origin, link, id)] as const)),
  );
  const queued = (state: FurtherState): FurtherState => {
    const more = told.get(state.origin);
    return more === undefined ? state : { ...state, links: [...state.links, more].slice(-MAX_UNTOLD_LINKS) };
  };
  await changeKept(portal, (kept) => kept && { ...kept, further: states(kept, queued) });
}

/** Before a portal is taken off the list: who does not know that it has ended is told now or never. @throws Failure `journal/damaged` */
export async function endIfEnded(portal: string): Promise<void> {
  const kept = await findKept(portal);
  if (kept !== undefined && isEnded(kept.record)) await endAllFurther(portal);
}

/** The further relays know the owner's secret that is replaced now, until they are told. */
export function knewBefore(kept: KeptRecord): readonly FurtherState[] {
  return states(kept, (state) => ({ ...state, olderSecret: state.olderSecret ?? kept.record.ownerSecret }));
}

async function tell(
  kept: KeptRecord,
  origins: readonly string[],
  step: string,
  work: (further: FurtherPortal) => Promise<Alike>,
): Promise<void> {
  const { record } = kept;
  const { ownerSecret } = record;
  if (ownerSecret === null) return;
  await inParallel(origins, MOST_AT_ONCE, async (origin) => {
    const state = stateOf(kept, origin);
    const { olderSecret, links } = state;
    const host = { ...relayHost(origin), signal: AbortSignal.timeout(TELL_MS) };
    const portal = new Uint8Array(base64urlnopad.decode(record.portal));
    try {
      const alike = await work({ host, portal, ownerSecret, olderSecret, links });
      away.delete(origin);
      await changeKept(record.portal, (now) => now && settled(now, kept, origin, step, alike));
    } catch (error) {
      if (!(error instanceof Failure) || error.code === "journal/damaged") throw error;
      away.set(origin, performance.now());
    }
  });
}

/** What was told is not told again; where the portal is over, there is nothing to tell any more. */
function settled(now: KeptRecord, told: KeptRecord, origin: string, step: string, alike: Alike): KeptRecord {
  const isOver = alike.standing === "ended" || (alike.standing === "unknown" && (step === "" || isEnded(now.record)));
  if (isOver) return without(now, origin);
  const before = stateOf(told, origin);
  const further = states(now, (state) => {
    if (state.origin !== origin) return state;
    const links = state.links.filter(({ link }) => !before.links.some((known) => known.link === link));
    const isSame = sameBytes(state.olderSecret, before.olderSecret);
    const untilMs = alike.standing === "alike" ? Date.now() + alike.leftMs : state.untilMs;
    return { ...state, step, links, olderSecret: isSame ? null : state.olderSecret, untilMs };
  });
  return { ...now, further };
}

/** The relay has the portal no more. */
function without(kept: KeptRecord, origin: string): KeptRecord {
  const { record, further } = kept;
  const relays = record.relays.filter((each) => each !== origin);
  const changedAtMs = Math.max(Date.now(), record.changedAtMs);
  return {
    ...kept,
    record: { ...record, relays, changedAtMs },
    isDirty: true,
    further: further.filter((state) => state.origin !== origin),
  };
}

/** One state for each further relay of the record, changed. */
function states(kept: KeptRecord, change: (state: FurtherState) => FurtherState): readonly FurtherState[] {
  return kept.record.relays.map((origin) => change(stateOf(kept, origin)));
}

function stateOf({ further }: KeptRecord, origin: string): FurtherState {
  return further.find((state) => state.origin === origin) ?? freshState(origin);
}

function isDue({ step, olderSecret, links }: FurtherState, now: string): boolean {
  return step !== now || olderSecret !== null || links.length > 0;
}

function isAway(origin: string): boolean {
  return performance.now() - (away.get(origin) ?? Number.NEGATIVE_INFINITY) < REST_MS;
}

/** Somebody said that it is over; what was only not found at home may be found there again. */
function isEnded({ ended }: PortalRecord): boolean {
  return ended !== null && ended !== "unknown";
}

function isLate(kept: KeptRecord, origin: string): boolean {
  const untilMs = stateOf(kept, origin).untilMs ?? kept.record.createdAtMs + LONGEST_LIFE_MS;
  return untilMs <= Date.now();
}

function sameBytes(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one?.join() === other?.join();
}
