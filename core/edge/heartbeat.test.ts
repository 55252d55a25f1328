import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { FakeClock } from "../../tests/support/fake-clock.ts";
import { FakePipe } from "../../tests/support/fake-pipe.ts";
import { HEARTBEAT_MS, LINK_SILENCE_MS } from "../units.ts";
import { openFramedLink } from "./framed-link.ts";

const role = { portal: noise(16, "portal"), role: "send" as const, token: noise(32, "token") };

async function opened() {
  const pipe = new FakePipe();
  const clock = new FakeClock();
  const opening = openFramedLink(pipe, role, { lease: 1, takeOver: false }, clock);
  pipe.welcome();
  const link = await opening;
  const sent = () => pipe.frames.map(({ t }) => t);
  return { pipe, clock, link, sent };
}

describe("the heartbeat of a framed link", () => {
  it("[EDGE-13] pings every 5 s, keeps a link that answers, and ends one that is silent for 15 s", async () => {
    const { pipe, clock, link, sent } = await opened();
    for (let beat = 0; beat < 10; beat++) {
      await clock.advance(HEARTBEAT_MS);
      expect(sent().filter((name) => name === "ping").length).toBe(beat + 1);
      pipe.tell({ t: "pong", n: beat });
    }
    const pending = expect(link.get("pack", 0)).rejects.toMatchObject({ code: "relay/unreachable" });
    await clock.advance(LINK_SILENCE_MS + HEARTBEAT_MS);
    await pending;
    expect((await link.closed).code).toBe("relay/unreachable");
    expect(pipe.isClosed).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it("[EDGE-19] tells when it was heard last, and asks for a sign of life when it is told to", async () => {
    const { pipe, clock, link } = await opened();
    const startMs = clock.now();
    await clock.advance(3_000);
    expect(link.heardMs).toBe(startMs);
    link.ping();
    expect(pipe.frames.at(-1)).toEqual({ t: "ping", n: 0 });
    pipe.tell({ t: "pong", n: 0 });
    expect(link.heardMs).toBe(startMs + 3_000);
    link.close();
  });

  it("[EDGE-20] takes a line that is full with its own bytes for alive", async () => {
    const { pipe, clock, link } = await opened();
    for (let turn = 0; turn < 20; turn++) {
      await clock.advance(HEARTBEAT_MS);
      pipe.moved();
    }
    expect([pipe.isClosed, link.heardMs]).toEqual([false, clock.now()]);
    await clock.advance(LINK_SILENCE_MS + HEARTBEAT_MS);
    expect(pipe.isClosed).toBe(true);
  });

  it("[EDGE-13] counts arriving object bytes as a sign of life", async () => {
    const { pipe, clock, link } = await opened();
    const bytes = noise(1000, 0);
    const header = { kind: "page" as const, index: 0, final: true, length: 1000, hash: noise(32, 0) };
    pipe.deliver({ header, bytes: bytes.slice(0, 1) as Uint8Array<ArrayBuffer> });
    for (let at = 1; at < 20; at++) {
      await clock.advance(HEARTBEAT_MS);
      pipe.stream(0, bytes.subarray(at, at + 1));
    }
    expect(pipe.isClosed).toBe(false);
    link.close();
  });
});
