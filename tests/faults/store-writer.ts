/**
 * A process that stores objects until it is killed, and tells of each one when it is durable: `store-writer.ts FOLDER FIRST`.
 * Its objects are those of `storedBytes`, from number FIRST on.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import { KILLED_LIMITS, KILLED_PORTAL, storedBytes } from "./store-killed.ts";

/** Objects on their way at a time. */
const LANES = 16;

const [folder = "", first = "0"] = process.argv.slice(2);
const store = await openSqliteStore({ ...KILLED_LIMITS, dataDir: folder });
if (first === "0") await store.createPortal(KILLED_PORTAL);

let next = Number(first);
async function lane(): Promise<void> {
  for (;;) {
    const index = next++;
    const bytes = storedBytes(index);
    const hash = Uint8Array.from(createHash("sha256").update(bytes).digest());
    const header = { kind: "pack", index, final: false, length: bytes.length, hash } as const;
    const incoming = await store.receive(KILLED_PORTAL.key, header, 1);
    await incoming.append([bytes]);
    await incoming.store();
    process.stdout.write(`${index}\n`);
  }
}
await Promise.all(Array.from({ length: LANES }, lane));
