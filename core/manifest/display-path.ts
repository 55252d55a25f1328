/**
 * Names as people see them. A name may hold letters that are invisible or that turn the reading order, so that
 * `exe.fdp` reads as `pdf.exe`. What is shown names each of them; what is written never changes.
 *
 * @module
 */

/**
 * Controls, format characters (bidirectional marks and overrides, zero-width letters, tags), separators other than the
 * plain and the ideographic space, unassigned surrogates, and the letters that draw nothing.
 */
const HIDDEN = new RegExp(
  [
    String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800]`,
    String.raw`[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f]`,
  ].join("|"),
  "gu",
);
/** A joiner that shapes the letters of a script written with it. */
const SCRIPT_JOINER = /[\u200c\u200d]/;
const JOINED_SCRIPT =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Mongolian}]$/u;
/** What a joiner between emoji, or the selector that colours one, follows. */
const EMOJI = /(?:\p{Extended_Pictographic}|[0-9#*]|\p{Emoji_Modifier})\ufe0f?$/u;

/**
 * `path` for people: letters that cannot be seen, or that reorder what is seen, become `⟨U+202E⟩`. Emoji sequences and
 * the joiners of Arabic and Indic scripts stay. For display only; never write or compare the result.
 */
export function displayPath(path: string): string {
  return path.replace(HIDDEN, (character: string, at: number) => {
    const before = path.slice(Math.max(0, at - 3), at);
    if (character === "\ufe0f" && EMOJI.test(before)) return character;
    if (character === "\u200d" && EMOJI.test(before)) return character;
    if (SCRIPT_JOINER.test(character) && JOINED_SCRIPT.test(before)) return character;
    const code = character.codePointAt(0) ?? 0;
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}
