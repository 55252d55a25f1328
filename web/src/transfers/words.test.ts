import { describe, expect, it } from "vitest";
import { END_REASONS } from "../../../core/portal/portal.ts";
import type { KnownPortal, LivePortal } from "../../../workers/portals/api.ts";
import type { InterruptedTransfer } from "../../../workers/transfer/api.ts";
import { countingText, elsewhereOf, factsOf, stateOf, timeLeft, titleOf, usesText } from "./words.ts";

const NOW = Date.UTC(2026, 10, 23);
const live: LivePortal = {
  phase: "active",
  isComplete: true,
  bytes: 8e6,
  downloads: 2,
  maxDownloads: 5,
  claims: 0,
  receivers: 1,
  idleSeconds: null,
  expiresAtMs: NOW + 3 * 86_400_000,
  usedAtMs: NOW,
  links: [],
  deliveries: null,
};
const portal: KnownPortal = {
  portal: "p",
  relayOrigin: "https://warp.example",
  relays: [],
  as: "sent",
  kind: "send",
  title: "12 files",
  bytesTotal: 2.7e9,
  entriesTotal: 12,
  createdAtMs: NOW,
  expiresAtMs: NOW + 86_400_000,
  canManage: true,
  link: null,
  live,
  ended: null,
};
const unfinished = { kind: "send", isRunning: false, bytesDone: 45, bytesTotal: 100 } as InterruptedTransfer;
const nameOf = (change: Partial<KnownPortal>, left?: InterruptedTransfer) =>
  stateOf({ ...portal, ...change }, left, NOW).name;

describe("where a portal stands", () => {
  it("is told by its end first, each reason in other words", () => {
    const texts = [...END_REASONS, "unknown" as const].map(
      (ended) => stateOf({ ...portal, ended }, unfinished, NOW).text,
    );
    expect(new Set(texts).size).toBe(texts.length);
    expect(nameOf({ live: null, expiresAtMs: NOW - 1 })).toBe("ended");
  });

  it("is told by what this browser left unfinished, then by the relay", () => {
    expect(stateOf(portal, unfinished, NOW).text).toBe("Sending stopped at 45\u00a0%");
    expect(nameOf({}, { ...unfinished, isRunning: true })).toBe("running");
    expect(nameOf({ live: { ...live, phase: "paused" } })).toBe("paused");
    expect(nameOf({ live: { ...live, isComplete: false } })).toBe("incomplete");
    expect(nameOf({})).toBe("ready");
    expect(nameOf({ as: "request", kind: "request" })).toBe("open");
    expect(nameOf({ live: null })).toBe("known");
    expect(nameOf({ as: "received", canManage: false, live: null })).toBe("known");
  });
});

describe("the facts of a row", () => {
  it("are kind, size, downloads, time left and who is there", () => {
    expect(factsOf(portal, NOW)).toEqual([
      "Sent",
      "2.70\u00a0GB",
      "2 of 5\u00a0downloads",
      "3\u00a0d left",
      "1 connected",
    ]);
  });

  it("of an ended one are without time and company", () => {
    expect(factsOf({ ...portal, ended: "owner", live: null }, NOW)).toEqual(["Sent", "2.70\u00a0GB"]);
    expect(timeLeft({ ...portal, live: null, expiresAtMs: null }, NOW)).toBeNull();
  });

  it("of a request are its deliveries", () => {
    const asked = {
      ...portal,
      as: "request",
      kind: "request",
      live: { ...live, receivers: 0, deliveries: [] },
    } as const;
    expect(factsOf(asked, NOW)).toEqual(["Asked for", "0\u00a0deliveries", "3\u00a0d left"]);
    expect(usesText(1, null, "delivery", "deliveries")).toBe("1\u00a0delivery");
  });

  it("of one that is only managed say what the relay holds", () => {
    const managed = { ...portal, as: "managed", bytesTotal: 0, entriesTotal: 0 } as const;
    expect(factsOf(managed, NOW)[1]).toBe("8.0\u00a0MB");
    expect(factsOf({ ...managed, live: null }, NOW)).toEqual(["Managed", "1\u00a0d left"]);
  });

  it("show a title as what it is, and never an empty one", () => {
    expect(titleOf({ ...portal, title: "a\u202Efdp.exe" })).toBe("a⟨U+202E⟩fdp.exe");
    expect(titleOf({ ...portal, title: " " })).toBe("Without a title");
    expect(titleOf({ title: "", as: "managed" })).toBe("A portal to manage");
    expect(titleOf({ ...portal, title: "x".repeat(5000) }).length).toBeLessThan(100);
  });
});

describe("further relays", () => {
  const relays = ["https://b.example:8443", "http://localhost:8081"];
  it("are named by their hosts, and after the end those that do not know of it yet", () => {
    expect(elsewhereOf({ relays, ended: null })).toEqual(["Also at", "b.example:8443, localhost:8081"]);
    expect(elsewhereOf({ relays, ended: "owner" })?.[0]).toBe("Not told yet");
    expect(elsewhereOf(portal)).toBeNull();
  });

  it("are said to lose the portal when its downloads are to be counted", () => {
    expect(countingText({ relays })).toContain("the 2 other relays keep of it ends there first");
    expect(countingText({ relays: relays.slice(1) })).toContain("the other relay keeps of it");
    expect(countingText(portal)).toBeNull();
  });
});
