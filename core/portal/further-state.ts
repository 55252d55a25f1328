/**
 * What a device remembers of a portal at a further relay, so that whatever could not be told there is told later: small, and
 * bounded. What the relay must come to know is asked for at home; here is only what home does not tell.
 *
 * @module
 */
import { asArray, asBytes, asFields, asInteger, asOneOf, asString } from "../wire/check.ts";
import {
  CAPABILITIES,
  MAX_FURTHER_RELAYS,
  MAX_GRANT_BYTES,
  MAX_LINKS,
  type NewLink,
  type PasswordParameters,
} from "./portal.ts";
import { asOrigins, MAX_ORIGIN_LENGTH } from "./relays.ts";

/** One portal at one further relay. */
export interface FurtherState {
  readonly origin: string;
  /** What it was made alike to last, as stepOf gives it; empty for never. */
  readonly step: string;
  /** The owner's secret that it may still know instead of the record's, u8[32]; null for none. */
  readonly olderSecret: Uint8Array<ArrayBuffer> | null;
  /** Links that it is still to be told of, as it is told of them; the newest MAX_UNTOLD_LINKS. */
  readonly links: readonly NewLink[];
  /** When the portal ends there, by this machine's clock, as that relay said last; null when it never did. */
  readonly untilMs: number | null;
}

/** Links that wait to be told to one relay; more than these are worth less there than at home, nothing else. */
export const MAX_UNTOLD_LINKS = 8;
const MAX_STEP_LENGTH = 22;
const NAME_CHARACTERS = 22;
const HASH_CHARACTERS = 43;

/** What is known of a relay of which nothing was written down. */
export function freshState(origin: string): FurtherState {
  return { origin, step: "", olderSecret: null, links: [], untilMs: null };
}

/** As it is kept, for the canonical codec. */
export function fieldsOfStates(states: readonly FurtherState[]): unknown {
  return states.map(({ origin, step, olderSecret, links, untilMs }) => ({
    o: origin,
    s: step,
    w: olderSecret,
    l: links.slice(-MAX_UNTOLD_LINKS),
    u: untilMs,
  }));
}

/** @throws Failure `wire/malformed` for anything else */
export function readStates(value: unknown): readonly FurtherState[] {
  const states = asArray(value, "further", MAX_FURTHER_RELAYS).map((each): FurtherState => {
    const fields = asFields(each, "further");
    return {
      origin: asString(fields["o"], "o", MAX_ORIGIN_LENGTH),
      step: asString(fields["s"], "s", MAX_STEP_LENGTH),
      olderSecret: fields["w"] === null ? null : asBytes(fields["w"], "w", 32).slice(),
      links: asArray(fields["l"], "l", MAX_LINKS).map(readLink),
      untilMs: integerOrNull(fields["u"], "u"),
    };
  });
  asOrigins(
    states.map(({ origin }) => origin),
    "further",
  );
  return states;
}

function readLink(value: unknown): NewLink {
  const fields = asFields(value, "link");
  const { password } = fields;
  return {
    link: asString(fields["link"], "link", NAME_CHARACTERS),
    capability: asOneOf(fields["capability"], CAPABILITIES, "capability"),
    tokenHash: asString(fields["tokenHash"], "tokenHash", HASH_CHARACTERS),
    keyCommitment: asString(fields["keyCommitment"], "keyCommitment", HASH_CHARACTERS),
    grant: asString(fields["grant"], "grant", 2 * MAX_GRANT_BYTES),
    password: password === null ? null : readPassword(password),
    maxUses: integerOrNull(fields["maxUses"], "maxUses"),
    notBeforeMs: integerOrNull(fields["notBeforeMs"], "notBeforeMs"),
    expiresAtMs: integerOrNull(fields["expiresAtMs"], "expiresAtMs"),
  };
}

function readPassword(value: unknown): PasswordParameters {
  const fields = asFields(value, "password");
  return {
    algorithm: asOneOf(fields["algorithm"], ["argon2id"], "algorithm"),
    memory: asInteger(fields["memory"], "memory"),
    iterations: asInteger(fields["iterations"], "iterations"),
    parallelism: asInteger(fields["parallelism"], "parallelism"),
  };
}

function integerOrNull(value: unknown, what: string): number | null {
  return value === null ? null : asInteger(value, what);
}
