/**
 * Hands a disk-backed file to the browser's own downloads.
 *
 * @module
 */

/** The browser reads the address soon after the click; it is given up after this long. */
const ADDRESS_LIFETIME_MS = 60_000;

/** Saves `file` under `name`. Call it from a click. */
export function saveFile(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), ADDRESS_LIFETIME_MS);
}
