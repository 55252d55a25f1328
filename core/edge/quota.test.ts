import { describe, expect, it } from "vitest";
import { settle } from "../../tests/support/fake-clock.ts";
import { Failure } from "../failure.ts";
import { Quota, splitWants } from "./quota.ts";

describe("a quota", () => {
  const take = (quota: Quota, amount: number, signal?: AbortSignal) => {
    const outcome = { got: "" };
    quota.take(amount, signal).then(
      () => Object.assign(outcome, { got: "taken" }),
      (error: Failure) => Object.assign(outcome, { got: error.code }),
    );
    return outcome;
  };

  it("is given in order of asking and never exceeded", async () => {
    const quota = new Quota(10);
    const asked = [4, 4, 4, 1].map((amount) => take(quota, amount));
    await settle();
    expect(asked.map(({ got }) => got)).toEqual(["taken", "taken", "", ""]);
    expect(quota.taken).toBe(8);
    quota.give(4);
    await settle();
    expect(asked.map(({ got }) => got)).toEqual(["taken", "taken", "taken", "taken"]);
    expect(quota.taken).toBe(9);
    expect(() => quota.give(10)).toThrow();
  });

  it("gives more than the whole when nothing else is out", async () => {
    const quota = new Quota(10);
    const [large, small] = [take(quota, 50), take(quota, 1)];
    await settle();
    expect([large.got, small.got]).toEqual(["taken", ""]);
    quota.give(50);
    await settle();
    expect(small.got).toBe("taken");
  });

  it("forgets who gave up and serves the next", async () => {
    const quota = new Quota(4);
    const stop = new AbortController();
    const asked = [take(quota, 3), take(quota, 3, stop.signal), take(quota, 1)];
    await settle();
    stop.abort();
    await settle();
    expect(asked.map(({ got }) => got)).toEqual(["taken", "cancelled", "taken"]);
    expect(take(quota, 1, stop.signal).got).toBe("");
    await settle();
    expect(quota.taken).toBe(4);
  });

  it("ends with a reason", async () => {
    const quota = new Quota(1);
    const asked = [take(quota, 1), take(quota, 1)];
    quota.end(new Failure("relay/stopping"));
    await settle();
    expect(asked.map(({ got }) => got)).toEqual(["taken", "relay/stopping"]);
    await expect(quota.take(1)).rejects.toThrow("relay/stopping");
  });

  it("is shared so that neither packs nor pages are left without", async () => {
    for (const maxWants of [2, 3, 5, 64]) {
      const { pack, page } = splitWants(maxWants);
      const asked = [
        ...Array.from({ length: 100 }, () => take(pack, 1)),
        ...Array.from({ length: 100 }, () => take(page, 1)),
      ];
      await settle();
      expect(asked.filter(({ got }) => got === "taken").length).toBe(maxWants);
      expect(pack.taken).toBeGreaterThan(0);
      expect(page.taken).toBeGreaterThan(0);
    }
  });
});
