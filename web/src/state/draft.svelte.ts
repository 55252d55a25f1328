/**
 * What will be sent: the chosen files and empty folders, and the options. No reactive value per file: the list is one
 * raw array that is replaced, so that a hundred thousand files cost one update.
 *
 * @module
 */
import { displayPath } from "../../../core/manifest/display-path.ts";
import { sendablePath } from "../../../core/manifest/path.ts";
import { uniquePaths } from "../../../core/manifest/unique-paths.ts";
import type { SendItem } from "../../../workers/transfer/api.ts";
import type { Collected } from "../lib/collect.ts";
import { formatEntries, formatPlural } from "../lib/format.ts";

/** A send item as the path rules want it. */
interface DraftItem extends SendItem {
  readonly kind: "file" | "directory";
}

/** Refused names shown in full before the rest is only counted. */
const NAMES_SHOWN = 3;

/** Gives the item under a path that may be sent, or null when no name can be made of it. */
function draftItem({ path, file }: SendItem): DraftItem | null {
  try {
    return { path: sendablePath(path), file, kind: file === null ? "directory" : "file" };
  } catch {
    return null;
  }
}

export class Draft {
  #items = $state.raw<readonly DraftItem[]>([]);
  #refused = $state.raw<readonly string[]>([]);
  #renamed = $state(0);
  #found = $state<number | null>(null);
  /** One list for each thing that was added; empty where the browser gave no handles, or has not yet. */
  #handles: (readonly FileSystemHandle[])[] = [];
  readonly #totalBytes = $derived(this.#items.reduce((sum, { file }) => sum + (file?.size ?? 0), 0));
  readonly #folderCount = $derived(this.#items.reduce((sum, { file }) => sum + (file === null ? 1 : 0), 0));

  /** Seconds until the portal ends; null until the relay's own default is known. */
  expirySeconds = $state<number | null>(null);
  /** Completed downloads, or null for no limit. */
  maxDownloads = $state<number | null>(null);
  /** Seconds without use after which it ends early, or null for never. */
  idleSeconds = $state<number | null>(null);
  password = $state("");

  get items(): readonly SendItem[] {
    return this.#items;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Under which all of it can be found again; empty when that cannot be said of every part. */
  get handles(): readonly FileSystemHandle[] {
    return this.#handles.some((some) => some.length === 0) ? [] : this.#handles.flat();
  }

  /** "12 files and 1 empty folder". */
  get countText(): string {
    return formatEntries(this.#items.length - this.#folderCount, this.#folderCount);
  }

  /** Items found so far by a walk that is still going on, else null. */
  get found(): number | null {
    return this.#found;
  }

  /** What was left out or renamed, in a sentence each. */
  get remarks(): readonly string[] {
    const remarks: string[] = [];
    if (this.#refused.length > 0) {
      const names = this.#refused.slice(0, NAMES_SHOWN).map(displayPath).join(", ");
      const more = this.#refused.length > NAMES_SHOWN ? ", …" : "";
      remarks.push(`The browser cannot open ${formatPlural(this.#refused.length, "thing")}, left out: ${names}${more}`);
    }
    if (this.#renamed > 0) {
      remarks.push(
        `${formatPlural(this.#renamed, "name")} changed: equal names get a number, unusable letters a sign.`,
      );
    }
    return remarks;
  }

  /** Adds what a drop, an input or a paste gave. */
  async add(collecting: Promise<Collected> | Collected): Promise<void> {
    this.#found = 0;
    try {
      const { items, refused, handles } = await collecting;
      this.#keep(handles);
      const sendable: DraftItem[] = [];
      const unsendable: string[] = [];
      let renamed = 0;
      for (const item of items) {
        const draft = draftItem(item);
        if (draft === null) unsendable.push(item.path);
        else sendable.push(draft);
        if (draft !== null && draft.path !== item.path) renamed += 1;
      }
      const before = [...this.#items, ...sendable];
      const after = uniquePaths(before);
      const paths = new Set(before.map(({ path }) => path));
      renamed += after.reduce((sum, { path }) => sum + (paths.has(path) ? 0 : 1), 0);
      this.#items = after;
      this.#refused = [...this.#refused, ...refused, ...unsendable];
      this.#renamed += renamed;
    } finally {
      this.#found = null;
    }
  }

  /** Told by a walk that is going on. */
  readonly countFound = (count: number): void => {
    this.#found = count;
  };

  removeAt(index: number): void {
    this.#items = this.#items.toSpliced(index, 1);
  }

  clear(): void {
    this.#items = [];
    this.#refused = [];
    this.#renamed = 0;
    this.#handles = [];
  }

  #keep(handles: Promise<readonly FileSystemHandle[]>): void {
    const all = this.#handles;
    const place = all.push([]) - 1;
    // Nothing waits for them: the browser may show a question first.
    void handles.then((some) => {
      all[place] = some;
    });
  }
}
