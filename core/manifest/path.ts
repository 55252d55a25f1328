/**
 * Path rules. A manifest may carry any name that some file system allows and no name that could lead out of the
 * receiver's folder, hide from its reader, or be unwritable as UTF-8. Names that only some targets refuse (Windows'
 * reserved names, a trailing dot, `:`) travel as they are; `portable-name.ts` maps them where a target refuses them.
 *
 * A backslash is an ordinary letter of a POSIX name and a separator on Windows: it is accepted where reading it either
 * way stays inside the folder (`a\b`), and refused where it would not (`..\b`, `\b`, `b\`).
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_PATH_DEPTH } from "../units.ts";

/** Why a path is refused; `details.reason` of `path/rejected`. */
export type PathFault =
  | "empty"
  | "absolute"
  | "component-empty"
  | "component-dots"
  | "control"
  | "surrogate"
  | "name-long"
  | "path-long"
  | "deep";

/** C0 with NUL, DEL, C1, and the two Unicode line separators: none may stand in a name on the wire. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const CONTROLS = new RegExp(CONTROL, "g");
const LONE_SURROGATES = /\p{Cs}/gu;
const SEPARATORS = /[/\\]/;

/** The first rule that `path` breaks, or undefined when it may stand in a manifest. Never throws. */
export function pathFault(path: string): PathFault | undefined {
  if (path === "") return "empty";
  // Cheap bound first: a UTF-16 unit is at least one UTF-8 byte, so nothing below runs on a giant string.
  if (path.length > MAX_PATH_BYTES) return "path-long";
  if (path.startsWith("/")) return "absolute";
  if (!path.isWellFormed()) return "surrogate";
  if (CONTROL.test(path)) return "control";
  if (utf8Length(path) > MAX_PATH_BYTES) return "path-long";
  const components = path.split("/");
  if (components.length > MAX_PATH_DEPTH) return "deep";
  for (const component of components) {
    const fault = componentFault(component);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function componentFault(component: string): PathFault | undefined {
  for (const read of component.split(SEPARATORS)) {
    if (read === "") return "component-empty";
    if (read === "." || read === "..") return "component-dots";
  }
  return utf8Length(component) > MAX_NAME_BYTES ? "name-long" : undefined;
}

/**
 * Gives `path` back when it may stand in a manifest: relative, `/`-separated, well-formed, within the limits.
 * Both sides call it: the sender before a path is written down, the receiver on every page it decodes.
 * @throws Failure `path/rejected` with `reason` (see PathFault)
 */
export function checkPath(path: string): string {
  const fault = pathFault(path);
  if (fault !== undefined) throw new Failure("path/rejected", { reason: fault });
  return path;
}

/**
 * The path to send for `path` as the sender's file system names it. Where the rules refuse a letter it is replaced by
 * a visible one (control characters by their Unicode picture, half a surrogate pair by U+FFFD, a dangerous backslash by
 * U+29F5) and a name that is too long is cut before its extension, so that the file still arrives; a result that differs
 * from `path` is shown to the sender. Two paths may clean to the same one: apply `uniquePaths` after it.
 * @throws Failure `path/rejected` where no name can be saved: empty, absolute, dots, too deep or too long as a whole
 */
export function sendablePath(path: string): string {
  const fault = pathFault(path);
  if (fault === undefined) return path;
  const visible = path.replace(LONE_SURROGATES, "\ufffd").replace(CONTROLS, controlPicture);
  return checkPath(visible.split("/").map(sendableComponent).join("/"));
}

function sendableComponent(component: string): string {
  if (component === "" || component === "." || component === "..") return component;
  const fault = componentFault(component);
  if (fault === undefined) return component;
  return shortenName(fault === "name-long" ? component : component.replaceAll("\\", "\u29f5"), MAX_NAME_BYTES);
}

function controlPicture(character: string): string {
  const code = character.charCodeAt(0);
  if (code <= 0x1f) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

/** UTF-8 bytes of a well-formed string. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // A surrogate pair is two units and four bytes, so each half adds one more byte.
    if (unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff)) bytes += 2;
    else if (unit > 0x7f) bytes += 1;
  }
  return bytes;
}

/** A name's stem and its extension with the dot; a leading dot belongs to the stem, and `.tar.gz` keeps both. */
export function splitExtension(name: string): readonly [stem: string, extension: string] {
  const match = /^(.+?)((?:\.tar)?\.[^. ]{1,16})$/su.exec(name);
  return match?.[1] === undefined || match[2] === undefined ? [name, ""] : [match[1], match[2]];
}

/** `name`, cut at a whole code point of its stem to at most `maxBytes` UTF-8 bytes, its extension and `suffix` kept. */
export function shortenName(name: string, maxBytes: number, suffix = ""): string {
  const [stem, extension] = splitExtension(name);
  const room = maxBytes - utf8Length(suffix) - utf8Length(extension);
  if (utf8Length(stem) <= room) return stem + suffix + extension;
  let kept = "";
  let bytes = 0;
  for (const character of stem) {
    bytes += utf8Length(character);
    if (bytes > room) break;
    kept += character;
  }
  return kept + suffix + extension;
}

/** `name (2).ext` for `number` 2: what a file is called where its own name is taken. Stays within MAX_NAME_BYTES. */
export function numberedName(name: string, number: number): string {
  return shortenName(name, MAX_NAME_BYTES, ` (${number})`);
}
