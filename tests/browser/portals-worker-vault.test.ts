/**
 * A list that several devices of one person share, before a real relay: the phrase, restoring, telling changes, taking a device
 * off.
 *
 * @module
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { KnownPortal } from "../../workers/portals/api.ts";
import { launchProfile } from "../support/chromium.ts";
import { openModulePage, reloadModule } from "../support/module-page.ts";
import {
  completePortal,
  devicesOf,
  identityOf,
  keepUnderPhrase,
  list,
  refreshed,
  restore,
  usePortalsPages,
} from "../support/portals-pages.ts";

const pages = usePortalsPages();

/** Without what only one device has seen. */
function plain(portals: readonly KnownPortal[]): unknown {
  return portals.map(({ live: _, expiresAtMs: __, ...rest }) => rest);
}

/** Which of some texts or bytes lie anywhere in a folder. */
async function foundIn(folder: string, canaries: readonly (string | Uint8Array)[]): Promise<unknown[]> {
  const found = new Set<unknown>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const canary of canaries) {
      const forms = typeof canary === "string" ? [canary, Buffer.from(canary, "utf16le")] : [canary];
      if (forms.some((form) => bytes.includes(form))) found.add(canary);
    }
  }
  return [...found];
}

describe("a recovery phrase", () => {
  test("[VAULT-10] is the same until it is confirmed, and then forgotten; the list is kept from then on", async () => {
    const page = await pages.open();
    expect(await identityOf(page)).toBe("local");
    await page.evaluate(() => warpPortals.send("before the phrase"));
    const words = await page.evaluate(() => warpPortals.portals.makePhrase());
    expect(words).toHaveLength(24);
    await reloadModule(page, pages.module);
    expect(await identityOf(page)).toBe("unconfirmed");
    expect(await page.evaluate(() => warpPortals.portals.makePhrase())).toEqual(words);
    await page.evaluate((origin) => warpPortals.portals.confirmPhrase(origin, "Laptop"), pages.relay.url);
    const identity = await page.evaluate(() => warpPortals.portals.identity());
    expect(identity.state).toBe("kept");
    expect(Math.abs((identity.syncedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await devicesOf(page)).toMatchObject([{ name: "Laptop", isThis: true, isRevoked: false }]);
    const again = await page.evaluate(
      (origin) => warpPortals.codeOf(warpPortals.portals.confirmPhrase(origin, "Laptop")),
      pages.relay.url,
    );
    expect(again).toBe("journal/absent");
    const kept = await page.evaluate(async () => {
      const { keys } = await warpPortals.identity();
      return Object.values(keys).map((key) => key.extractable);
    });
    expect(kept).toEqual([false, false, false]);
  });

  test("[VAULT-13] brings the same list to a fresh browser, which can pause and end there", async () => {
    const laptop = await pages.open();
    const sent = await laptop.evaluate(() => warpPortals.send("letters.zip"));
    await completePortal(pages.relay.url, sent);
    const request = { title: "Photos", relayOrigin: pages.relay.url, expirySeconds: 3600, maxUses: null, password: "" };
    await laptop.evaluate((request) => warpPortals.portals.createRequest(request), request);
    await laptop.evaluate(([portal, link]) => warpPortals.portals.addLink(portal, link), [
      sent.portal,
      {
        ...{ capability: "read" as const, label: "for Ada", password: "" },
        ...{ maxUses: null, notBeforeMs: null, expiresAtMs: null },
      },
    ] as const);
    await laptop.evaluate(() => warpPortals.send("only here", "received"));
    const phrase = await keepUnderPhrase(laptop, "Laptop");

    const phone = await pages.open();
    expect(await restore(phone, `  ${phrase.toUpperCase().replaceAll(" ", "\n ")} `, "Phone")).toBe("resolved");
    expect(await identityOf(phone)).toBe("kept");
    const shared = (await refreshed(laptop)).filter(({ as }) => as !== "received");
    expect(plain(await refreshed(phone))).toEqual(plain(shared));
    expect((await devicesOf(phone)).map(({ name, isThis }) => [name, isThis])).toEqual([
      ["Laptop", false],
      ["Phone", true],
    ]);
    const labels = (await list(phone)).find(({ portal }) => portal === sent.portal)?.live?.links;
    expect(labels?.map(({ label }) => label)).toEqual(["", "for Ada"]);

    const liveOn = async (page: Page) => (await refreshed(page)).find(({ portal }) => portal === sent.portal);
    await phone.evaluate((portal) => warpPortals.portals.change(portal, { paused: true }), sent.portal);
    expect((await liveOn(laptop))?.live?.phase).toBe("paused");
    await phone.evaluate((portal) => warpPortals.portals.end(portal), sent.portal);
    expect((await liveOn(laptop))?.ended).toBe("owner");

    // What was handed in to the request opens on both.
    const [asked] = (await list(phone)).filter(({ as }) => as === "request");
    const delivery = await phone.evaluate((path) => warpPortals.deliver(path), asked?.link ?? "");
    for (const page of [laptop, phone]) {
      const found = (await refreshed(page)).find(({ as }) => as === "request");
      expect(found?.live?.deliveries).toMatchObject([{ path: delivery.path }]);
    }
  });

  test("that is mistyped says which word; one that nobody has, or of another relay, is unknown; nothing changes", async () => {
    const laptop = await pages.open();
    const words = (await keepUnderPhrase(laptop, "Laptop")).split(" ");
    const phone = await pages.open();
    const codes = [];
    for (const wrong of [
      words.with(6, "warpportal"),
      words.slice(0, 23),
      [...words.slice(0, 23), words[23] === "abandon" ? "ability" : "abandon", "extra"],
      Array(24).fill("art"),
      [...Array(23).fill("abandon"), "art"],
    ])
      codes.push(await restore(phone, wrong.join(" "), "Phone"));
    expect(codes).toEqual([
      "phrase/wrong, word 7",
      "phrase/wrong, 23 words",
      "phrase/wrong, 25 words",
      "phrase/wrong",
      "vault/unknown",
    ]);
    expect(await identityOf(phone)).toBe("local");
    expect(await devicesOf(laptop)).toHaveLength(1);
  });

  test("[VAULT-11] leaves nothing in clear, neither at the relay nor in the browser's profile", async () => {
    const folder = await mkdtemp(join(tmpdir(), "warp-vault-"));
    const context = await launchProfile(folder);
    const page = await openModulePage(context, pages.module);
    const made = await page.evaluate(() => warpPortals.send("canary-title"));
    const phrase = await keepUnderPhrase(page, "canary-device");
    await page.evaluate(() => warpPortals.portals.refresh());
    const { record } = await page.evaluate(async (portal) => {
      const { record } = await warpPortals.found(portal);
      return {
        record: { ...record, ownerSecret: [...(record.ownerSecret ?? [])], secret: [...(record.secret ?? [])] },
      };
    }, made.portal);
    await context.close();
    const secrets = [
      ...[
        "canary-title",
        "canary-device",
        phrase,
        phrase.split(" ").slice(0, 3).join(" "),
        made.path.split("#")[1] ?? "",
      ],
      ...[Uint8Array.from(record.ownerSecret), Uint8Array.from(record.secret)],
    ];
    expect(await foundIn(pages.relay.dataDir, secrets)).toEqual([]);
    expect(await foundIn(folder, [...secrets, made.portal])).toEqual([]);
    // The relay does know the portal: the search looks in the right place.
    expect(await foundIn(pages.relay.dataDir, [Buffer.from(made.portal, "base64url").toString("hex")])).not.toEqual([]);
    await rm(folder, { recursive: true, force: true });
  });
});
