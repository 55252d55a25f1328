/**
 * The clipboard, which a browser may refuse.
 *
 * @module
 */

/** Puts the text there. Call it from a click. False when the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
