/**
 * Invitations in the embedded store: the hash of a random code, how often it is good, and until when. One is used up in the
 * transaction that makes what it is for, so that neither gets lost without the other.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../core/failure.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { InviteStore } from "./store.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export class Invites implements InviteStore {
  readonly #changes: GroupCommit;
  readonly #insert;
  readonly #use;
  readonly #forget;

  constructor(db: DatabaseSync, changes: GroupCommit) {
    this.#changes = changes;
    this.#insert = db.prepare("INSERT INTO invites (code_hash, uses_left, expires_ms) VALUES (?, ?, ?)");
    this.#use = db.prepare(
      "UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = ? AND uses_left > 0 AND expires_ms > ?",
    );
    this.#forget = db.prepare("DELETE FROM invites WHERE uses_left = 0 OR expires_ms <= ?");
  }

  add(codeHash: Bytes, uses: number, expiresAtMs: number): Promise<void> {
    return this.#changes.submit(() => void this.#insert.run(codeHash, uses, expiresAtMs), { grows: true });
  }

  /** Inside a transaction. @param codeHash u8[32], or null where none is needed. @throws Failure `relay/invite` */
  use(codeHash: Bytes | null, nowMs: number): void {
    if (codeHash === null) return;
    if (this.#use.run(codeHash, nowMs).changes !== 1) throw new Failure("relay/invite");
  }

  forget(nowMs: number): Promise<void> {
    return this.#changes.submit(() => void this.#forget.run(nowMs));
  }
}
