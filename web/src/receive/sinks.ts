/**
 * What the ways to save are called, and what each does, in a sentence.
 *
 * @module
 */
import type { SinkKind } from "../../../core/ports/sink.ts";

export const SINK_TITLES = {
  directory: "Files in a folder of your choice",
  download: "A download",
  private: "In this browser first, then export",
} as const satisfies Record<SinkKind, string>;

/** In the middle of a sentence. */
const SINK_PLACES = {
  directory: "a folder of your choice",
  download: "your downloads",
  private: "this browser\u2019s own storage",
} as const satisfies Record<SinkKind, string>;

/** That a download cannot be resumed, and what can. */
export function noResumeSentence(resumable: readonly { readonly kind: SinkKind }[]): string {
  if (resumable.length === 0) return "A download cannot be resumed once it is cut off.";
  const places = resumable.map(({ kind }) => SINK_PLACES[kind]).join(" and into ");
  return `A download cannot be resumed once it is cut off. Receiving into ${places} can.`;
}

interface Circumstances {
  readonly isSingleFile: boolean;
  readonly isStreamed: boolean;
}

const PLACE = {
  true: "streamed to your downloads while it comes",
  false: "kept in memory until it is whole, then saved",
};

export const SINK_SENTENCES = {
  directory: () =>
    "Each file appears in the folder under its own name as soon as it is verified. Folders, empty ones too, are kept.",
  download: ({ isSingleFile, isStreamed }) =>
    `${isSingleFile ? "The file" : "One zip archive with everything"}, ${PLACE[`${isStreamed}`]}. It completes only when all of it is verified.`,
  private: () =>
    "Everything is verified and kept in this browser's own storage; then you export single files or all of it as a zip.",
} as const satisfies Record<SinkKind, (circumstances: Circumstances) => string>;
