/**
 * The built web app: a closed list of files made once at start, so that no request ever becomes a path.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

/** Addresses that show the app's one page. */
const PAGES = /^\/(?:transfers|dashboard|p\/[A-Za-z0-9_-]{1,64})?$/;
/** Files whose name holds a hash of their content. */
const HASHED = /^\/assets\//;

export interface StaticFile {
  readonly path: string;
  readonly type: string;
  readonly cacheControl: string;
  readonly etag: string;
}

export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  private constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files;
  }

  /** Lists the folder; one that does not exist is an app that is not built, and has no files. */
  static async list(folder: string): Promise<StaticFiles> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = new Map<string, StaticFile>();
    for (const entry of entries.filter((entry) => entry.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const address = `/${path.slice(folder.length).split(sep).filter(Boolean).join("/")}`;
      const digest = createHash("sha256")
        .update(await readFile(path))
        .digest("base64url");
      files.set(address, {
        path,
        type: TYPES[extname(path)] ?? "application/octet-stream",
        cacheControl: HASHED.test(address) ? "public, max-age=31536000, immutable" : "no-cache",
        etag: `"${digest.slice(0, 22)}"`,
      });
    }
    return new StaticFiles(files);
  }

  get isBuilt(): boolean {
    return this.#files.has("/index.html");
  }

  /** The file that answers a path; pages of the app are all `index.html`. */
  find(path: string): StaticFile | undefined {
    return this.#files.get(PAGES.test(path) ? "/index.html" : path);
  }
}
