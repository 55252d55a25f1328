import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutStacks } from "../../tests/support/fake-effort.ts";
import { FAILURES, Failure, type FailureCode } from "../failure.ts";
import { MAX_FRAME_BYTES, MAX_PACKS, MAX_PAGES } from "../units.ts";
import { encodeCanonical } from "./codec.ts";
import {
  type ClientFrame,
  checkState,
  decodeClientFrame,
  decodeRelayFrame,
  encodeFrame,
  MAX_LEASE,
  MAX_MEMBER,
  MAX_SIGNAL_BYTES,
  PORTAL_PHASES,
  type PortalState,
  type RelayFrame,
  wireCode,
} from "./frame.ts";
import { delimit, FrameReader } from "./frame-stream.ts";

const bytesOf = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b) => new Uint8Array(b));
const target = fc.oneof(
  fc.record({ kind: fc.constant("pack" as const), index: fc.integer({ min: 0, max: MAX_PACKS - 1 }) }),
  fc.record({ kind: fc.constant("page" as const), index: fc.integer({ min: 0, max: MAX_PAGES - 1 }) }),
);
const commitment = fc.record({
  packs: fc.integer({ min: 0, max: MAX_PACKS }),
  pages: fc.integer({ min: 1, max: MAX_PAGES }),
  root: bytesOf(32),
});
const ranges = fc
  .uniqueArray(fc.integer({ min: 0, max: MAX_PACKS }), { maxLength: 20 })
  .map((list) => list.toSorted((a, b) => a - b).slice(0, list.length - (list.length % 2)));
const state: fc.Arbitrary<PortalState> = fc.record({
  phase: fc.constantFrom(...PORTAL_PHASES),
  heldPacks: ranges,
  heldPages: ranges,
  commitment: fc.option(commitment, { nil: null }),
  senders: fc.integer({ min: 0, max: 0xffff }),
  receivers: fc.integer({ min: 0, max: 0xffff }),
  expiresAtMs: fc.maxSafeNat(),
});
const lease = fc.integer({ min: 0, max: MAX_LEASE });
const member = fc.integer({ min: 1, max: MAX_MEMBER });
const body = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((b) => new Uint8Array(b));
const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({
    t: fc.constant("hello" as const),
    v: fc.integer({ min: 0, max: 255 }),
    portal: bytesOf(16),
    role: fc.constantFrom("send" as const, "receive" as const),
    token: bytesOf(32),
    lease,
    takeOver: fc.boolean(),
  }),
  target.map((to) => ({ t: "want" as const, ...to })),
  target.map((to) => ({ t: "unwant" as const, ...to })),
  commitment.map((fixed) => ({ t: "commit" as const, ...fixed })),
  fc.record({ t: fc.constant("complete" as const), claim: bytesOf(16) }),
  fc.record({ t: fc.constant("signal" as const), to: fc.integer({ min: 0, max: MAX_MEMBER }), body }),
  fc.record({ t: fc.constant("ping" as const), n: fc.maxSafeNat() }),
  fc.record({ t: fc.constant("bye" as const), code: fc.integer({ min: 0, max: 0xffff }) }),
);
const limits = fc.record({
  windowBytes: fc.integer({ min: 0, max: 2 ** 31 }),
  maxWants: fc.integer({ min: 2, max: 1024 }),
});
const code = fc.integer({ min: 0, max: 0xffff });
const relayFrame: fc.Arbitrary<RelayFrame> = fc.oneof(
  fc.record({ t: fc.constant("welcome" as const), v: fc.integer({ min: 0, max: 255 }), limits, lease, member, state }),
  target.map((to) => ({ t: "ack" as const, ...to })),
  target.map((to) => ({ t: "lost" as const, ...to })),
  fc.tuple(target, code).map(([to, number]) => ({ t: "refuse" as const, ...to, code: number })),
  state.map((told) => ({ t: "state" as const, state: told })),
  fc.constant({ t: "committed" as const }),
  fc.constant({ t: "completed" as const }),
  fc.record({ t: fc.constant("signal" as const), from: member, body }),
  fc.record({ t: fc.constant("pong" as const), n: fc.maxSafeNat() }),
  code.map((number) => ({ t: "bye" as const, code: number })),
);

function codeOf(work: () => unknown): string {
  try {
    work();
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("control frames", () => {
  it("[WIRE-5] of clients and of relays come back as they were", () => {
    fc.assert(
      fc.property(clientFrame, relayFrame, (client, relay) => {
        expect(decodeClientFrame(encodeFrame(client))).toEqual(client);
        expect(decodeRelayFrame(encodeFrame(relay))).toEqual(relay);
      }),
    );
  });

  it("hold copies of what they were decoded from", () => {
    const encoded = encodeFrame({ t: "complete", claim: new Uint8Array(16).fill(7) });
    const frame = decodeClientFrame(encoded);
    encoded.fill(0);
    expect(frame).toEqual({ t: "complete", claim: new Uint8Array(16).fill(7) });
  });

  const hello = {
    t: "hello",
    v: 1,
    portal: new Uint8Array(16),
    role: "send",
    token: new Uint8Array(32),
    lease: 0,
    takeOver: false,
  };
  const want = { t: "want", kind: "pack", index: 0 };
  const commit = { t: "commit", packs: 1, pages: 1, root: new Uint8Array(32) };
  const signal = { t: "signal", to: 0, body: new Uint8Array(1) };
  it.each<[string, unknown]>([
    ["no map", [1, 2]],
    ["a number", 7],
    ["bytes", new Uint8Array(4)],
    ["no name", {}],
    ["an unknown name", { t: "steal" }],
    ["a relay's frame", { t: "committed" }],
    ["a field too many", { ...want, more: 1 }],
    ["a field too few", { t: "want", kind: "pack" }],
    ["a short portal", { ...hello, portal: new Uint8Array(15) }],
    ["a long portal", { ...hello, portal: new Uint8Array(17) }],
    ["a portal as text", { ...hello, portal: "AAAAAAAAAAAAAAAA" }],
    ["a short token", { ...hello, token: new Uint8Array(31) }],
    ["an unknown role", { ...hello, role: "own" }],
    ["a version as text", { ...hello, v: "1" }],
    ["a version too large", { ...hello, v: 256 }],
    ["a lease past the last", { ...hello, lease: MAX_LEASE + 1 }],
    ["a wish that is no boolean", { ...hello, takeOver: 1 }],
    ["an unknown kind", { ...want, kind: "chunk" }],
    ["a negative index", { ...want, index: -1 }],
    ["an index that is a fraction", { ...want, index: 0.5 }],
    ["an index that is no number", { ...want, index: Number.NaN }],
    ["an index past the last pack", { ...want, index: MAX_PACKS }],
    ["an index past the last page", { ...want, kind: "page", index: MAX_PAGES }],
    ["no page in a commitment", { ...commit, pages: 0 }],
    ["too many packs", { ...commit, packs: MAX_PACKS + 1 }],
    ["a short root", { ...commit, root: new Uint8Array(20) }],
    ["a short claim", { t: "complete", claim: new Uint8Array(8) }],
    ["a signal to somebody before the first", { ...signal, to: -1 }],
    ["a signal to somebody past the last", { ...signal, to: MAX_MEMBER + 1 }],
    ["a signal from somebody", { t: "signal", from: 1, body: signal.body }],
    ["an empty signal", { ...signal, body: new Uint8Array(0) }],
    ["a signal that is too long", { ...signal, body: new Uint8Array(MAX_SIGNAL_BYTES + 1) }],
    ["a signal that is text", { ...signal, body: "offer" }],
    ["a ping without a number", { t: "ping" }],
    ["a code too large", { t: "bye", code: 65_536 }],
  ])("[WIRE-6] from a client with %s are refused", (_what, value) => {
    expect(codeOf(() => decodeClientFrame(encodeCanonical(value)))).toBe("wire/malformed");
  });

  const told = {
    phase: "active",
    heldPacks: [],
    heldPages: [],
    commitment: null,
    senders: 0,
    receivers: 0,
    expiresAtMs: 1,
  };
  const welcome = { t: "welcome", v: 1, limits: { windowBytes: 1, maxWants: 2 }, lease: 1, member: 1, state: told };
  const signalled = { t: "signal", from: 1, body: new Uint8Array(MAX_SIGNAL_BYTES) };
  it.each<[string, unknown]>([
    ["an unknown name", { t: "hello" }],
    ["limits that let nothing through", { ...welcome, limits: { windowBytes: 1, maxWants: 1 } }],
    ["no lease", { t: "welcome", v: 1, limits: welcome.limits, member: 1, state: told }],
    ["no number of the connection", { t: "welcome", v: 1, limits: welcome.limits, lease: 1, state: told }],
    ["the number of nobody for the connection", { ...welcome, member: 0 }],
    ["a number of the connection past the last", { ...welcome, member: MAX_MEMBER + 1 }],
    ["a signal from everybody", { ...signalled, from: 0 }],
    ["a signal to somebody", { t: "signal", to: 1, body: signalled.body }],
    ["an empty signal", { ...signalled, body: new Uint8Array(0) }],
    ["a signal that is too long", { ...signalled, body: new Uint8Array(MAX_SIGNAL_BYTES + 1) }],
    ["a limit too many", { ...welcome, limits: { windowBytes: 1, maxWants: 2, more: 1 } }],
    ["an unknown phase", { t: "state", state: { ...told, phase: "gone" } }],
    ["a field of the state missing", { t: "state", state: { ...told, senders: undefined } }],
    ["an odd number of bounds", { t: "state", state: { ...told, heldPacks: [1] } }],
    ["an empty range", { t: "state", state: { ...told, heldPacks: [1, 1] } }],
    ["ranges that touch", { t: "state", state: { ...told, heldPacks: [0, 3, 3, 5] } }],
    ["ranges out of order", { t: "state", state: { ...told, heldPacks: [5, 6, 1, 2] } }],
    ["a bound that is too large", { t: "state", state: { ...told, heldPages: [0, MAX_PAGES + 1] } }],
    [
      "more ranges than a frame holds",
      { t: "state", state: { ...told, heldPacks: Array.from({ length: 8194 }, (_, i) => i) } },
    ],
    ["half a commitment", { t: "state", state: { ...told, commitment: { packs: 1, pages: 1 } } }],
    ["a refusal without a code", { t: "refuse", kind: "pack", index: 0 }],
    ["a field in an empty frame", { t: "completed", n: 1 }],
  ])("[WIRE-6] from a relay with %s are refused", (_what, value) => {
    expect(codeOf(() => decodeRelayFrame(encodeCanonical(value)))).toBe("wire/malformed");
  });

  it("[WIRE-6] check a state that came as JSON by the same rules", () => {
    expect(checkState(told)).toEqual(told);
    expect(codeOf(() => checkState({ ...told, version: 1 }))).toBe("wire/malformed");
    expect(codeOf(() => checkState(null))).toBe("wire/malformed");
  });

  it("[WIRE-4] damaged in 50,000 ways give only failures", () => {
    const frames = [
      ...fc.sample(clientFrame, { numRuns: 100, seed: 3 }),
      ...fc.sample(relayFrame, { numRuns: 100, seed: 4 }),
    ];
    const encoded = frames.map((frame) => encodeFrame(frame));
    withoutStacks(() => {
      for (let run = 0; run < 50_000; run++) {
        const input = (encoded[run % encoded.length] as Uint8Array).slice();
        const at = (run * 7919) % input.length;
        input[at] = (input[at] ?? 0) ^ (1 + (run % 255));
        const decode = run % encoded.length < 100 ? decodeClientFrame : decodeRelayFrame;
        const code = codeOf(() => decode(run % 3 === 0 ? input.subarray(0, at) : input));
        if (code !== "accepted" && code !== "wire/malformed") throw new Error(code);
      }
    });
  }, 120_000);

  it("[WIRE-7] name failures by numbers that are each used once", () => {
    const codes = Object.keys(FAILURES) as FailureCode[];
    expect(new Set(codes.map(wireCode)).size).toBe(codes.length);
    expect(Math.min(...codes.map(wireCode))).toBe(1);
  });
});

describe("frames on a stream", () => {
  const read = (slices: readonly Uint8Array[]) => {
    const frames: string[] = [];
    const reader = new FrameReader((frame) => frames.push(Buffer.from(frame).toString("latin1")));
    for (const slice of slices) reader.push(slice);
    return frames;
  };

  it("[WIRE-8] are found however the stream is sliced", () => {
    const texts = ["a", "frame of some length", "x".repeat(300)];
    const stream = Buffer.concat(texts.map((text) => delimit(Buffer.from(text))));
    for (let at = 0; at <= stream.length; at++)
      expect(read([stream.subarray(0, at), stream.subarray(at)])).toEqual(texts);
    expect(read(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(texts);
  });

  it("[WIRE-8] are refused when empty or above the limit, before anything is allocated", () => {
    const head = (length: number) => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, length, true);
      return bytes;
    };
    expect(codeOf(() => read([head(0)]))).toBe("wire/malformed");
    expect(codeOf(() => read([head(MAX_FRAME_BYTES + 1)]))).toBe("wire/too-large");
    expect(codeOf(() => read([head(0xffffffff)]))).toBe("wire/too-large");
    expect(codeOf(() => read([head(MAX_FRAME_BYTES)]))).toBe("accepted");
  });
});
