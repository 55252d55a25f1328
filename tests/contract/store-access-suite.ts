/**
 * What every store of the relay promises about links, claims, rules and deliveries.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import { MAX_LINKS } from "../../core/portal/portal.ts";
import type { LinkKey, PortalKey } from "../../relay-server/src/bytes.ts";
import type { DownloadKey } from "../../relay-server/src/store/access.ts";
import type { NewPortal, Store } from "../../relay-server/src/store/store.ts";
import { random } from "../integration/relay-client.ts";
import { codeOf, newLink, newPortal, PACK, type StoreSubject, storeObject } from "./store-suite.ts";

const NOW = 2_000_000;
const UNTIL = NOW + 1000;

export function firstLink({ links }: Pick<NewPortal, "links">): LinkKey {
  const [first] = links;
  if (first === undefined) throw new Error("the portal has no link");
  return first.link;
}

const by = (portal: NewPortal, claim = random(16), link = firstLink(portal)): DownloadKey => ({
  key: portal.key,
  link,
  claim,
});

async function usesOf(store: Store, key: PortalKey, link: LinkKey): Promise<number | undefined> {
  return (await store.loadPortal(key))?.links.find((one) => one.link === link)?.uses;
}

/** @param open makes an empty store with LIMITS */
export function describeAccess(name: string, open: () => Promise<StoreSubject>): void {
  describe(name, () => {
    it("[RELAY-48] adds, keeps and removes links, the same one again too", async () => {
      await using subject = await open();
      const portal = newPortal();
      await subject.store.createPortal(portal);
      const link = newLink("read", { maxUses: 2, notBeforeMs: 5, expiresAtMs: 9, password: null });
      for (const _ of [1, 2]) await subject.store.access.addLink(portal.key, link, NOW);
      const other = { ...link, tokenHash: random(32) };
      expect(await codeOf(subject.store.access.addLink(portal.key, other, NOW))).toBe("portal/taken");
      const store = await subject.reopen();
      const links = (await store.loadPortal(portal.key))?.links;
      expect(links?.find((one) => one.link === link.link)).toEqual({ ...link, uses: 0, createdAtMs: NOW });
      for (const _ of [1, 2]) await store.access.removeLink(portal.key, link.link);
      expect((await store.loadPortal(portal.key))?.links.map((one) => one.link)).toEqual([firstLink(portal)]);
    });

    it("[RELAY-48] gives a portal so many links and no more", async () => {
      await using subject = await open();
      const { access } = subject.store;
      const portal = newPortal({ links: [] });
      await subject.store.createPortal(portal);
      const wished = Array.from({ length: MAX_LINKS + 5 }, () => access.addLink(portal.key, newLink("read"), NOW));
      const codes = await Promise.all(wished.map(codeOf));
      expect(codes.filter((code) => code === "nothing failed")).toHaveLength(MAX_LINKS);
      expect(codes.filter((code) => code === "portal/full")).toHaveLength(5);
    });

    it("[RELAY-53] counts a claim once, for portal and link, also over a restart", async () => {
      await using subject = await open();
      const portal = newPortal({ maxDownloads: null });
      await subject.store.createPortal(portal);
      const download = by(portal);
      for (const _ of [1, 2]) await subject.store.access.completeDownload(download, NOW);
      const store = await subject.reopen();
      await store.access.completeDownload(download, NOW);
      await store.access.completeDownload(by(portal), NOW);
      expect((await store.loadPortal(portal.key))?.downloads).toBe(2);
      expect(await usesOf(store, portal.key, firstLink(portal))).toBe(2);
    });

    it.each([
      ["of the portal", { maxDownloads: 3 }],
      ["of the link", { maxDownloads: null, links: [newLink("read", { maxUses: 3 })] }],
    ])(
      "[RELAY-52, RELAY-53] lets exactly as many of 100 claim, and complete, as the limit %s allows",
      async (_of, rules) => {
        await using subject = await open();
        const { access } = subject.store;
        const portal = newPortal(rules);
        await subject.store.createPortal(portal);
        const racers = Array.from({ length: 100 }, () => by(portal));
        const claimed = await Promise.all(racers.map((one) => codeOf(access.takeClaim(one, NOW, UNTIL))));
        expect(claimed.filter((code) => code === "nothing failed")).toHaveLength(3);
        expect(claimed.filter((code) => code === "portal/claimed")).toHaveLength(97);
        expect(await access.countClaims(portal.key, NOW)).toBe(3);
        const completed = await Promise.all(racers.map((one) => codeOf(access.completeDownload(one, NOW))));
        expect(completed.filter((code) => code === "nothing failed")).toHaveLength(3);
        expect(completed.map((code) => code === "nothing failed")).toEqual(
          claimed.map((code) => code === "nothing failed"),
        );
        const stored = await subject.store.loadPortal(portal.key);
        expect(stored?.downloads).toBe(3);
        expect(stored?.endReason).toBe(rules.maxDownloads === 3 ? "downloads" : null);
        const late = await codeOf(access.takeClaim(by(portal), NOW, UNTIL));
        expect(late).toBe(rules.maxDownloads === 3 ? "portal/expired" : "portal/unknown");
      },
    );

    it("[RELAY-52] keeps claims over a restart, lets them lapse, be renewed and be given back", async () => {
      await using subject = await open();
      const portal = newPortal({ maxDownloads: 1 });
      await subject.store.createPortal(portal);
      const [first, second] = [by(portal), by(portal)];
      await subject.store.access.takeClaim(first, NOW, UNTIL);
      const { access } = await subject.reopen();
      expect(await access.findClaim(first)).toBe(UNTIL);
      expect(await codeOf(access.takeClaim(second, UNTIL - 1, UNTIL + 500))).toBe("portal/claimed");
      await access.renewClaim(first, UNTIL - 1, UNTIL + 500);
      expect(await codeOf(access.takeClaim(second, UNTIL, UNTIL + 500))).toBe("portal/claimed");
      await access.renewClaim(first, UNTIL + 500, UNTIL + 900);
      await access.takeClaim(second, UNTIL + 500, UNTIL + 1000);
      expect(await access.findClaim(first)).toBeUndefined();
      expect(await codeOf(access.completeDownload(first, UNTIL + 501))).toBe("portal/claimed");
      for (const _ of [1, 2]) await access.releaseClaim(second);
      await access.completeDownload(first, UNTIL + 502);
      expect(await access.findClaim(first)).toBe("completed");
    });

    it("[RELAY-52] gives a claim to one link only, and takes it back with the link", async () => {
      await using subject = await open();
      const { access } = subject.store;
      const portal = newPortal({ maxDownloads: 1, links: [newLink("read"), newLink("read")] });
      await subject.store.createPortal(portal);
      const [one = firstLink(portal), two = firstLink(portal)] = portal.links.map(({ link }) => link);
      const claim = random(16);
      await access.takeClaim(by(portal, claim, one), NOW, UNTIL);
      expect(await access.findClaim(by(portal, claim, two))).toBeUndefined();
      expect(await codeOf(access.completeDownload(by(portal, claim, two), NOW))).toBe("wire/malformed");
      await access.releaseClaim(by(portal, claim, two));
      expect(await codeOf(access.takeClaim(by(portal, random(16), two), NOW, UNTIL))).toBe("portal/claimed");
      await access.removeLink(portal.key, one);
      expect(await codeOf(access.takeClaim(by(portal, claim, one), NOW, UNTIL))).toBe("portal/unknown");
      await access.takeClaim(by(portal, random(16), two), NOW, UNTIL);
    });

    it("[RELAY-55] changes rules and keeps the others; a limit that is reached already ends the portal", async () => {
      await using subject = await open();
      const portal = newPortal({ maxDownloads: null });
      await subject.store.createPortal(portal);
      const { access } = subject.store;
      await access.completeDownload(by(portal), NOW);
      const hash = random(32);
      await access.changeRules(portal.key, { expiry: { seconds: 60, expiresAtMs: NOW + 60_000 }, isPaused: true }, NOW);
      await access.changeRules(portal.key, { idleSeconds: 70, ownerTokenHash: hash }, NOW);
      const changed = {
        expirySeconds: 60,
        expiresAtMs: NOW + 60_000,
        isPaused: true,
        idleSeconds: 70,
        ownerTokenHash: hash,
      };
      expect(await (await subject.reopen()).loadPortal(portal.key)).toMatchObject({ ...changed, endedAtMs: null });
      await subject.store.access.changeRules(portal.key, { maxDownloads: 1 }, NOW);
      expect(await subject.store.loadPortal(portal.key)).toMatchObject({ endReason: "downloads", endedAtMs: NOW });
      expect(await codeOf(subject.store.access.changeRules(portal.key, {}, NOW))).toBe("portal/expired");
      expect(subject.store.usage().portals).toBe(0);
    });

    it("[RELAY-56] lists portals that nobody used for long enough", async () => {
      await using subject = await open();
      const { store } = subject;
      const [idle, busy, free] = [newPortal({ idleSeconds: 60 }), newPortal({ idleSeconds: 60 }), newPortal()];
      for (const portal of [idle, busy, free]) await store.createPortal(portal);
      await store.access.touch(busy.key, 1_000_001);
      await store.access.touch(busy.key, 5);
      expect(await store.overdue(0, 1_060_000 - 1)).toEqual([]);
      expect(await store.overdue(0, 1_060_000)).toEqual([idle.key]);
      expect(new Set(await store.overdue(0, 1_060_001))).toEqual(new Set([idle.key, busy.key]));
    });

    it("[RELAY-57] lets exactly as many of 20 deliveries be made as a write link allows, and gives uses back", async () => {
      await using subject = await open();
      const { store } = subject;
      const request = newPortal({ kind: "request", maxDownloads: null, links: [newLink("write", { maxUses: 2 })] });
      await store.createPortal(request);
      const link = firstLink(request);
      const deliver = () => newPortal({ delivery: { request: request.key, link, offer: random(80) } });
      const racers = Array.from({ length: 20 }, deliver);
      const codes = await Promise.all(racers.map((one) => codeOf(store.createPortal(one))));
      const made = racers.filter((_one, at) => codes[at] === "nothing failed");
      expect(made).toHaveLength(2);
      // The store has room for three portals.
      expect(codes.filter((code) => code === "portal/unknown" || code === "relay/full")).toHaveLength(18);
      const [first, second] = made as [NewPortal, NewPortal];
      await storeObject(store, first, PACK());
      await store.commitPortal(first.key, { packs: 1, pages: 0, root: random(32) }, 1);
      expect(await store.access.deliveriesOf(request.key)).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ key: first.key, offer: first.delivery?.offer, isComplete: true }),
          expect.objectContaining({ key: second.key, bytes: 0, isComplete: false }),
        ]),
      );
      await store.endPortal(second.key, NOW, "owner");
      await store.endPortal(second.key, NOW, "owner");
      expect(await usesOf(store, request.key, link)).toBe(1);
      await store.endPortal(first.key, NOW, "owner");
      expect(await usesOf(store, request.key, link)).toBe(1);
      const third = deliver();
      await store.createPortal(third);
      expect((await store.createPortal(third)).created).toBe(false);
      expect(await usesOf(store, request.key, link)).toBe(2);
    });

    it("[RELAY-57] takes no delivery into a request that is paused or over, and lists those that nobody finishes", async () => {
      await using subject = await open();
      const { store } = subject;
      const request = newPortal({ kind: "request", maxDownloads: null, links: [newLink("write")] });
      await store.createPortal(request);
      const link = firstLink(request);
      const deliver = () => newPortal({ delivery: { request: request.key, link, offer: random(80) } });
      await store.access.changeRules(request.key, { isPaused: true }, NOW);
      expect(await codeOf(store.createPortal(deliver()))).toBe("portal/unknown");
      await store.access.changeRules(request.key, { isPaused: false }, NOW);
      const delivery = deliver();
      await store.createPortal(delivery);
      expect(await store.access.abandonedDeliveries(999_999)).toEqual([]);
      expect(await store.access.abandonedDeliveries(1_000_000)).toEqual([delivery.key]);
      expect(await store.access.orphanedDeliveries()).toEqual([]);
      await store.endPortal(request.key, NOW, "time");
      expect(await codeOf(store.createPortal(deliver()))).toBe("portal/unknown");
      expect(await store.access.orphanedDeliveries()).toEqual([{ key: delivery.key, reason: "time" }]);
      await store.endPortal(delivery.key, NOW, "time");
      await store.forgetEnded(NOW + 1);
      expect(await store.loadPortal(request.key)).toBeUndefined();
    });

    it("[RELAY-42] settles what was written under a clock that was ahead", async () => {
      await using subject = await open();
      const { store } = subject;
      const portal = newPortal({ createdAtMs: NOW, expiresAtMs: NOW + 3_600_000, maxDownloads: 1 });
      await store.createPortal(portal);
      const download = by(portal);
      await store.access.takeClaim(download, NOW, UNTIL);
      await store.settleDates(1_000_000, 1_000_900);
      const settled = { createdAtMs: 1_000_000, usedAtMs: 1_000_000, expiresAtMs: 4_600_000 };
      expect(await store.loadPortal(portal.key)).toMatchObject(settled);
      expect(await store.access.findClaim(download)).toBe(1_000_900);
      await store.access.changeRules(portal.key, { expiry: { seconds: 60, expiresAtMs: NOW + 60_000 } }, NOW);
      await store.settleDates(1_000_000, 1_000_900);
      expect((await store.loadPortal(portal.key))?.expiresAtMs).toBe(1_060_000);
    });
  });
}
