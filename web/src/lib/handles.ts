/**
 * Handles of the user's files and folders: picked, and asked for permission again after the page was gone. TypeScript's DOM
 * library knows neither, and not every browser has them.
 *
 * @module
 */

interface Pickers {
  showDirectoryPicker?(options: { id: string; mode: "readwrite" }): Promise<FileSystemDirectoryHandle>;
  showOpenFilePicker?(options: { id: string; multiple: true }): Promise<FileSystemFileHandle[]>;
}

interface Asks {
  requestPermission?(options: { mode: "read" | "readwrite" }): Promise<PermissionState>;
}

const pickers = globalThis as unknown as Pickers;

/**
 * Shows the browser's folder picker. Call it from a click, where `probeSinks` offers `directory`.
 * @throws DOMException `AbortError` when the user closes it
 */
export function pickDirectory(): Promise<FileSystemDirectoryHandle> {
  if (pickers.showDirectoryPicker === undefined) throw new DOMException("no picker", "NotSupportedError");
  return pickers.showDirectoryPicker({ id: "warp-portal", mode: "readwrite" });
}

/** True where files can be picked as handles, which a resume finds again by itself. */
export function canPickFiles(): boolean {
  return pickers.showOpenFilePicker !== undefined;
}

/** Shows the browser's file picker. Call it from a click. Null when the user closes it or the browser refuses. */
export async function pickFiles(): Promise<readonly FileSystemFileHandle[] | null> {
  return (await pickers.showOpenFilePicker?.({ id: "warp-portal-send", multiple: true }).catch(() => null)) ?? null;
}

/**
 * Asks for permission where the browser wants it asked. Call it from a click, and with all handles at once: the click
 * counts only for what is asked before the first answer.
 */
export async function permitted(handles: readonly FileSystemHandle[], mode: "read" | "readwrite"): Promise<boolean> {
  const asked = handles.map((handle: FileSystemHandle & Asks) => handle.requestPermission?.({ mode }));
  const answers = await Promise.all(asked).catch(() => ["denied" as const]);
  // A browser that has nothing to ask says so when the thing is opened.
  return answers.every((answer) => answer === undefined || answer === "granted");
}
