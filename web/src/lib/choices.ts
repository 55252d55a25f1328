/**
 * How long things last, as the page offers it. The relay's own limits apply on top.
 *
 * @module
 */

export const DAY_SECONDS = 86_400;

export interface Choice {
  readonly seconds: number;
  readonly text: string;
}

/** Until a portal ends. */
export const EXPIRIES: readonly Choice[] = [
  { seconds: 3600, text: "1 hour" },
  { seconds: DAY_SECONDS, text: "1 day" },
  { seconds: 3 * DAY_SECONDS, text: "3 days" },
  { seconds: 7 * DAY_SECONDS, text: "7 days" },
  { seconds: 30 * DAY_SECONDS, text: "30 days" },
];

/** Without use, after which it ends early. */
export const IDLE_TIMES: readonly Choice[] = [
  { seconds: 3600, text: "1 hour" },
  { seconds: DAY_SECONDS, text: "1 day" },
  { seconds: 3 * DAY_SECONDS, text: "3 days" },
  { seconds: 7 * DAY_SECONDS, text: "7 days" },
];

/** The choices, with `seconds` among them even where it is none of them: what was set elsewhere must be seen. */
export function choicesWith(choices: readonly Choice[], seconds: number | null): readonly Choice[] {
  if (seconds === null || choices.some((choice) => choice.seconds === seconds)) return choices;
  const hours = Math.round((seconds / 3600) * 10) / 10;
  const text = seconds < 3600 ? `${Math.round(seconds / 60)} minutes` : `${hours} hours`;
  return [...choices, { seconds, text }].sort((a, b) => a.seconds - b.seconds);
}
