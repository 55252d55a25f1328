/**
 * Asking for a folder to write into. TypeScript's DOM library does not know the picker, which not every browser has.
 *
 * @module
 */

interface DirectoryPicker {
  showDirectoryPicker(options: { id: string; mode: "readwrite" }): Promise<FileSystemDirectoryHandle>;
}

/**
 * Shows the browser's folder picker. Call it from a click, where `probeSinks` offers `directory`.
 * @throws DOMException `AbortError` when the user closes it
 */
export function pickDirectory(): Promise<FileSystemDirectoryHandle> {
  return (globalThis as unknown as DirectoryPicker).showDirectoryPicker({ id: "warp-portal", mode: "readwrite" });
}
