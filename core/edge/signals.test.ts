import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { FakePipe } from "../../tests/support/fake-pipe.ts";
import { setUpSteady, UNREACHABLE } from "../../tests/support/test-link.ts";
import { openFramedLink } from "./framed-link.ts";

const role = { portal: noise(16, "portal"), role: "send" as const, token: noise(32, "token") };

describe("signals", () => {
  it("[EDGE-30] of one connection: it says its number, sends signals, and gives each that comes to whoever listens", async () => {
    const pipe = new FakePipe();
    const opening = openFramedLink(pipe, role, { lease: 1, takeOver: false }, new FakeClock());
    pipe.welcome();
    const link = await opening;
    expect(link.member).toBe(1);
    const heard: [number, Uint8Array][] = [];
    link.onSignal((from, body) => heard.push([from, body]));
    pipe.tell({ t: "signal", from: 5, body: noise(100, "a") }, { t: "signal", from: 2 ** 31 - 1, body: noise(1, "b") });
    expect(heard).toEqual([
      [5, noise(100, "a")],
      [2 ** 31 - 1, noise(1, "b")],
    ]);
    link.signal(0, noise(8192, "c"));
    expect(pipe.frames.at(-1)).toEqual({ t: "signal", to: 0, body: noise(8192, "c") });
    const count = pipe.frames.length;
    link.close();
    link.signal(5, noise(1, "d"));
    expect(pipe.frames.slice(count).map(({ t }) => t)).toEqual(["bye"]);
  });

  it("[EDGE-30] go over the connection in use, and are heard over that one only", async () => {
    const heard: [number, number | undefined][] = [];
    const onSignal = (from: number, body: Uint8Array) => heard.push([from, body[0]]);
    const { clock, links, steady } = setUpSteady({ webtransport: 50 }, { onSignal });
    expect(steady.member).toBe(0);
    steady.signal(0, Uint8Array.of(1));
    await settle();
    expect(steady.member).toBe(1);
    steady.signal(7, Uint8Array.of(2));
    links[0]?.tellSignal(7, Uint8Array.of(3));
    links[0]?.end(UNREACHABLE);
    await settle();
    expect(steady.member).toBe(0);
    links[0]?.tellSignal(7, Uint8Array.of(4));
    steady.signal(7, Uint8Array.of(5));
    await clock.advance(500);
    expect(steady.member).toBe(2);
    steady.signal(0, Uint8Array.of(6));
    links[0]?.tellSignal(7, Uint8Array.of(7));
    links[1]?.tellSignal(8, Uint8Array.of(8));
    expect(links.map(({ signals }) => signals)).toEqual([
      [{ to: 7, body: Uint8Array.of(2) }],
      [{ to: 0, body: Uint8Array.of(6) }],
    ]);
    steady.close();
    links[1]?.tellSignal(8, Uint8Array.of(9));
    expect(heard).toEqual([
      [7, 3],
      [8, 8],
    ]);
  });
});
