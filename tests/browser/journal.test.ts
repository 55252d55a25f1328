/**
 * Journals in the browser's own database: order, durability, one holder over all tabs, and nothing in clear on the disk.
 *
 * @module
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../support/bundle.ts";
import { launchProfile } from "../support/chromium.ts";

const ORIGIN = "http://localhost:4444";
const NOTE = {
  link: "/p/canary-link#1.canary-secret.abc",
  title: "canary-title.txt",
  bytesDone: 1,
  bytesTotal: 2,
  entriesTotal: 3,
  expiresAtMs: null,
  sink: null,
};

let code: string;
let folder: string;
let context: BrowserContext;

beforeAll(async () => {
  code = await bundle("tests/browser/journal-page.ts", "es");
  folder = await mkdtemp(join(tmpdir(), "warp-journal-"));
  context = await launchProfile(folder);
});
afterAll(async () => {
  await context?.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<Page> {
  const page = await context.newPage();
  await page.route("**/*", (route) => {
    const isCode = route.request().url().endsWith("/code.js");
    const html = '<!doctype html><script type="module" src="/code.js"></script>';
    return route.fulfill(
      isCode ? { contentType: "text/javascript", body: code } : { contentType: "text/html", body: html },
    );
  });
  await page.goto(ORIGIN);
  await page.waitForFunction(() => "warp" in globalThis);
  return page;
}

describe("a journal", () => {
  test("keeps its records in order, over the end of the tab and of the browser, and its keys cannot be exported", async () => {
    const first = await open();
    await first.evaluate(async (note) => {
      const journal = await warp.createJournal(await warp.head("order"), note);
      await Promise.all(Array.from({ length: 200 }, (_, i) => warp.append(journal, `record ${i}`)));
    }, NOTE);
    await context.close();
    context = await launchProfile(folder);
    const second = await open();
    const found = await second.evaluate(async () => {
      const journal = await warp.openJournal("send", "order", false);
      await warp.append(journal, "record 200");
      const { owner } = journal.head.keys;
      const exported = owner && (await warp.codeOf(crypto.subtle.exportKey("raw", owner)));
      const signed = owner && (await crypto.subtle.sign("HMAC", owner, new Uint8Array(1))).byteLength;
      return {
        texts: await warp.textsOf(journal),
        note: journal.note,
        exported,
        signed,
        kind: journal.head.handles[0]?.kind,
      };
    });
    expect(found.texts).toEqual(Array.from({ length: 201 }, (_, i) => `record ${i}`));
    expect(found.note).toEqual(NOTE);
    expect(found.exported).toMatch(/InvalidAccessError/);
    expect(found.signed).toBe(32);
    expect(found.kind).toBe("directory");
    await second.close();
  });

  test("of a version that knew no further relays has none, as has one that names what is no relay", async () => {
    const page = await open();
    const found = await page.evaluate(async (note) => {
      const relaysOf = async (relays: unknown) => {
        const head = { ...(await warp.head("relays")), relays };
        if (relays === undefined) Reflect.deleteProperty(head, "relays");
        await (await warp.createJournal(head as Parameters<typeof warp.createJournal>[0], note)).close();
        const journal = await warp.openJournal("send", "relays", false);
        const listed = (await warp.listJournals()).find(({ head }) => head.portal === "relays");
        await journal.close();
        return [journal.head.relays, listed?.head.relays];
      };
      return [await relaysOf(["https://b.example"]), await relaysOf(undefined), await relaysOf(["javascript:"])];
    }, NOTE);
    expect(found).toEqual([
      [["https://b.example"], ["https://b.example"]],
      [[], []],
      [[], []],
    ]);
    await page.close();
  });

  test("has one holder; another tab is told, and may take it over", async () => {
    const [one, two] = [await open(), await open()];
    await one.evaluate(async (note) => {
      const journal = await warp.createJournal(await warp.head("two-tabs"), note);
      await warp.append(journal, "of the first");
      Object.assign(globalThis, { journal, wasLost: journal.lost.then(() => true) });
    }, NOTE);
    const isRunning = (page: Page) =>
      page.evaluate(async () => (await warp.listJournals()).find(({ head }) => head.portal === "two-tabs")?.isRunning);
    expect(await isRunning(two)).toBe(true);
    expect(await two.evaluate(() => warp.codeOf(warp.openJournal("send", "two-tabs", false)))).toBe(
      "transfer/elsewhere",
    );
    expect(await two.evaluate(() => warp.codeOf(warp.removeJournal("send", "two-tabs")))).toBe("transfer/elsewhere");
    const texts = await two.evaluate(async () => {
      const journal = await warp.openJournal("send", "two-tabs", true);
      await warp.append(journal, "of the second");
      return warp.textsOf(journal);
    });
    expect(texts).toEqual(["of the first", "of the second"]);
    const told = await one.evaluate(async () => {
      const { journal, wasLost } = globalThis as unknown as {
        journal: Awaited<ReturnType<typeof warp.openJournal>>;
        wasLost: Promise<boolean>;
      };
      return { wasLost: await wasLost, appended: await warp.codeOf(warp.append(journal, "too late")) };
    });
    expect(told).toEqual({ wasLost: true, appended: "transfer/elsewhere" });
    await two.close();
    // The browser lets a closed page's locks go a moment later.
    await expect.poll(() => isRunning(one)).toBe(false);
    await one.close();
  });

  test("a burst that one tab writes while another takes over leaves no hole and no doubled number", async () => {
    const [one, two] = [await open(), await open()];
    await one.evaluate(async (note) => {
      const journal = await warp.createJournal(await warp.head("burst"), note);
      let count = 0;
      const write = (): void => {
        for (let i = 0; i < 50; i++) void warp.append(journal, `first ${count++}`).catch(() => {});
        if (count < 5000) setTimeout(write);
      };
      write();
    }, NOTE);
    await one.waitForTimeout(100);
    const texts = await two.evaluate(async () => {
      const journal = await warp.openJournal("send", "burst", true);
      for (let i = 0; i < 20; i++) await warp.append(journal, `second ${i}`);
      return warp.textsOf(journal);
    });
    const ofFirst = texts.filter((text) => text.startsWith("first"));
    expect(ofFirst.length).toBeGreaterThan(0);
    expect(texts).toEqual([
      ...ofFirst.map((_, i) => `first ${i}`),
      ...Array.from({ length: 20 }, (_, i) => `second ${i}`),
    ]);
    await Promise.all([one.close(), two.close()]);
  });

  test("that was damaged is refused, and one that is gone is absent", async () => {
    const page = await open();
    const codes = await page.evaluate(async (note) => {
      const journal = await warp.createJournal(await warp.head("damaged"), note);
      for (const text of ["a", "b", "c"]) await warp.append(journal, text);
      await journal.close();
      const request = indexedDB.open("warp-journal");
      await new Promise((resolve) => {
        request.onsuccess = resolve;
      });
      const change = async (number: number, how: (sealed: Uint8Array) => Uint8Array | undefined) => {
        const transaction = request.result.transaction("records", "readwrite");
        const store = transaction.objectStore("records");
        const got = store.get(["send", "damaged", number]);
        await new Promise((resolve) => {
          got.onsuccess = resolve;
        });
        const sealed = how(got.result.sealed);
        if (sealed === undefined) store.delete(["send", "damaged", number]);
        else store.put({ ...got.result, sealed });
        await new Promise((resolve) => {
          transaction.oncomplete = resolve;
        });
      };
      const read = async () => {
        const again = await warp.openJournal("send", "damaged", false);
        const code = await warp.codeOf(warp.textsOf(again));
        await again.close();
        return code;
      };
      const before = await read();
      let whole: Uint8Array | undefined;
      await change(1, (sealed) => {
        whole = sealed;
        return sealed.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
      });
      const flipped = await read();
      await change(1, () => whole);
      await change(2, () => whole);
      const moved = await read();
      await change(1, () => undefined);
      const missing = await read();
      request.result.close();
      await warp.removeJournal("send", "damaged");
      return { before, flipped, moved, missing, absent: await warp.codeOf(warp.openJournal("send", "damaged", false)) };
    }, NOTE);
    expect(codes).toEqual({
      before: "resolved",
      flipped: "journal/damaged",
      moved: "journal/damaged",
      missing: "journal/damaged",
      absent: "journal/absent",
    });
    await page.close();
  });

  test("leaves no name, no link and no secret in clear in the browser's profile", async () => {
    const page = await open();
    await page.evaluate(async (note) => {
      const journal = await warp.createJournal(await warp.head("secret"), note);
      await warp.append(journal, "canary-record");
      await journal.setNote({ ...note, title: "canary-title-2" });
      // What the search must find, so that it is known to look in the right place.
      await new Promise((resolve) => {
        const request = indexedDB.open("in-clear");
        request.onupgradeneeded = () => request.result.createObjectStore("any").put("canary-in-clear", 1);
        request.onsuccess = resolve;
      });
    }, NOTE);
    await context.close();
    const found = new Set<string>();
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      for (const canary of ["canary-link", "canary-secret", "canary-title", "canary-record", "canary-in-clear"])
        if (bytes.includes(canary) || bytes.includes(Buffer.from(canary, "utf16le"))) found.add(canary);
    }
    expect([...found]).toEqual(["canary-in-clear"]);
    context = await launchProfile(folder);
  });
});
