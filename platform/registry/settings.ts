/**
 * Single things that this browser keeps beside the list, sealed: the invitation that relays are shown.
 *
 * @module
 */
import { openAt, sealAt } from "../journal/sealed.ts";
import { changeRegistry, readRegistry } from "./database.ts";
import { tellChange } from "./notices.ts";

const INVITE = "invite";

/** The invitation that is shown to relays that ask for one. @throws Failure `journal/damaged` */
export function storedInvite(): Promise<string | null> {
  return readRegistry(async (db, keys) => {
    const row = await db.get("settings", INVITE);
    if (row === undefined) return null;
    return new TextDecoder().decode(await openAt(keys.seal, `setting/${INVITE}`, row.sealed));
  });
}

/** Keeps it; null or an empty one is none. @throws Failure `journal/damaged` */
export async function storeInvite(invite: string | null): Promise<void> {
  await changeRegistry(async (db, keys) => {
    if (invite === null || invite === "") return db.delete("settings", INVITE);
    const sealed = await sealAt(keys.seal, `setting/${INVITE}`, new TextEncoder().encode(invite));
    await db.put("settings", { name: INVITE, sealed });
    return undefined;
  });
  tellChange();
}
