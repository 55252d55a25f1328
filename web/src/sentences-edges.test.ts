import { describe, expect, it } from "vitest";
import type { BottleneckKind } from "../../core/orchestrate/bottleneck.ts";
import type { EdgeSnapshot, EdgesSnapshot } from "../../core/transfer/edges-snapshot.ts";
import type { Bottleneck } from "../../core/transfer/snapshot.ts";
import { EDGES } from "../../tests/support/scripted-edges.ts";
import { edgeNames, edgesSentence, namesOf, wayNames } from "./sentences-edges.ts";

const [relay, , peer] = EDGES.edges;
if (relay === undefined || peer === undefined) throw new Error("a relay and a peer");

const relayOf = (edge: number, name: string): EdgeSnapshot => ({ ...relay, edge, name });
const peerOf = (edge: number): EdgeSnapshot => ({ ...peer, edge });
const RELAYS = ["a", "b", "c", "d"].map((letter, edge) => relayOf(edge, `relay-${letter}.example`));

/** What is said where these carry 84 MB/s together and this limits it. */
function said(
  edges: readonly EdgeSnapshot[],
  kind: BottleneckKind,
  about: readonly number[] = [],
  stage: Bottleneck | null = null,
): string | null {
  const snapshot: EdgesSnapshot = { ...EDGES, edges, limit: { kind, edges: about }, bytesPerSec: 84e6 };
  return edgesSentence(snapshot, stage)?.replaceAll("\u00a0", " ") ?? null;
}

describe("the sentence on edges", () => {
  it("counts what carries something now, one and several of each", () => {
    const [a, b] = RELAYS as [EdgeSnapshot, EdgeSnapshot];
    const upload = (...edges: EdgeSnapshot[]) => said(edges, "upload")?.split(", ")[0];
    expect(upload(a)).toBe("1 relay");
    expect(upload(a, b)).toBe("2 relays");
    expect(upload(peerOf(0))).toBe("1 peer");
    expect(upload(a, b, peerOf(2))).toBe("2 relays and 1 peer");
    expect(upload(a, peerOf(1), peerOf(2))).toBe("1 relay and 2 peers");
    expect(upload(a, { ...b, bytesPerSec: 0 }, { ...peerOf(2), bytesPerSec: 0 })).toBe("1 relay");
  });

  it("counts and names a relay once, however many ways lead to it", () => {
    const [a, b] = RELAYS as [EdgeSnapshot, EdgeSnapshot];
    const second = { ...a, edge: 7, kind: "tcp" } as const;
    expect(said([a, second], "relay", [0, 7])).toBe("1 relay, 84 MB/s, limited by the way to relay-a.example.");
    expect([...wayNames([a, second, b]).values()]).toEqual([
      "relay-a.example (Relay, WebTransport)",
      "relay-a.example (Relay, TCP)",
      "relay-b.example",
    ]);
    expect(said([a, second, b], "relay", [0, 1, 7])).toBe(
      "2 relays, 84 MB/s, limited by the way to relay-a.example and relay-b.example.",
    );
  });

  it("says nothing while nothing is carried, and where there are no edges", () => {
    expect(edgesSentence(null, "network")).toBeNull();
    expect(said([], "unknown")).toBeNull();
    expect(said([{ ...relay, bytesPerSec: 0 }], "relay", [0])).toBeNull();
  });

  it.each([
    ["upload", [], "limited by your upload."],
    ["download", [], "limited by your download."],
    ["disk", [], "limited by this device's disk."],
    ["engine", [], "limited by this device's processor."],
    ["unknown", [], "nothing is at its limit."],
    ["relay", [1], "limited by the way to relay-b.example."],
    ["relay", [0, 1], "limited by the way to relay-a.example and relay-b.example."],
    ["relay", [0, 1, 2, 3], "limited by the way to 4 relays."],
    ["relay", [], "limited by the way to the relays."],
    ["relay", [99], "limited by the way to the relays."],
    ["peer", [4], "limited by peer 1."],
    ["peer", [4, 5], "limited by the peers."],
    ["holders", [1], "limited by relay-b.example: nobody else has what is left."],
    ["holders", [1, 4], "limited by relay-b.example and peer 1: nobody else has what is left."],
    ["holders", [0, 1, 2, 3], "limited by a few connections: nobody else has what is left."],
  ] as const)("names the limit %s of edges %j", (kind, about, words) => {
    expect(said([...RELAYS, peerOf(4), peerOf(5)], kind, about)).toBe(`4 relays and 2 peers, 84 MB/s, ${words}`);
  });

  it.each([
    ["reading", "limited by this device's disk."],
    ["writing", "limited by this device's disk."],
    ["engine", "limited by this device's processor."],
    ["network", "limited by the network."],
  ] as const)("names what the stages wait for where no edge is at its limit: %s", (stage, words) => {
    expect(said([relay], "unknown", [], stage)).toBe(`1 relay, 84 MB/s, ${words}`);
    expect(said([relay], "upload", [], stage)).toBe("1 relay, 84 MB/s, limited by your upload.");
  });

  it("does not number the only peer", () => {
    expect(said([relay, peerOf(7)], "peer", [7])).toBe("1 relay and 1 peer, 84 MB/s, limited by the peer.");
  });

  it("numbers peers by their order, whatever their numbers are", () => {
    const names = edgeNames([peerOf(3), relayOf(5, "relay-a.example"), peerOf(9), { ...relayOf(11, ""), kind: null }]);
    expect([...names.values()]).toEqual(["peer 1", "relay-a.example", "peer 2", "peer 3"]);
    expect(namesOf([9, 5, 77], names)).toBe("peer 2 and relay-a.example");
  });
});
