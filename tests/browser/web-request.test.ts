/**
 * Asking for files, handing them in, managing by a link, and links without their secret, in a real Chromium under the
 * product's policies; only the workers are scripted.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import { expectAccessible, expectFitting } from "../support/axe.ts";
import { knownPortals, REQUEST_ID } from "../support/known-portals.ts";
import type { Script } from "../support/scripted-transfer.ts";
import {
  attributes,
  calls,
  chooseFiles,
  ENTRIES,
  LINK,
  portalCalls,
  SENDING,
  show,
  startReceiving,
  useWebPages,
} from "../support/web-pages.ts";

const pages = useWebPages();
const PORTAL = "q3Zk1Yw0R5uT8sVbXc2NeA";
const WRITE: Script = { purpose: { capability: "write", title: "Photos of the trip" } };

/** A received portal of the list, as the worker remembers it. */
const remembered = (link: string): Script => {
  const [first] = knownPortals(pages.app.url, Date.now()).filter(({ as }) => as === "received");
  if (first === undefined) throw new Error("there is one");
  return { entries: ENTRIES, portals: { rows: [{ ...first, portal: PORTAL, link }] } };
};

describe("a request for files", () => {
  it("is made with title, end, number of deliveries and password, and gives a link with its picture", async () => {
    const page = await pages.open("/transfers");
    await page.getByTestId("request-new").click();
    await page.getByTestId("request-title").fill("  Photos of the trip ");
    await page.getByTestId("request-expiry").selectOption("86400");
    await page.getByTestId("request-uses").fill("20");
    await page.getByTestId("request-password").fill("open sesame");
    await page.getByTestId("request-create").click();
    expect(await page.getByTestId("request-link").inputValue()).toMatch(
      new RegExp(`^${pages.app.url}/p/[\\w-]{22}#1\\.`),
    );
    expect(await portalCalls(page, "createRequest")).toEqual([
      [
        {
          title: "Photos of the trip",
          expirySeconds: 86_400,
          maxUses: 20,
          password: "open sesame",
          relayOrigin: pages.app.url,
        },
      ],
    ]);
    const card = page.getByRole("region", { name: "Your request is ready" });
    expect(await card.textContent()).toMatch(/for 20\sdeliveries.*only you can read.*the password some other way/s);
    expect(await card.getByRole("img", { name: "QR code of the link" }).count()).toBe(1);
  });

  it("is not made when the relay refuses, and says why", async () => {
    const page = await pages.open("/transfers#request", {
      portals: { refusals: { createRequest: { code: "relay/busy", details: { retrySeconds: 90 } } } },
    });
    await page.getByTestId("request-title").fill("x");
    await page.getByTestId("request-create").click();
    expect(await page.getByTestId("problem").textContent()).toContain("1\u00a0min 30\u00a0s");
    expect(await page.getByTestId("request-title").inputValue()).toBe("x");
  });

  it("lists what was handed in; each leads to its own page, and one that does not open says so", async () => {
    const page = await pages.open(`/transfers#${REQUEST_ID}`, {
      portals: { rows: knownPortals(pages.app.url, Date.now()) },
    });
    const rows = page.getByTestId("delivery-row");
    await rows.first().waitFor();
    expect(await rows.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset["complete"]))).toEqual([
      "true",
      "false",
      "true",
    ]);
    expect(await rows.first().getByTestId("delivery-open").getAttribute("href")).toBe(
      `${pages.app.url}/p/delivery-1#1.delivery-canary.check`,
    );
    expect(await rows.last().textContent()).toContain("It cannot be opened");
  });
});

describe("handing in", () => {
  it("sends what a stranger chose to whoever asked, and shows no link of its own", async () => {
    const page = await pages.open(`${LINK.replace("#", "?path=tcp#")}`, WRITE);
    await page.getByRole("heading", { level: 1, name: "Photos of the trip: hand in files" }).waitFor();
    expect(await page.getByTestId("link-purpose").getAttribute("data-purpose")).toBe("write");
    await chooseFiles(page, "a.txt");
    await page.getByTestId("hand-in").click();
    await page.getByTestId("pause").waitFor();
    const [, [method, options] = []] = (await calls(page)).filter(([name]) => name === "open" || name === "send");
    expect(method).toBe("send");
    expect(options).toMatchObject({
      request: { link: LINK, password: "" },
      password: "",
      maxDownloads: null,
      idleSeconds: null,
      overrides: { path: "tcp" },
    });
    await show(page, SENDING);
    expect(await attributes(page)).toMatchObject({ state: "running" });
    await show(page, { state: "done", bytesDone: 800e6 });
    expect(await page.getByTestId("handed-in").textContent()).toContain("Only the one who asked can read it.");
    expect(await page.getByTestId("share-link").count()).toBe(0);
    await page.getByRole("button", { name: "Hand in more" }).click();
    await page.getByText("Drop files or folders here").waitFor();
  });

  it("asks for the password first, and hands it on", async () => {
    const page = await pages.open(LINK, { ...WRITE, password: "open sesame" });
    await page.getByTestId("password-input").fill("guess");
    await page.keyboard.press("Enter");
    await page.getByText("The password is not right.").waitFor();
    await page.getByTestId("password-input").fill("open sesame");
    await page.keyboard.press("Enter");
    await chooseFiles(page, "a.txt");
    await page.getByTestId("hand-in").click();
    await page.getByTestId("pause").waitFor();
    const send = (await calls(page)).find(([method]) => method === "send");
    expect(send?.[1]).toMatchObject({ request: { link: LINK, password: "open sesame" } });
  });

  it("shows a title that would deceive as what it is, as text, and not without end", async () => {
    const title = `<img src=x onerror=alert(1)>\u202E${"long ".repeat(2000)}`;
    const page = await pages.open(LINK, { purpose: { capability: "write", title } });
    const heading = page.getByRole("heading", { level: 1 });
    await page.getByTestId("file-input").waitFor({ state: "attached" });
    const text = (await heading.textContent()) ?? "";
    expect(text).toContain("<img src=x onerror=alert(1)>⟨U+202E⟩");
    expect(text.length).toBeLessThan(140);
  });

  it("says what it failed with, and goes back to the list with the same files", async () => {
    const page = await pages.open(LINK, { ...WRITE, refusal: { code: "portal/unknown" } });
    // The link itself was refused: nothing can be handed in.
    expect(await page.getByTestId("failure").textContent()).toContain("the relay does not tell strangers which");
    const other = await pages.open(LINK, WRITE);
    await chooseFiles(other, "a.txt");
    await other.getByTestId("hand-in").click();
    await other.getByTestId("pause").waitFor();
    await show(other, { state: "failed", failure: { code: "portal/full", details: { limitBytes: 5e8 } } });
    expect(await other.getByTestId("failure").textContent()).toContain("500\u00a0MB");
    await other.getByRole("button", { name: "Back to the list" }).click();
    expect(await other.getByTestId("file-row").count()).toBe(1);
  });
});

describe("a link to manage", () => {
  it("puts the portal onto the list and leads there", async () => {
    const page = await pages.open(LINK, { purpose: { capability: "admin" }, password: "open sesame" });
    await page.getByTestId("password-input").fill("open sesame");
    await page.keyboard.press("Enter");
    await page.getByTestId("adopt-portal").waitFor();
    expect(await page.getByTestId("file-row").count()).toBe(0);
    expect(await page.getByTestId("receive").count()).toBe(0);
    await page.getByTestId("adopt-portal").click();
    await page.waitForURL(`${pages.app.url}/transfers#${PORTAL}`);
  });

  it("says why it cannot be taken", async () => {
    const page = await pages.open(LINK, {
      purpose: { capability: "admin" },
      portals: { refusals: { adopt: { code: "portal/unknown" } } },
    });
    await page.getByTestId("adopt-portal").click();
    expect(await page.getByTestId("problem").getAttribute("data-failure")).toBe("portal/unknown");
  });
});

describe("an address without its secret", () => {
  it("opens from this browser's list, and a link leaves its secret out of the address once it is there", async () => {
    const page = await pages.open(`${LINK.replace("#", "?sink=private#")}`, remembered(LINK));
    await page.getByTestId("receive").waitFor();
    await expect.poll(() => page.url()).toBe(`${pages.app.url}/p/${PORTAL}?sink=private`);
    await page.reload();
    await page.getByTestId("from-list").waitFor();
    expect((await calls(page))[0]).toEqual(["open", LINK, pages.app.url, {}]);
    await page.getByTestId("receive").waitFor();
    expect(page.url()).not.toContain("secret-canary");
  });

  it("keeps the secret where nothing, or another link, is remembered", async () => {
    const page = await pages.open(LINK, remembered(`/p/${PORTAL}#1.another.check`));
    await page.getByTestId("receive").and(page.locator(":enabled")).waitFor();
    await expect.poll(() => portalCalls(page, "linkOf")).toEqual([[PORTAL]]);
    expect(page.url()).toContain("#1.secret-canary");
  });

  it("that nobody knows here is a link that is cut", async () => {
    const page = await pages.open(`/p/${PORTAL}`, { refusal: { code: "link/cut" } });
    expect(await attributes(page)).toMatchObject({ state: "failed", failure: "link/cut" });
    expect((await calls(page))[0]).toEqual(["open", `/p/${PORTAL}`, pages.app.url, {}]);
  });

  it("can still be copied whole", async () => {
    const page = await pages.open(LINK, remembered(LINK), { permissions: ["clipboard-read", "clipboard-write"] });
    await page.getByTestId("copy-link").click();
    await page.getByRole("button", { name: "Copied: this page" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(pages.app.url + LINK);
  });
});

describe("waiting for others", () => {
  it("says that the owner paused it, before and while receiving", async () => {
    const page = await pages.open(LINK, {});
    await page.getByTestId("receive").waitFor();
    await show(page, { state: "waiting", waitingFor: "owner", listed: false });
    await page.getByTestId("owner-paused").waitFor();
    await show(page, { state: "preparing", waitingFor: null, listed: true });
    await expect.poll(() => page.getByTestId("owner-paused").count()).toBe(0);
    await startReceiving(page);
    await show(page, { state: "waiting", waitingFor: "owner" });
    await page.getByRole("region", { name: "Paused by its owner" }).waitFor();
  });

  it("says that a turn is waited for, which can be cancelled", async () => {
    const page = await pages.open(LINK, { entries: ENTRIES });
    await startReceiving(page);
    await show(page, { state: "waiting", waitingFor: "turn", nextTryMs: 4000 });
    const card = page.getByRole("region", { name: /^Waiting for a turn/ });
    expect(await card.textContent()).toContain("Next try in 4\u00a0s.");
    await page.getByTestId("cancel").click();
    expect(await attributes(page)).toMatchObject({ state: "cancelled" });
  });
});

describe("for everybody", () => {
  const STAGES: Readonly<Record<string, Script>> = {
    "handing in": WRITE,
    "a link to manage": { purpose: { capability: "admin" } },
    "a password for handing in": { ...WRITE, password: "x" },
  };

  it.each(Object.keys(STAGES))("%s has no fault of access, and fits a phone", async (stage) => {
    const page = await pages.open(LINK, STAGES[stage] ?? {}, { viewport: { width: 390, height: 800 } });
    await page.getByTestId("copy-link").or(page.getByTestId("password-input")).waitFor();
    await expectAccessible(page);
    await expectFitting(page);
  });
});
