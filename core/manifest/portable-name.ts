/**
 * Names for targets that refuse a true one: Windows, Chromium's directory handles, readers of zip archives. Only a sink
 * that met a refusal asks for such a name, and what it then wrote is shown to the receiver.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MAX_NAME_BYTES } from "../units.ts";
import { shortenName, utf8Length } from "./path.ts";

/** Letters that Windows or Chromium refuses anywhere in a name. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const REFUSED = /[\u0000-\u001f\u007f"*/:<>?\\|]/g;
/** Devices of Windows, with any extension and whatever the case; the superscript digits count as digits there. */
const DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?= *(?:\.|$))/i;
/** Endings that Windows drops in silence. */
const DROPPED_END = /[. ]$/;
/** Shell links and the like: Chromium refuses to write them, since opening a folder may run them. */
const SHELL_ENDING = /\.(?=(?:lnk|scf|url|local|desktop|\{[0-9a-f-]{36}\})$)/i;
/** An escape that stands in a true name; escaped too, so that no two names get the same portable one. */
const ESCAPE = /%(?=[0-9A-F]{2})/g;
/** Hexadecimal digits of the hash that keeps shortened names apart. */
const HASH_DIGITS = 16;

/**
 * `component` itself when every target takes it, else a name that every target takes, with each refused letter as `%`
 * and its hexadecimal code (`a:b` gives `a%3Ab`). Distinct names give distinct results: the escape is reversible, and a
 * result over MAX_NAME_BYTES is cut and marked with a hash of the true name. `component` was accepted by `checkPath`.
 */
export function portableName(component: string): string {
  let name = component.replace(ESCAPE, "%25").replace(REFUSED, percent);
  if (DEVICE.test(name)) name = percent(name.charAt(0)) + name.slice(1);
  name = name.replace(SHELL_ENDING, percent).replace(DROPPED_END, percent);
  if (utf8Length(name) <= MAX_NAME_BYTES) return name;
  const digest = sha256(new TextEncoder().encode(component));
  const mark = Array.from(digest.subarray(0, HASH_DIGITS / 2), (byte) => byte.toString(16).padStart(2, "0")).join("");
  // The cut may end a stem in half an escape; the hash, not the escape, makes a shortened name unique.
  return shortenName(name, MAX_NAME_BYTES, `~${mark}`);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
