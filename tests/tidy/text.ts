/**
 * Checks that look at a file's text: its length, marks left for later, markup that runs what it is given, addresses in
 * the lock file.
 *
 * @module
 */
import type { Fault, SourceText } from "./repository.ts";

/** Lines of a file above which it is read with suspicion, and above which the tidy test fails. */
export const THINK_LINES = 300;
export const MAX_LINES = 400;

/** Files of more than `limit` lines. */
export function sizeFaults(files: readonly SourceText[], limit: number): Fault[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    return lines > limit ? [`${path} has ${lines} lines, more than ${limit}: split it by the ideas in it`] : [];
  });
}

/** Marks for later work that name no issue: nobody will find them again. */
export function markFaults(files: readonly SourceText[]): Fault[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => {
      const isLoose = /\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/.test(line);
      return isLoose ? [`${path}:${index + 1} leaves work without an issue: write TODO(#12)`] : [];
    }),
  );
}

/** Components that put a string into the page as markup: names of files come from strangers. */
export function markupFaults(files: readonly SourceText[]): Fault[] {
  return files
    .filter(({ path, text }) => path.endsWith(".svelte") && /\{\s*@html\b/.test(text))
    .map(({ path }) => `${path} uses {@html}: names and messages come from strangers, show them as text`);
}

/** Packages of a lock file that hold a download address: it would tie every clone to one registry. */
export function lockFaults(lockFile: string): Fault[] {
  const packages: Record<string, { resolved?: string; link?: boolean }> = JSON.parse(lockFile).packages ?? {};
  return Object.entries(packages)
    .filter(([, entry]) => entry.resolved !== undefined && entry.link !== true)
    .map(([path]) => `package-lock.json: ${path} has a download address (see .npmrc)`);
}
