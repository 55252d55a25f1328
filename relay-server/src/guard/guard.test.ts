import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../../../core/failure.ts";
import { FIXED_LIMITS, Guard, type Limited } from "./guard.ts";
import { Limiter } from "./limiter.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE_MS = 60_000;

function makeGuard(): { guard: Guard; limited: Limited[] } {
  const limited: Limited[] = [];
  const limits = { createsPerHour: 3, bytesPerDay: 1000, ...FIXED_LIMITS };
  return { guard: new Guard(limits, (what) => limited.push(what)), limited };
}

async function codesOf(count: number, attempt: (n: number) => Promise<Failure>): Promise<string[]> {
  const codes: string[] = [];
  for (let n = 0; n < count; n++) codes.push((await attempt(n)).code);
  return codes;
}

const busy = { code: "relay/busy" };

describe("a limiter", () => {
  it("counts what comes within its window, and says how long to wait", async () => {
    const limiter = new Limiter(2, 10);
    expect([await limiter.count("a"), await limiter.count("a"), await limiter.count("b")]).toEqual([0, 0, 0]);
    vi.advanceTimersByTime(4000);
    expect(await limiter.count("a")).toBe(6);
    expect(await limiter.look("a")).toBe(6);
    expect(await limiter.look("b")).toBe(0);
    vi.advanceTimersByTime(6001);
    expect([await limiter.knows("a"), await limiter.look("a"), await limiter.count("a")]).toEqual([false, 0, 0]);
  });

  it("[RELAY-60] remembers a bounded number of keys, the latest ones", async () => {
    const limiter = new Limiter(1, 60, 100);
    await limiter.count("first");
    for (let n = 0; n < 100; n++) await limiter.count(`key ${n}`);
    expect(limiter.size).toBe(100);
    expect(await limiter.count("first")).toBe(0);
    expect(await limiter.count("key 99")).toBeGreaterThan(0);
    expect(limiter.size).toBe(100);
    vi.advanceTimersByTime(MINUTE_MS + 1);
    await limiter.count("later");
    expect(limiter.size).toBe(1);
  });
});

describe("the guard", () => {
  it("[RELAY-60] lets each address create so often in an hour, and says when it may again", async () => {
    const { guard, limited } = makeGuard();
    for (let n = 0; n < 3; n++) await guard.creation("a");
    await expect(guard.creation("a")).rejects.toMatchObject({ ...busy, details: { retrySeconds: 3600 } });
    await guard.creation("b");
    vi.advanceTimersByTime(60 * MINUTE_MS + 1);
    await guard.creation("a");
    expect(limited).toEqual(["creations"]);
  });

  it("[RELAY-62] takes no object from an address whose bytes of the day came already", async () => {
    const { guard, limited } = makeGuard();
    const meter = guard.meter("a");
    await meter.admit();
    meter.came(999);
    await guard.meter("a").admit();
    meter.came(1);
    await expect(guard.meter("a").admit()).rejects.toMatchObject({ ...busy, details: { retrySeconds: 86_400 } });
    await guard.meter("b").admit();
    expect(limited).toEqual(["bytes"]);
  });

  it("[RELAY-61] tells an address that was wrong about a portal five times within a minute to wait", async () => {
    const { guard, limited } = makeGuard();
    const codes = await codesOf(6, () => guard.wrongToken("p", "a"));
    expect(codes).toEqual([...Array<string>(5).fill("portal/unknown"), "relay/busy"]);
    expect((await guard.wrongToken("q", "a")).code).toBe("portal/unknown");
    expect((await guard.wrongToken("p", "b")).code).toBe("portal/unknown");
    vi.advanceTimersByTime(MINUTE_MS + 1);
    expect((await guard.wrongToken("p", "a")).code).toBe("portal/unknown");
    expect(limited).toEqual(["tokens"]);
  });

  it("[RELAY-61] counts over all addresses for a portal, and over all portals for an address", async () => {
    const { guard } = makeGuard();
    const byPortal = await codesOf(61, (n) => guard.wrongToken("p", `address ${n}`));
    expect(byPortal.slice(-2)).toEqual(["portal/unknown", "relay/busy"]);
    const byAddress = await codesOf(121, (n) => guard.wrongToken(`portal ${n}`, "a"));
    expect(byAddress.slice(-2)).toEqual(["portal/unknown", "relay/busy"]);
  });

  it("[RELAY-61] does not let one address use up what others may do at a portal", async () => {
    const { guard } = makeGuard();
    await codesOf(100, () => guard.wrongToken("p", "a"));
    expect((await guard.wrongToken("p", "b")).code).toBe("portal/unknown");
  });

  it("[RELAY-61] takes an IPv6 site for one that is wrong, and not for one that creates", async () => {
    const { guard } = makeGuard();
    const codes = await codesOf(6, (n) => guard.wrongToken("p", `2001:db8:7:${n}::/64`));
    expect(codes.slice(-2)).toEqual(["portal/unknown", "relay/busy"]);
    expect((await guard.wrongToken("p", "2001:db8:8:1::/64")).code).toBe("portal/unknown");
    for (let n = 0; n < 6; n++) await guard.creation(`2001:db8:7:${n}::/64`);
  });

  it("[RELAY-61] holds up a right password of an address that was wrong everywhere", async () => {
    const { guard } = makeGuard();
    await codesOf(119, (n) => guard.wrongToken(`portal ${n}`, "a"));
    await guard.passwordToken("p", "a");
    await guard.wrongToken("another", "a");
    await expect(guard.passwordToken("p", "a")).rejects.toMatchObject(busy);
    await guard.passwordToken("p", "b");
  });

  it("[RELAY-61] holds up a right password only where its address was wrong within the minute", async () => {
    const { guard } = makeGuard();
    await codesOf(61, (n) => guard.wrongToken("p", `address ${n}`));
    await guard.passwordToken("p", "somebody else");
    await guard.passwordToken("q", "address 1");
    await expect(guard.passwordToken("p", "address 1")).rejects.toMatchObject(busy);
    await codesOf(4, () => guard.wrongToken("q", "mistyped"));
    await guard.passwordToken("q", "mistyped");
    await guard.wrongToken("q", "mistyped");
    await expect(guard.passwordToken("q", "mistyped")).rejects.toMatchObject(busy);
    vi.advanceTimersByTime(MINUTE_MS + 1);
    await guard.passwordToken("q", "mistyped");
    await guard.passwordToken("p", "address 1");
  });

  it("[VAULT-8] limits the changes of vaults from one address", async () => {
    const { guard, limited } = makeGuard();
    for (let n = 0; n < FIXED_LIMITS.vaultChangesPerMinute; n++) await guard.vaultChange("a");
    await expect(guard.vaultChange("a")).rejects.toMatchObject(busy);
    await guard.vaultChange("b");
    expect(limited).toEqual(["changes"]);
  });
});
