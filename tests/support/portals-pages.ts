/**
 * Browsers with the portals worker before a real relay, and senders that complete what they send.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { MerkleBuilder } from "../../core/hash/merkle.ts";
import type { KnownDevice, KnownPortal, LinkOptions } from "../../workers/portals/api.ts";
import {
  base64url,
  bearer,
  FIRST_LEASE,
  leased,
  putObject,
  sealed,
  type TestPortal,
} from "../integration/relay-client.ts";
import { type TestRelay, testRelay } from "../integration/relay-fixture.ts";
import { bundle } from "./bundle.ts";
import { launchBrowser } from "./chromium.ts";
import { type ModulePage, openModulePage } from "./module-page.ts";

/** The page and the worker, bundled; `origin` is the relay's. */
export async function portalsPage(origin: string): Promise<Required<ModulePage>> {
  const code = await bundle("tests/browser/portals-page.ts", "es");
  const worker = await bundle("workers/portals/portals.worker.ts", "es");
  return { origin, code, worker, global: "warpPortals" };
}

export interface PortalsPages {
  readonly relay: TestRelay;
  /** The page at that relay. */
  readonly module: ModulePage;
  /** Opens it, or the one given, in a context of its own that knows nothing; closed after the test. */
  open(module?: ModulePage): Promise<Page>;
}

/** Starts relay and browser for the tests of one file. Call it at the top; the values are there from the first test on. */
export function usePortalsPages(): PortalsPages {
  let relay: TestRelay | undefined;
  let browser: Browser | undefined;
  let module: ModulePage | undefined;
  beforeAll(async () => {
    relay = await testRelay();
    browser = await launchBrowser();
    module = await portalsPage(relay.url);
  });
  afterAll(async () => {
    await browser?.close();
    await relay?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the relay is started once the tests begin");
    return value;
  };
  return {
    get relay() {
      return there(relay);
    },
    get module() {
      return there(module);
    },
    open: async (other) => openModulePage(await there(browser).newContext(), other ?? there(module)),
  };
}

/** A link for reading, without rules. */
export const PLAIN_LINK: LinkOptions = {
  capability: "read",
  label: "",
  password: "",
  maxUses: null,
  notBeforeMs: null,
  expiresAtMs: null,
};

/** A portal as the page tells of it. */
interface Made {
  readonly portal: string;
  /** base64url */
  readonly ownerToken: string;
}

/** Stores one pack and one page of noise and commits: the sender is done. @throws Error when the relay refuses */
export async function completePortal(url: string, { portal, ownerToken }: Made): Promise<void> {
  const token = new Uint8Array(Buffer.from(ownerToken, "base64url"));
  const target = { text: portal, ownerToken: token } as TestPortal;
  const pack = sealed("pack", 0, 5000, true);
  for (const object of [pack, sealed("page", 0, 777, true)]) await putObject(url, target, object);
  const tree = new MerkleBuilder("packs");
  tree.append(pack.header.hash);
  const body = JSON.stringify({ packs: 1, pages: 1, root: base64url(tree.root()) });
  const headers = { ...bearer(token), ...leased(FIRST_LEASE), "Content-Type": "application/json" };
  const response = await fetch(`${url}/api/v1/portals/${portal}/commit`, { method: "POST", headers, body });
  if (response.status !== 204) throw new Error(`committing gave ${response.status}: ${await response.text()}`);
}

/** Ends a portal without its maker's browser. */
export async function endElsewhere(url: string, { portal, ownerToken }: Made): Promise<void> {
  const headers = { Authorization: `Bearer ${ownerToken}` };
  const response = await fetch(`${url}/api/v1/portals/${portal}`, { method: "DELETE", headers });
  if (!response.ok) throw new Error(`ending gave ${response.status}`);
}

/** What the worker's list says, without asking a relay. */
export function list(page: Page): Promise<readonly KnownPortal[]> {
  return page.evaluate(() => warpPortals.portals.list());
}

/** The list after the relays were asked. */
export async function refreshed(page: Page): Promise<readonly KnownPortal[]> {
  await page.evaluate(() => warpPortals.portals.refresh());
  return list(page);
}

/** The one portal of a list. @throws Error when there are none or more */
export async function only(found: Promise<readonly KnownPortal[]>): Promise<KnownPortal> {
  const [portal, ...more] = await found;
  if (portal === undefined || more.length > 0) throw new Error(`${more.length} more than one on the list`);
  return portal;
}

/** Makes a link with these rules; it is for reading and without any unless they say so. Gives path and fragment. */
export function addLink(page: Page, portal: string, options: Partial<LinkOptions>): Promise<string> {
  return page.evaluate(([portal, options]) => warpPortals.portals.addLink(portal, options), [
    portal,
    { ...PLAIN_LINK, ...options },
  ] as const);
}

/** Opens a link as anybody does: what it is for, or the failure's code. */
export function openPath(page: Page, path: string, password = ""): Promise<string> {
  return page.evaluate(([path, password]) => warpPortals.open(path, password), [path, password] as const);
}

/** Makes a phrase and confirms it: the list is kept from now on. Gives the words. */
export async function keepUnderPhrase(page: Page, deviceName: string): Promise<string> {
  const words = await page.evaluate(() => warpPortals.portals.makePhrase());
  await page.evaluate((name) => warpPortals.portals.confirmPhrase(location.origin, name), deviceName);
  return words.join(" ");
}

/** `resolved`, or the failure's code. */
export function restore(page: Page, phrase: string, deviceName: string): Promise<string> {
  return page.evaluate(
    ([phrase, name]) => warpPortals.codeOf(warpPortals.portals.restore(phrase, location.origin, name)),
    [phrase, deviceName] as const,
  );
}

/** Where a browser stands with the phrase. */
export function identityOf(page: Page): Promise<string> {
  return page.evaluate(async () => (await warpPortals.portals.identity()).state);
}

/** The devices as one of them sees them. */
export function devicesOf(page: Page): Promise<readonly KnownDevice[]> {
  return page.evaluate(() => warpPortals.portals.devices());
}
