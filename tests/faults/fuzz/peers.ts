/**
 * What other browsers say, directly or sealed through the relay, as targets for damaged inputs.
 *
 * @module
 */
import { encodeCanonical } from "../../../core/wire/codec.ts";
import {
  checkDescription,
  type Description,
  plainDescription,
  readSdp,
  writeSdp,
} from "../../../core/wire/description.ts";
import { decodePeerMessage, encodePeerFrame, type PeerFrame, SliceWriter } from "../../../core/wire/peer-frame.ts";
import { noise } from "../../support/bytes.ts";
import { DESCRIPTION } from "../../support/fake-channel.ts";
import { showBytes, type Target } from "./judge.ts";
import { Dice, Mutator, mutateValue } from "./mutate.ts";

const FRAMES: readonly PeerFrame[] = [
  { t: "have", packs: [0, 3, 7, 8, 1000, 1_048_576] },
  { t: "have", packs: [] },
  { t: "want", id: 70_000, pack: 1_048_575 },
  { t: "unwant", id: 0 },
  { t: "absent", id: 2 ** 32 - 1 },
  { t: "ping", n: 2 ** 40 },
  { t: "pong", n: 0 },
];

export function peerMessages(seed: number): Target<Uint8Array<ArrayBuffer>> {
  const slice = new SliceWriter().write(3, noise(100, "slice")).slice();
  const mutator = new Mutator([...FRAMES.map(encodePeerFrame), slice], seed);
  const dice = new Dice(seed + 1);
  const values = () => new Uint8Array([1, ...encodeCanonical(mutateValue(dice.pick(FRAMES), dice))]);
  const next = () => (dice.below(3) > 0 ? mutator.next() : values());
  const decode = (bytes: Uint8Array) => {
    const message = decodePeerMessage(bytes);
    return "frame" in message ? decodePeerMessage(encodePeerFrame(message.frame)) : message;
  };
  return { name: "peer messages", next, decode, codes: ["wire/malformed", "wire/too-large"], show: showBytes };
}

/** As a peer's sealed signal holds it; what is accepted becomes SDP that says the same. */
export function descriptions(seed: number): Target<unknown> {
  const dice = new Dice(seed);
  const decode = (value: unknown): Description => {
    const description = checkDescription(value);
    const sdp = writeSdp(description);
    if (
      encodeCanonical(plainDescription(readSdp(sdp))).join() !== encodeCanonical(plainDescription(description)).join()
    )
      throw new Error(`another SDP: ${sdp}`);
    return description;
  };
  const next = () => mutateValue(plainDescription(DESCRIPTION), dice);
  return { name: "descriptions", next, decode, codes: ["wire/malformed"], show: (value) => JSON.stringify(value) };
}
