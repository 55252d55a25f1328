import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { settle } from "../../tests/support/fake-clock.ts";
import { type Carriers, outcome, setUpSteady, UNREACHABLE } from "../../tests/support/test-link.ts";
import { Failure } from "../failure.ts";

const CLAIM = noise(16, "claim");
const CLAIMED = new Failure("portal/claimed");

describe("a claim on a download", () => {
  it("[EDGE-25] is told first on every connection, before a pack is asked for there, and once", async () => {
    const carriers: Carriers = { webtransport: 50 };
    const { clock, steady, links } = setUpSteady(carriers);
    const claimed = outcome(steady.claim(CLAIM));
    await clock.advance(100);
    expect([claimed.code, links[0]?.claims, links[0]?.gets]).toEqual(["resolved", 1, 0]);
    const packs = [0, 1, 2].map((index) => outcome(steady.get("pack", index, async () => index)));
    await clock.advance(100);
    expect(packs.map(({ code }) => code)).toEqual(["resolved", "resolved", "resolved"]);
    expect([links[0]?.claims, links[0]?.gets]).toEqual([1, 3]);
    Object.assign(carriers, { webtransport: 2_000 });
    links[0]?.end(UNREACHABLE);
    await settle();
    const later = [3, 4].map((index) => outcome(steady.get("pack", index, async () => index)));
    await clock.advance(1_000);
    expect(links).toHaveLength(2);
    // The claim is under way: no pack is asked for yet.
    expect([links[1]?.claims, links[1]?.gets]).toEqual([1, 0]);
    await clock.advance(5_000);
    expect([links[1]?.claims, links[1]?.gets]).toEqual([1, 2]);
    expect(later.map(({ code }) => code)).toEqual(["resolved", "resolved"]);
    steady.close();
  });

  it("[EDGE-26] waits for its turn with growing delays, and says so, while pages come all the same", async () => {
    const { clock, steady, links } = setUpSteady({ webtransport: 50 });
    await settle();
    const [link] = links;
    if (link === undefined) throw new Error("not connected");
    link.answerClaim = async () => {
      throw CLAIMED;
    };
    const claimed = outcome(steady.claim(CLAIM));
    await settle();
    expect(steady.status).toMatchObject({ carrier: "webtransport", failure: "portal/claimed" });
    expect(steady.status.nextTryAtMs).toBeGreaterThan(clock.now());
    const page = outcome(steady.get("page", 0, async () => 1));
    await clock.advance(100);
    expect(page.code).toBe("resolved");
    const pack = outcome(steady.get("pack", 0, async () => 1));
    await clock.advance(300_000);
    expect([claimed.code, pack.code, link.gets]).toEqual(["pending", "pending", 1]);
    // 400 ms at first, a quarter of a minute at last: neither a flood nor a person who waits for nothing.
    expect(link.claims).toBeGreaterThan(20);
    expect(link.claims).toBeLessThan(40);
    link.answerClaim = async () => {};
    await clock.advance(20_000);
    expect([claimed.code, pack.code]).toEqual(["resolved", "resolved"]);
    expect(steady.status.failure).toBeNull();
    steady.close();
  });

  it("[EDGE-26] is not waited for any longer when it is cancelled, or when no download is left", async () => {
    const { clock, steady, links } = setUpSteady({ webtransport: 50 });
    await settle();
    const [link] = links;
    if (link === undefined) throw new Error("not connected");
    link.answerClaim = async () => {
      throw CLAIMED;
    };
    const stop = new AbortController();
    const cancelled = outcome(steady.claim(CLAIM, stop.signal));
    await clock.advance(5_000);
    stop.abort();
    await settle();
    expect(cancelled.code).toBe("cancelled");
    const refused = outcome(steady.claim(CLAIM));
    link.answerClaim = async () => {
      throw new Failure("portal/unknown");
    };
    await clock.advance(20_000);
    expect(refused.code).toBe("portal/unknown");
    const closed = setUpSteady({ webtransport: 50 });
    await settle();
    const waiting = outcome(closed.steady.claim(CLAIM));
    const [other] = closed.links;
    if (other !== undefined) other.answerClaim = link.answerClaim;
    closed.steady.close();
    await settle();
    expect(waiting.code).toBe("cancelled");
    steady.close();
  });

  it("[EDGE-27] is taken again when it lapsed, and taken at all when downloads are limited only later", async () => {
    for (const isKnown of [true, false]) {
      const { clock, steady, links } = setUpSteady({ webtransport: 50 });
      if (isKnown) outcome(steady.claim(CLAIM));
      else steady.setClaim(CLAIM);
      await clock.advance(200);
      const [link] = links;
      if (link === undefined) throw new Error("not connected");
      expect([steady.isClaimed, link.claims]).toEqual([isKnown, isKnown ? 1 : 0]);
      const { answer } = link;
      link.answer = async () => {
        throw CLAIMED;
      };
      const packs = [0, 1, 2, 3].map((index) => outcome(steady.get("pack", index, async () => index)));
      await settle();
      link.answer = answer;
      await clock.advance(3_000);
      expect(packs.map(({ code }) => code)).toEqual(["resolved", "resolved", "resolved", "resolved"]);
      expect([steady.isClaimed, link.claims]).toEqual([true, isKnown ? 2 : 1]);
      steady.close();
    }
  });
});
