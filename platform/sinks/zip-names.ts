/**
 * Names inside a zip archive. They are the true names, except what the reader's system would drop, or take for another
 * name, when it unpacks them: an archive is unpacked by a program that asks nobody.
 *
 * @module
 */
import type { Entry } from "../../core/manifest/entry.ts";
import { portableName } from "../../core/manifest/portable-name.ts";
import { freePath } from "../../core/manifest/unique-paths.ts";

/** Readers refuse these on every system, for what they mean on one: a backslash separates, `c:` names a drive. */
const LEADS_AWAY = /\\|^[A-Za-z]:/;

/** What the system that will unpack the archive does to names. */
export interface NameRules {
  /** It refuses some letters and names, as Windows does. */
  readonly refuses: boolean;
  /** It takes names for equal that differ in case or in Unicode normal form, as Windows and macOS do. */
  readonly folds: boolean;
}

/** The rules of the system that this runs on. */
export function systemNameRules(platform: string = navigator.platform): NameRules {
  const windows = platform.startsWith("Win");
  return { refuses: windows, folds: windows || platform.startsWith("Mac") || platform.startsWith("iP") };
}

export class ZipNames {
  readonly #rules: NameRules;
  readonly #taken = new Set<string>();
  readonly #counters = new Map<string, number>();

  /** Entries named so far. */
  count = 0;

  constructor(rules: NameRules = systemNameRules()) {
    this.#rules = rules;
  }

  /** The name of the next entry, given to no entry before; a folder's ends in a slash. */
  give(entry: Pick<Entry, "kind" | "path">): string {
    this.count += 1;
    const components = entry.path
      .split("/")
      .map((name) => (this.#rules.refuses || LEADS_AWAY.test(name) ? portableName(name) : name));
    const wanted = components.join("/");
    if (entry.kind === "directory") return `${wanted}/`;
    const path = freePath(wanted, (candidate) => this.#taken.has(this.#key(candidate)), this.#counters);
    this.#taken.add(this.#key(path));
    return path;
  }

  #key(path: string): string {
    return this.#rules.folds ? path.normalize("NFC").toLowerCase() : path;
  }
}
