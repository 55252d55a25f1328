/**
 * Limits of what the page lets people type. The relay checks them again.
 *
 * @module
 */

/** Completed downloads that a portal can be limited to; the same as core/portal/portal.ts. */
export const MAX_DOWNLOADS = 1_000_000;

/** What somebody may call a link, a device or a request, in letters. */
export const MAX_LABEL_LETTERS = 60;
