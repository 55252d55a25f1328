/**
 * What people call a transfer.
 *
 * @module
 */
import type { Entry } from "../../core/manifest/entry.ts";

/** The folder that everything lies in, or undefined when there is no such one. */
export function commonFolder(entries: readonly Entry[]): string | undefined {
  const tops = new Set(entries.map((entry) => entry.path.split("/", 1)[0]));
  const [top] = tops;
  return tops.size === 1 && entries[0]?.path.includes("/") === true ? top : undefined;
}

/** A file's or a folder's name, or how many files there are. */
export function titleOf(entries: readonly Entry[]): string {
  const [only, ...others] = entries;
  if (only !== undefined && others.length === 0 && !only.path.includes("/")) return only.path;
  return commonFolder(entries) ?? `${entries.length} files`;
}
