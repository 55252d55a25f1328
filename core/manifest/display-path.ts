/**
 * Names as people see them. A name may hold letters that are invisible or that turn the reading order, so that
 * `exe.fdp` reads as `pdf.exe`. What is shown names each of them; what is written never changes.
 *
 * @module
 */

/** Letters, not marks that are hidden themselves, of the scripts that are written with joiners. */
const JOINED = String.raw`(?!\p{Default_Ignorable_Code_Point})[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Mongolian}]`;

/** Letters that cannot be seen but belong between, or behind, those that they stand at; one each. */
const KEPT = [
  // A joiner between two emoji, and what colours one or makes a key of a digit.
  String.raw`\u200d(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?\u200d)(?=\p{Extended_Pictographic})`,
  String.raw`\ufe0f(?<=\p{Extended_Pictographic}\ufe0f|[0-9#*]\ufe0f(?=\u20e3))`,
  // A joiner that shapes the letters of a script.
  String.raw`[\u200c\u200d](?<=${JOINED}[\u200c\u200d])(?=${JOINED})`,
  // What chooses among the forms of a letter.
  String.raw`[\u180b-\u180d\u180f](?<=(?!\p{Default_Ignorable_Code_Point})\p{Script=Mongolian}.)`,
  String.raw`[\ufe00-\ufe02\u{e0100}-\u{e01ef}](?<=\p{Unified_Ideograph}.)`,
];

/**
 * Controls, format characters (bidirectional marks and overrides, zero-width letters, tags), everything else that Unicode
 * says is not drawn, separators other than the plain and the ideographic space, halves of pairs, and two letters that draw
 * nothing all the same.
 */
const HIDDEN = String.raw`[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u{1d159}]`;

const HIDDEN_OR_KEPT = new RegExp(`(?<kept>${KEPT.join("|")})|${HIDDEN}`, "gu");

/**
 * `path` for people: letters that cannot be seen, or that reorder what is seen, become `⟨U+202E⟩`. Emoji sequences, the
 * joiners of Arabic and Indic scripts and the chosen forms of ideographs stay. For display only; never write or compare
 * the result.
 */
export function displayPath(path: string): string {
  return path.replace(HIDDEN_OR_KEPT, (character: string, kept: string | undefined) => {
    if (kept !== undefined) return kept;
    const code = character.codePointAt(0) ?? 0;
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}
