/**
 * An attachment for what takes the place of the control that was just used, so that the keyboard's focus is not lost.
 *
 * @module
 */
import type { Attachment } from "svelte/attachments";

/** Focuses the element when it appears. */
export const takeFocus: Attachment<HTMLElement> = (element) => element.focus({ preventScroll: true });
