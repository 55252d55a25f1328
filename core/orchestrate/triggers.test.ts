import { describe, expect, it } from "vitest";
import { COOLDOWN_MS, STALE_MS, Triggers } from "./triggers.ts";

const slow = (edge: number, ratio = 0.5) => ({ edge, ratio, bytesPerSec: 1 });
/** Causes and edges, shortly. */
const told = (triggers: Triggers, nowMs: number) =>
  triggers.collect(nowMs).map(({ cause, edges }) => [cause, ...edges].join(" "));

describe("Triggers", () => {
  it("tell nothing from start to end of a healthy transfer, however long it is and while its edges run dry", () => {
    const triggers = new Triggers();
    triggers.planned("all", 0);
    const endMs = 10 * STALE_MS;
    for (let ms = 0; ms <= endMs; ms += 1000) {
      const isTail = ms > endMs - 5000;
      triggers.transfer(ms < 2000 ? undefined : 0.97, ms);
      for (const edge of [0, 1, 2]) triggers.health(edge, 0.93, ms);
      triggers.loads(
        [0, 1, 2].map((edge) => ({ edge, load: isTail && edge > 0 ? 0 : 1, canTake: true })),
        isTail ? 0 : 1000,
        ms,
      );
      expect(told(triggers, ms)).toEqual([]);
    }
  });

  it("tell a cause once, with the figure seen last and the time seen first", () => {
    const triggers = new Triggers();
    triggers.drift(slow(1, 0.6), 100);
    triggers.drift(slow(1, 0.4), 200);
    expect(triggers.collect(200)).toEqual([{ cause: "drift", edges: [1], value: 0.4, atMs: 100 }]);
    expect(triggers.collect(200)).toEqual([]);
  });

  it("hold the same cause of the same edge back for ten seconds, and tell it then", () => {
    const triggers = new Triggers();
    triggers.drift(slow(1), 0);
    expect(told(triggers, 0)).toEqual(["drift 1"]);
    triggers.drift(slow(1), 100);
    triggers.drift(slow(2), 100);
    triggers.health(1, 0.3, 100);
    expect(told(triggers, 100)).toEqual(["drift 2", "edge-degraded 1"]);
    expect(told(triggers, COOLDOWN_MS - 1)).toEqual([]);
    expect(told(triggers, COOLDOWN_MS)).toEqual(["drift 1"]);
  });

  it("forget what they hold back when a plan has settled it", () => {
    const triggers = new Triggers();
    triggers.planned("all", 0);
    for (const edge of [1, 2]) triggers.drift(slow(edge), 0);
    expect(told(triggers, 0)).toEqual(["drift 1", "drift 2"]);
    for (const edge of [1, 2]) triggers.drift(slow(edge), 5000);
    triggers.planned([1], 6000);
    expect(told(triggers, COOLDOWN_MS)).toEqual(["drift 2"]);
  });

  it("never hold a lost edge back, tell it once, and forget what else was about it", () => {
    const triggers = new Triggers();
    const lostAt = (ms: number) => {
      triggers.lost(1, ms);
      triggers.lost(1, ms);
      return told(triggers, ms);
    };
    triggers.drift(slow(1), 0);
    expect(lostAt(0)).toEqual(["edge-lost 1"]);
    triggers.drift(slow(1), 1);
    triggers.health(1, 0.1, 1);
    expect(told(triggers, 1)).toEqual([]);
    triggers.joined(1, 10);
    expect(told(triggers, 10)).toEqual(["edge-new 1"]);
    expect(lostAt(20)).toEqual(["edge-lost 1"]);
    triggers.joined(1, 30);
    expect(lostAt(40)).toEqual(["edge-lost 1"]);
    expect(told(triggers, 10 + COOLDOWN_MS)).toEqual([]);
  });

  it("tell a lost edge even where a plan was made meanwhile, and nothing of one that was back at once", () => {
    const triggers = new Triggers();
    triggers.lost(1, 0);
    triggers.planned("all", 1);
    expect(told(triggers, 2)).toEqual(["edge-lost 1"]);
    triggers.joined(1, 3);
    expect(told(triggers, 3)).toEqual(["edge-new 1"]);
    triggers.lost(1, 20_000);
    triggers.joined(1, 20_001);
    expect(told(triggers, 20_002)).toEqual([]);
  });

  it("tell a recovery after a slow climb through 0.5 to 0.7, which the original missed", () => {
    const triggers = new Triggers();
    triggers.health(1, 0.45, 0);
    expect(told(triggers, 0)).toEqual(["edge-degraded 1"]);
    for (const [i, value] of [0.5, 0.55, 0.6, 0.65, 0.69].entries()) {
      triggers.health(1, value, i + 1);
      expect(told(triggers, i + 1)).toEqual([]);
    }
    triggers.health(1, 0.71, 10);
    expect(told(triggers, 10)).toEqual(["edge-recovered 1"]);
  });

  it("tell at most once each way in ten seconds of an edge whose health goes up and down", () => {
    const triggers = new Triggers();
    const all: string[] = [];
    for (let ms = 0; ms < COOLDOWN_MS; ms += 100) {
      triggers.health(1, (ms / 100) % 2 === 0 ? 0.2 : 0.9, ms);
      all.push(...told(triggers, ms));
    }
    expect(all).toEqual(["edge-degraded 1", "edge-recovered 1"]);
    // Both held back, the last one cancelled the one before: it is as well as it was when it was told.
    expect(told(triggers, 3 * COOLDOWN_MS)).toEqual([]);
  });

  it("tell an imbalance that lasts for a second between an edge with too much and one that could take it", () => {
    const triggers = new Triggers();
    const loads = (high: number, low: number, canTake = true) => [
      { edge: 5, load: low, canTake },
      { edge: 2, load: high, canTake: true },
      { edge: 3, load: 0.5, canTake: true },
    ];
    const seen = (ms: number, view: ReturnType<typeof loads>, packs = 10) => {
      triggers.loads(view, packs, ms);
      return told(triggers, ms);
    };
    expect([seen(0, loads(0.8, 0.3)), seen(999, loads(0.9, 0.2))]).toEqual([[], []]);
    expect(seen(1000, loads(0.9, 0.2))).toEqual(["imbalance 2 5"]);
    expect(seen(1050, loads(0.9, 0.2))).toEqual([]);
    expect(seen(20_000, loads(0.79, 0.2))).toEqual([]);
    expect(seen(20_500, loads(0.9, 0.2))).toEqual([]);
    // The second begins anew after each moment of balance; nobody can take; nothing is left to move.
    expect(seen(21_600, loads(0.9, 0.31))).toEqual([]);
    expect([seen(22_000, loads(1, 0, false)), seen(24_000, loads(1, 0, false))]).toEqual([[], []]);
    expect([seen(25_000, loads(1, 0), 0), seen(27_000, loads(1, 0), 0)]).toEqual([[], []]);
  });

  it("call a plan stale that is a minute old and does not hold, again a minute later; one that holds never", () => {
    const triggers = new Triggers();
    triggers.planned("all", 0);
    triggers.transfer(0.85, STALE_MS - 1);
    expect(told(triggers, STALE_MS - 1)).toEqual([]);
    expect(told(triggers, STALE_MS)).toEqual(["stale"]);
    expect(told(triggers, 2 * STALE_MS - 1)).toEqual([]);
    expect(told(triggers, 2 * STALE_MS)).toEqual(["stale"]);
    triggers.planned("all", 2 * STALE_MS);
    expect(told(triggers, 4 * STALE_MS)).toEqual([]);
    triggers.transfer(0.92, 4 * STALE_MS);
    expect(told(triggers, 4 * STALE_MS)).toEqual([]);
  });

  it("are not made fresh by a plan of some edges", () => {
    const triggers = new Triggers();
    triggers.planned("all", 0);
    triggers.planned([1], STALE_MS - 1);
    triggers.transfer(0.8, STALE_MS);
    expect(told(triggers, STALE_MS)).toEqual(["stale"]);
  });

  it("tell once that the whole transfer has left its plan", () => {
    const triggers = new Triggers();
    triggers.planned("all", 0);
    for (const [ms, ratio] of [
      [2000, 0.51],
      [2100, 0.5],
      [2200, 0.4],
      [30_000, 0.4],
    ] as const)
      triggers.transfer(ratio, ms);
    expect(told(triggers, 30_000)).toEqual(["transfer-drift"]);
    triggers.transfer(0.4, 50_000);
    expect(told(triggers, 50_000)).toEqual([]);
    triggers.planned("all", 50_000);
    triggers.transfer(1.6, 55_000);
    expect(told(triggers, 55_000)).toEqual(["transfer-drift"]);
  });

  it("tell at once what somebody asks for", () => {
    const triggers = new Triggers();
    for (const ms of [0, 1, 2]) {
      triggers.manual(ms);
      expect(told(triggers, ms)).toEqual(["manual"]);
    }
  });
});
