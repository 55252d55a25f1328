import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { Failure } from "../../../core/failure.ts";
import { newPortal } from "../../../tests/contract/store-suite.ts";
import { ByteBudget } from "../byte-budget.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { Portals } from "./portals.ts";

it.each(["by its owner again", "by the sweep"])(
  "[RELAY-13] a portal whose end could not be written down is over for everybody, and ended %s",
  async (who) => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-portals-"));
    const limits = { maxPortalBytes: 2 ** 30, maxStoreBytes: 2 ** 30, maxPortals: 10, minFreeBytes: 0 };
    const store = await openSqliteStore({ ...limits, dataDir });
    try {
      const portals = new Portals({ store, budget: new ByteBudget(1) }, { now: () => 2_000_000, steady: () => 0 });
      const { key } = newPortal();
      await store.createPortal({ ...newPortal(), key });
      const live = (await portals.find(key))?.live;
      if (live === undefined) throw new Error("the portal is not there");
      const end = vi.spyOn(store, "endPortal").mockRejectedValue(new Failure("relay/storage"));
      await expect(portals.end(live, "owner")).rejects.toThrow("relay/storage");
      // What is kept in memory of ended portals is forgotten now and then, but not this.
      await portals.sweep();
      expect((await portals.find(key))?.live).toBeUndefined();
      await expect(portals.endAgain(key)).rejects.toThrow("relay/storage");
      end.mockRestore();
      await (who === "by the sweep" ? portals.sweep() : portals.endAgain(key));
      expect((await store.loadPortal(key))?.endedAtMs).toBe(2_000_000);
    } finally {
      await store.close();
      await rm(dataDir, { recursive: true });
    }
  },
);
