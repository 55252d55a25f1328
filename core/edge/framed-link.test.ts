import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { EMPTY_STATE, FakePipe } from "../../tests/support/fake-pipe.ts";
import { Failure } from "../failure.ts";
import type { Link } from "../ports/link.ts";
import { type LinkLimits, wireCode } from "../wire/frame.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { openFramedLink } from "./framed-link.ts";

const role = { portal: noise(16, "portal"), role: "send" as const, token: noise(32, "token") };
const WISH = { lease: 1, takeOver: false };

function object(kind: ObjectKind, index: number, length = 1000): SealedObject {
  return { header: { kind, index, final: true, length, hash: noise(32, index) }, bytes: noise(length, index) };
}

async function opened(limits?: LinkLimits) {
  const pipe = new FakePipe();
  const clock = new FakeClock();
  const opening = openFramedLink(pipe, role, WISH, clock);
  pipe.welcome(limits);
  const link = await opening;
  const sent = () => pipe.frames.map(({ t }) => t);
  return { pipe, clock, link, sent };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "resolved";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("a framed link", () => {
  it("[EDGE-8] says hello with version, portal, role, token and lease, and waits for the welcome", async () => {
    const pipe = new FakePipe();
    const clock = new FakeClock();
    const opening = openFramedLink(pipe, role, WISH, clock);
    expect(pipe.frames).toEqual([{ t: "hello", v: 1, ...role, ...WISH }]);
    pipe.welcome();
    const link = await opening;
    expect(link.state).toEqual(EMPTY_STATE);
    expect(link.carrier).toBe("webtransport");
    link.close();
  });

  it("[EDGE-8] fails with the relay's code when it says good-bye instead, and with a version that differs", async () => {
    for (const [answer, code] of [
      [(pipe: FakePipe) => pipe.tell({ t: "bye", code: wireCode("portal/unknown") }), "portal/unknown"],
      [(pipe: FakePipe) => pipe.tell({ t: "bye", code: wireCode("relay/busy") }), "relay/busy"],
      [(pipe: FakePipe) => pipe.tell({ t: "bye", code: 0 }), "relay/unreachable"],
      [(pipe: FakePipe) => pipe.tell({ t: "bye", code: 9999 }), "relay/unreachable"],
      [(pipe: FakePipe) => pipe.welcome(undefined, 2), "relay/version"],
      [(pipe: FakePipe) => pipe.break(new Failure("relay/unreachable")), "relay/unreachable"],
      [(pipe: FakePipe) => pipe.rawFrame(new Uint8Array([0xc1])), "wire/malformed"],
    ] as const) {
      const pipe = new FakePipe();
      const clock = new FakeClock();
      const opening = codeOf(openFramedLink(pipe, role, WISH, clock));
      answer(pipe);
      expect(await opening).toBe(code);
      expect(pipe.isClosed).toBe(true);
      await settle();
      expect(clock.sleeping).toBe(0);
    }
  });

  it("[EDGE-8] fails when no welcome comes, though the pipe stands", async () => {
    const pipe = new FakePipe();
    const clock = new FakeClock();
    const opening = codeOf(openFramedLink(pipe, role, WISH, clock));
    await clock.advance(10_001);
    expect([await opening, pipe.isClosed]).toEqual(["relay/unreachable", true]);
    await settle();
    expect(clock.sleeping).toBe(0);
  });

  it("[EDGE-16] asks for the lease that it holds, or for one, and knows the one that it got", async () => {
    for (const wish of [WISH, { lease: 0, takeOver: true }, { lease: 7, takeOver: false }]) {
      const pipe = new FakePipe();
      const opening = openFramedLink(pipe, role, wish, new FakeClock());
      expect(pipe.frames).toEqual([{ t: "hello", v: 1, ...role, ...wish }]);
      pipe.welcome(undefined, undefined, wish.lease || 9);
      const link = await opening;
      expect(link.lease).toBe(wish.lease || 9);
      link.close();
    }
  });

  it("[EDGE-17] tells what the relay lost", async () => {
    const { pipe, link } = await opened();
    const lost: string[] = [];
    link.onLost((kind, index) => lost.push(`${kind} ${index}`));
    pipe.tell({ t: "lost", kind: "pack", index: 3 }, { t: "lost", kind: "page", index: 0 });
    expect(lost).toEqual(["pack 3", "page 0"]);
    link.close();
  });

  it("[EDGE-9] resolves a put when its object is acknowledged, and rejects it when it is refused", async () => {
    const { pipe, link } = await opened();
    const [first, second] = [codeOf(link.put(object("pack", 0))), codeOf(link.put(object("page", 0)))];
    await settle();
    pipe.tell(
      { t: "refuse", kind: "page", index: 0, code: wireCode("object/hash") },
      { t: "ack", kind: "pack", index: 0 },
    );
    expect([await first, await second]).toEqual(["resolved", "object/hash"]);
    pipe.tell({ t: "ack", kind: "pack", index: 0 }, { t: "ack", kind: "page", index: 77 });
    expect(await codeOf(Promise.race([link.closed.then((reason) => Promise.reject(reason)), settle()]))).toBe(
      "resolved",
    );
    link.close();
  });

  it("[EDGE-10] never has more bytes on the way than the relay's window", async () => {
    const { pipe, link } = await opened({ windowBytes: 2500, maxWants: 8 });
    const puts = [0, 1, 2, 3].map((index) => codeOf(link.put(object("pack", index))));
    await settle();
    expect(pipe.objects.map(({ index }) => index)).toEqual([0, 1]);
    pipe.tell({ t: "ack", kind: "pack", index: 1 });
    await settle();
    expect(pipe.objects.map(({ index }) => index)).toEqual([0, 1, 2]);
    pipe.tell({ t: "refuse", kind: "pack", index: 0, code: wireCode("relay/full") });
    await settle();
    expect(pipe.objects.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    pipe.tell({ t: "ack", kind: "pack", index: 2 }, { t: "ack", kind: "pack", index: 3 });
    expect(await Promise.all(puts)).toEqual(["relay/full", "resolved", "resolved", "resolved"]);
    link.close();
  });

  it("[EDGE-11] never asks for more than the relay allows, and pages never wait for packs", async () => {
    const { pipe, link, sent } = await opened({ windowBytes: 2500, maxWants: 4 });
    const packs = [0, 1, 2, 3, 4].map((index) => codeOf(link.get("pack", index)));
    await settle();
    expect(sent().filter((name) => name === "want").length).toBe(2);
    const pages = [0, 1, 2].map((index) => codeOf(link.get("page", index)));
    await settle();
    expect(sent().filter((name) => name === "want").length).toBe(4);
    pipe.deliver(object("page", 0));
    await settle();
    expect(pipe.frames.at(-1)).toEqual({ t: "want", kind: "page", index: 2 });
    link.close();
    expect(await Promise.all([...packs, ...pages])).toEqual([
      ...Array(5).fill("cancelled"),
      "resolved",
      "cancelled",
      "cancelled",
    ]);
  });

  it("[EDGE-12] gives what it asked for, from whatever stream it comes, and drops what it did not", async () => {
    const { pipe, link } = await opened();
    const wanted = link.get("pack", 4);
    await settle();
    pipe.deliver(object("pack", 9));
    pipe.deliver(object("page", 4), 1);
    const { header, bytes } = object("pack", 4);
    pipe.deliver({ header, bytes }, 1);
    expect(await wanted).toEqual({ header, bytes });
    const absent = codeOf(link.get("pack", 5));
    await settle();
    pipe.tell({ t: "refuse", kind: "pack", index: 5, code: wireCode("object/absent") });
    expect(await absent).toBe("object/absent");
    link.close();
  });

  it("[EDGE-12] takes a want back when it is aborted, and never sends one that was aborted before", async () => {
    const { pipe, link, sent } = await opened();
    const stop = new AbortController();
    const wanted = codeOf(link.get("pack", 1, stop.signal));
    await settle();
    stop.abort();
    expect(await wanted).toBe("cancelled");
    expect(pipe.frames.at(-1)).toEqual({ t: "unwant", kind: "pack", index: 1 });
    expect(await codeOf(link.get("pack", 2, stop.signal))).toBe("cancelled");
    expect(sent().filter((name) => name === "want").length).toBe(1);
    pipe.deliver(object("pack", 1));
    link.close();
  });

  it("[EDGE-14] rejects everything that is pending with the reason of its end, once, and keeps no timer", async () => {
    const reasons: ((parts: { pipe: FakePipe; link: Link }) => string)[] = [
      ({ link }) => {
        link.close();
        return "cancelled";
      },
      ({ pipe }) => {
        pipe.break(new Failure("relay/unreachable"));
        return "relay/unreachable";
      },
      ({ pipe }) => {
        pipe.tell({ t: "bye", code: wireCode("portal/expired") });
        return "portal/expired";
      },
      ({ pipe }) => {
        pipe.rawFrame(new Uint8Array([1]));
        return "wire/malformed";
      },
      ({ pipe }) => {
        pipe.stream(0, new Uint8Array(44).fill(255));
        return "wire/malformed";
      },
      ({ pipe }) => {
        pipe.welcome();
        return "wire/malformed";
      },
    ];
    for (const end of reasons) {
      const { pipe, clock, link } = await opened({ windowBytes: 1500, maxWants: 2 });
      const pending = [
        link.put(object("pack", 0)),
        link.put(object("pack", 1)),
        link.get("page", 0),
        link.get("page", 1),
        link.commit({ packs: 1, pages: 1, root: noise(32, 0) }),
        link.complete(noise(16, 0)),
      ].map(codeOf);
      await settle();
      const code = end({ pipe, link });
      expect(await Promise.all(pending)).toEqual(Array(6).fill(code));
      expect((await link.closed).code).toBe(code);
      expect(await codeOf(link.put(object("pack", 2)))).toBe(code);
      expect(await codeOf(link.get("pack", 2))).toBe(code);
      link.close();
      pipe.break(new Failure("relay/busy"));
      expect((await link.closed).code).toBe(code);
      await settle();
      expect(clock.sleeping).toBe(0);
      expect(pipe.frames.filter(({ t }) => t === "bye").length).toBe(code === "cancelled" ? 1 : 0);
    }
  });

  it("[EDGE-14] ends when its pipe takes no bytes, even if the pipe does not say that it is lost", async () => {
    const { pipe, link } = await opened();
    pipe.onObject = () => Promise.reject(new Error("stream reset"));
    expect(await codeOf(link.put(object("pack", 0)))).toBe("relay/unreachable");
    expect((await link.closed).code).toBe("relay/unreachable");
  });

  it("[EDGE-15] commits and completes by frames, and tells each state", async () => {
    const { pipe, link } = await opened();
    const states: number[] = [];
    link.onState(({ senders }) => states.push(senders));
    pipe.tell({ t: "state", state: { ...EMPTY_STATE, senders: 3 } });
    expect([states, link.state.senders]).toEqual([[3], 3]);
    const commitment = { packs: 2, pages: 3, root: noise(32, "root") };
    const [committed, completed] = [link.commit(commitment), link.complete(noise(16, "claim"))];
    expect(pipe.frames.slice(-2)).toEqual([
      { t: "commit", ...commitment },
      { t: "complete", claim: noise(16, "claim") },
    ]);
    pipe.tell({ t: "committed" }, { t: "completed" });
    await Promise.all([committed, completed]);
    link.close();
  });

  it("[EDGE-25] asks for a claim once at a time, and gives the relay's answer to all who asked", async () => {
    const { pipe, link, sent } = await opened();
    const claim = noise(16, "claim");
    const asked = [link.claim(claim), link.claim(claim)].map(codeOf);
    expect(sent().filter((t) => t === "claim")).toHaveLength(1);
    expect(pipe.frames.at(-1)).toEqual({ t: "claim", claim });
    pipe.tell({ t: "claimed", code: 0 });
    expect(await Promise.all(asked)).toEqual(["resolved", "resolved"]);
    for (const code of ["portal/claimed", "portal/unknown"] as const) {
      const again = codeOf(link.claim(claim));
      pipe.tell({ t: "claimed", code: wireCode(code) });
      expect(await again).toBe(code);
    }
    expect(sent().filter((t) => t === "claim")).toHaveLength(3);
    const pending = codeOf(link.claim(claim));
    pipe.break(new Failure("relay/unreachable"));
    expect(await pending).toBe("relay/unreachable");
    // What nobody asked, and what the relay cannot mean, changes nothing.
    const other = await opened();
    other.pipe.tell({ t: "claimed", code: 0 }, { t: "completed" }, { t: "committed" });
    const odd = codeOf(other.link.claim(claim));
    other.pipe.tell({ t: "claimed", code: wireCode("cancelled") });
    expect(await odd).toBe("wire/malformed");
    other.link.close();
  });
});
