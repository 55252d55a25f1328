/**
 * What the tests of peers run in a page: one member of a portal, with the browser's real connections; the test is its relay.
 *
 * @module
 */
import { PackShelf } from "../../core/edge/pack-shelf.ts";
import { Pairings } from "../../core/edge/pairings.ts";
import { PeerLink } from "../../core/edge/peer-link.ts";
import { deriveContentKeys } from "../../core/seal/keys.ts";
import { openSignal, type Signal, sealSignal } from "../../core/seal/signal.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { systemClock } from "../../platform/clock.ts";
import { canConnectPeers, PeerConnections } from "../../platform/webrtc/page-broker.ts";
import { createPeerBroker } from "../../platform/webrtc/peer-broker.ts";

declare global {
  /** For `page.evaluate`. */
  var warpPeers: typeof tools;
  /** Given by the test: takes a signal to the relay. */
  function signalOut(to: number, body: number[]): Promise<void>;
}

const portal = new Uint8Array(16).fill(7);
const PACK_BYTES = 4 * 1024 * 1024;
const shelf = new PackShelf();
const connections = new PeerConnections();
let key: CryptoKey | undefined;
let pairings: Pairings | undefined;

/** The same bytes in every page. */
function pack(index: number): SealedObject {
  const bytes = new Uint8Array(PACK_BYTES);
  const words = new Uint32Array(bytes.buffer);
  for (let i = 0, word = index + 1; i < words.length; i++) {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    words[i] = word;
  }
  const header = {
    kind: "pack" as const,
    final: false,
    index,
    length: PACK_BYTES,
    hash: new Uint8Array(32).fill(index),
  };
  return { header, bytes };
}

const tools = {
  canConnectPeers,
  /** Connections that were begun. */
  begun: 0,
  async join(member: number, secret: number): Promise<void> {
    const keys = await deriveContentKeys(portal, new Uint8Array(32).fill(secret));
    key = keys.signal;
    shelf.open();
    const broker = createPeerBroker({
      open: async (id) => {
        tools.begun += 1;
        return connections.open(id);
      },
      describe: (id, offer) => connections.describe(id, offer),
      accept: (id, answer) => connections.accept(id, answer),
      close: async (id) => connections.close(id),
    });
    pairings = new Pairings({
      portal,
      key: keys.signal,
      link: { member, signal: (to, body) => void signalOut(to, [...body]) },
      broker,
      clock: systemClock,
      random: Math.random,
      join: (channel) => new PeerLink({ channel, shelf, clock: systemClock, isHeld: () => false, onChange: () => {} }),
      onChange: () => {},
    });
    pairings.changed();
  },
  signalIn(from: number, body: readonly number[]): void {
    pairings?.signalled(from, new Uint8Array(body));
  },
  links: () => pairings?.links.length ?? 0,
  rttMs: () => pairings?.links[0]?.rttMs ?? null,
  put(...packs: readonly number[]): void {
    for (const index of packs) shelf.put(pack(index));
  },
  held: () => pairings?.links[0]?.held.toArray() ?? [],
  /** Fetches packs, four at a time. Gives whether each is what it should be, and how long all took. */
  async get(from: number, to: number): Promise<{ readonly right: boolean; readonly ms: number }> {
    const [link] = pairings?.links ?? [];
    if (link === undefined) throw new Error("nobody is there");
    const startedMs = performance.now();
    const fetched = Array.from({ length: to - from }, (_, i) =>
      link.get(
        from + i,
        async ({ header, bytes }) => {
          const expected = pack(from + i);
          const isSame = indexedDB.cmp(bytes, expected.bytes) === 0;
          return isSame && header.hash[0] === (from + i) % 256 && header.index === from + i;
        },
        new AbortController().signal,
        () => {},
      ),
    );
    const right = (await Promise.all(fetched)).every((isRight) => isRight);
    return { right, ms: performance.now() - startedMs };
  },
  /** What a signal says of the certificate, changed by somebody who has the key. Gives null for one that says nothing of it. */
  async withOtherFingerprint(body: readonly number[]): Promise<number[] | null> {
    if (key === undefined) throw new Error("not joined");
    const signal = await openSignal(key, portal, new Uint8Array(body));
    if (signal.said.kind === "announce") return null;
    const description = { ...signal.said.description, fingerprint: new Uint8Array(32).fill(1) };
    const changed: Signal = { ...signal, said: { ...signal.said, description } };
    return [...(await sealSignal(key, portal, changed))];
  },
  leave(): void {
    pairings?.close();
    connections.closeAll();
  },
};

globalThis.warpPeers = tools;
