/**
 * Links, grants, offers and objects that were changed by one without their keys, by hand and at random: all of them are refused,
 * and nothing of them is ever given out.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { describe, expect, it } from "vitest";
import { Failure, type FailureCode } from "../../core/failure.ts";
import { createPortal as createAt, openLink, type RelayHost } from "../../core/portal/client.ts";
import { type Grant, type GrantPlace, openGrant, sealGrant } from "../../core/portal/grant.ts";
import { OPEN_LINK } from "../../core/portal/new-link.ts";
import { offerKeys, openOffer, sealOffer } from "../../core/portal/offer.ts";
import type { OpenedLink } from "../../core/portal/portal.ts";
import { deriveLinkKeys, NO_PASSWORD } from "../../core/seal/keys.ts";
import { createLink, formatLink, parseLink } from "../../core/seal/link.ts";
import { open } from "../../core/seal/seal.ts";
import { noise, objectHash } from "../support/bytes.ts";
import { codeOf } from "../support/fake-http.ts";
import { FakePortals } from "../support/fake-portals.ts";
import { createPortal } from "../support/fake-transfer.ts";
import { flipped, sealAs } from "./fuzz/good-portal.ts";
import { Dice } from "./fuzz/mutate.ts";
import { rounds } from "./scale.ts";

const place: GrantPlace = { portal: noise(16, "portal"), link: noise(16, "link"), capability: "read" };
const read: Grant = { capability: "read", secret: noise(32, "R") };
const offered = { request: noise(16, "request"), delivery: noise(16, "delivery") };

describe("S4: a link, a grant or an offer that was changed by one without its keys", () => {
  it.each<[string, FailureCode, (told: OpenedLink, second: OpenedLink) => OpenedLink]>([
    ["the commitment of another link", "link/wrong-secret", (told, { keyCommitment }) => ({ ...told, keyCommitment })],
    [
      "a commitment with one bit changed",
      "link/wrong-secret",
      (told) => ({ ...told, keyCommitment: changed(told.keyCommitment, 3) }),
    ],
    ["the grant of another link", "link/wrong-secret", (told, { grant }) => ({ ...told, grant })],
    ["a grant with one bit changed", "link/wrong-secret", (told) => ({ ...told, grant: changed(told.grant, 20) })],
    [
      "a grant that is cut",
      "link/wrong-secret",
      (told) => ({ ...told, grant: base64urlnopad.encode(base64urlnopad.decode(told.grant).subarray(0, -3)) }),
    ],
    ["another link's grant and commitment", "link/wrong-secret", (_, second) => second],
    ["a read link's grant as an admin's", "link/wrong-secret", (told) => ({ ...told, capability: "admin" })],
    ["a read link's grant as a write link's", "link/wrong-secret", (told) => ({ ...told, capability: "write" })],
  ])("is refused: %s (%s)", async (_what, code, lie) => {
    const relay = new FakePortals();
    const { host } = relay;
    const [first, second] = [await madeAt(host), await madeAt(host)];
    let seen: OpenedLink | null = null;
    relay.lie = (access) => {
      seen = access.opened;
      return access;
    };
    await openLink(host, second.link, null);
    const foreign = seen as OpenedLink | null;
    if (foreign === null) throw new Error("the second link gave nothing");
    relay.lie = (access) => ({ ...access, opened: access.opened && lie(access.opened, foreign) });
    expect(await codeOf(openLink(host, first.link, null))).toBe(code);
  });

  it("is refused: an offer for another request, delivery or person (pack/forged)", async () => {
    const mine = await offerKeys(noise(32, "R"), offered.request);
    const theirs = await offerKeys(noise(32, "T"), offered.request);
    const offer = await sealOffer(mine.publicKey, offered, noise(32, "S"));
    expect(await openOffer(mine.privateKey, offered, offer)).toEqual(noise(32, "S"));
    for (const elsewhere of [
      { ...offered, request: offered.delivery },
      { ...offered, delivery: offered.request },
      { request: offered.delivery, delivery: offered.request },
    ])
      expect(await codeOf(openOffer(mine.privateKey, elsewhere, offer))).toBe("pack/forged");
    expect(await codeOf(openOffer(theirs.privateKey, offered, offer))).toBe("pack/forged");
  });

  it.each<[string, FailureCode, (text: string) => string]>([
    ["another secret", "link/cut", (text) => text.replace(/#1\.(.)/, (_, c: string) => `#1.${c === "A" ? "B" : "A"}`)],
    ["another portal", "link/cut", (text) => text.replace(/\/p\/(.)/, (_, c: string) => `/p/${c === "A" ? "B" : "A"}`)],
    ["another check", "link/cut", (text) => text.slice(0, -1) + (text.endsWith("A") ? "B" : "A")],
    ["a letter less", "link/cut", (text) => text.slice(0, -1)],
    ["a letter more", "link/cut", (text) => `${text}A`],
    ["another version", "link/version", (text) => text.replace("#1.", "#2.")],
  ])("is refused: a link with %s (%s)", (_what, code, change) => {
    const text = formatLink(createLink());
    expect(parseLink(text).secret.length).toBe(32);
    expect(failureOf(() => parseLink(change(text)))).toBe(code);
  });
});

function madeAt(host: RelayHost) {
  const rules = { expirySeconds: 60, idleSeconds: null, maxDownloads: null };
  return createAt(host, { kind: "send" }, rules, OPEN_LINK, { invite: null, workBits: 0 });
}

function changed(text: string, at: number): string {
  return base64urlnopad.encode(flipped(base64urlnopad.decode(text), at));
}

function failureOf(work: () => unknown): string {
  try {
    work();
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

/** A change of at least one bit. */
function mutated(original: Uint8Array, donor: Uint8Array, dice: Dice): Uint8Array<ArrayBuffer> {
  for (;;) {
    let copy: Uint8Array = original;
    for (let steps = 1 + dice.below(3); steps > 0; steps--) copy = step(copy, donor, dice);
    if (Buffer.compare(copy, original) !== 0) return new Uint8Array(copy);
  }
}

function step(bytes: Uint8Array, donor: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.below(Math.max(1, bytes.length));
  const length = 1 + dice.below(64);
  switch (dice.below(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return Buffer.concat([bytes, donor.subarray(0, length)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), donor.subarray(at, at + length), bytes.subarray(at + length)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 4:
      return bytes.length === 0 ? bytes : bytes.with(at, dice.below(256));
    default:
      return bytes.length === 0 ? bytes : bytes.with(at, (bytes[at] ?? 0) ^ (1 << dice.below(8)));
  }
}

describe("S4: random changes", () => {
  it(
    "[SEAL-3] [KEY-7] [KEY-8] to objects, grants and offers are all refused, and none gives a byte out",
    async () => {
      const portal = await createPortal();
      const { keys, link } = portal;
      const dice = new Dice(5);
      const page = await sealAs(portal, "page", 7, true, noise(3_000, "page"));
      const pack = await sealAs(portal, "pack", 7, true, noise(3_000, "pack"));
      const donors = [
        await sealAs(portal, "page", 8, true, noise(3_000, "d")),
        await sealAs(portal, "pack", 8, true, noise(3_000, "d")),
      ];
      const { grant: key } = await deriveLinkKeys(link, NO_PASSWORD);
      const [grant, donor] = [
        await sealGrant(key, place, read),
        await sealGrant(key, { ...place, link: noise(16, 9) }, read),
      ];
      const { publicKey, privateKey } = await offerKeys(noise(32, "R"), offered.request);
      const [offer, otherOffer] = [
        await sealOffer(publicKey, offered, noise(32, 1)),
        // Of another delivery: pieces of it may come together to the whole.
        await sealOffer(publicKey, { ...offered, delivery: noise(16, 9) }, noise(32, 1)),
      ];
      const object = async (): Promise<unknown> => {
        const isPage = dice.below(2) === 0;
        const [from, with_] = isPage ? [page, donors[0]] : [pack, donors[1]];
        const bytes = mutated(from.bytes, with_?.bytes ?? from.bytes, dice);
        const hash = dice.below(2) === 0 ? from.header.hash : objectHash(bytes);
        const length = dice.below(8) === 0 ? from.header.length : bytes.length;
        return open(isPage ? keys.page : keys.pack, link.portal, { header: { ...from.header, length, hash }, bytes });
      };
      const place_ = async (): Promise<unknown> => {
        const header = { ...page.header, index: 7 + 1 + dice.below(1000), final: dice.below(2) === 0 };
        const change = [{ index: 7 }, { final: true }, {}][dice.below(3)] ?? {};
        const told = { ...header, ...change };
        if (told.index === 7 && told.final) return open(keys.page, noise(16, dice.below(1000)), page);
        return open(keys.page, link.portal, { header: told, bytes: page.bytes });
      };
      const granted = (): Promise<unknown> => openGrant(key, place, mutated(grant, donor, dice));
      const offering = (): Promise<unknown> => openOffer(privateKey, offered, mutated(offer, otherOffer, dice));
      const allowed: ReadonlySet<string> = new Set([
        "object/corrupt",
        "pack/forged",
        "manifest/malformed",
        "link/wrong-secret",
      ]);
      const total = rounds(20_000, 1_000_000);
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 0;
      const found = new Map<string, number>();
      try {
        for (let done = 0; done < total; ) {
          const batch = Array.from({ length: 50 }, (_, i) =>
            i === 0 ? offering() : i < 10 ? granted() : i < 14 ? place_() : object(),
          );
          for (const code of await Promise.all(batch.map(codeOf))) found.set(code, (found.get(code) ?? 0) + 1);
          done += batch.length;
        }
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
      }
      expect([...found.keys()].filter((code) => !allowed.has(code))).toEqual([]);
      expect([...found.values()].reduce((sum, count) => sum + count, 0)).toBe(total);
      expect(found.size).toBe(allowed.size);
    },
    rounds(120_000, 3_600_000),
  );
});
