/**
 * Opening stored objects: nobody gets one before all of it was read and has its hash, and one that has not is marked, so
 * that it counts as held no longer.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { ObjectKind } from "../../../core/wire/object.ts";
import type { PortalKey } from "../bytes.ts";
import type { GroupCommit } from "./group-commit.ts";
import { bytesSource, fileSource, verifySource } from "./object-source.ts";
import type { PackFiles } from "./pack-files.ts";
import type { statementsOf } from "./statements.ts";
import { isAbsent, storageFailure } from "./storage-failure.ts";
import type { ObjectSource } from "./store.ts";

interface ReaderParts {
  readonly sql: ReturnType<typeof statementsOf>;
  readonly changes: GroupCommit;
  readonly files: PackFiles;
  readonly onDamaged: (key: PortalKey, kind: ObjectKind) => void;
}

export class StoredReader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** @throws Failure `object/absent` | `object/corrupt` | `relay/storage` */
  async open(key: PortalKey, kind: ObjectKind, index: number): Promise<ObjectSource> {
    const { sql, changes, files, onDamaged } = this.#parts;
    const found = sql.findObject(key, kind, index);
    if (found === undefined) throw new Failure("object/absent");
    if (found.corrupt) throw new Failure("object/corrupt");
    try {
      const inside = found.inside === 1 ? sql.insideBytes(key, kind, index) : undefined;
      const source = inside
        ? bytesSource(found.header, inside)
        : fileSource(found.header, await files.open(key, kind, index));
      return await verifySource(source);
    } catch (error) {
      const failure = isAbsent(error) ? new Failure("object/corrupt", {}, { cause: error }) : storageFailure(error);
      // A portal that ended meanwhile lost its files on purpose.
      if (sql.findObject(key, kind, index) === undefined) throw new Failure("object/absent");
      if (failure.code !== "object/corrupt") throw failure;
      const isNews = await changes.submit(() => sql.markCorrupt(key, kind, index, found.repairs));
      // Removed, repaired or marked meanwhile: what was read says nothing about what is there now.
      if (!isNews) return this.open(key, kind, index);
      onDamaged(key, kind);
      throw failure;
    }
  }
}
