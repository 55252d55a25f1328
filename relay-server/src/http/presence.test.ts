import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newPortal } from "../../../tests/contract/store-suite.ts";
import { Lifetime } from "../portal/lifetime.ts";
import { LivePortal } from "../portal/live-portal.ts";
import { Presence } from "./presence.ts";

const FRESH = { downloads: 0, bytes: 0, lease: 1, commitment: null, endedAtMs: null, endReason: null } as const;
const livePortal = () =>
  new LivePortal(
    { ...newPortal(), ...FRESH, links: [], usedAtMs: 0, isPaused: false },
    { pack: [], page: [] },
    new Lifetime(() => 0, 1),
    () => undefined,
  );

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("presence over plain requests", () => {
  it("[RELAY-35] lasts while a request is answered and 15 seconds longer", () => {
    const portal = livePortal();
    const presence = new Presence();
    const answered = presence.begin(portal, "send", 1);
    vi.advanceTimersByTime(60_000);
    expect(portal.hasSender).toBe(true);
    answered();
    vi.advanceTimersByTime(14_000);
    presence.begin(portal, "send", 1)();
    expect(portal.state().senders).toBe(1);
    vi.advanceTimersByTime(14_900);
    expect(portal.hasSender).toBe(true);
    vi.advanceTimersByTime(200);
    expect(portal.hasSender).toBe(false);
  });

  it("[RELAY-36] ends with the lease, also while a request of the older one is answered", () => {
    const portal = livePortal();
    const presence = new Presence();
    const older = presence.begin(portal, "send", 1);
    portal.stored = { ...portal.stored, lease: 2 };
    portal.endOlderLeases();
    expect(portal.hasSender).toBe(false);
    const newer = presence.begin(portal, "send", 2);
    older();
    newer();
    expect(portal.state().senders).toBe(1);
    presence.close();
    expect(portal.hasSender).toBe(false);
  });
});
