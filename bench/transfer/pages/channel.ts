/**
 * What peer-to-peer tools use: one ordered, reliable data channel between two browsers. Candidates travel in the
 * descriptions, so that one offer and one answer are all the signalling.
 *
 * @module
 */
import type { AnswerOf, ArgumentsOf } from "../commands.ts";
import { startWorker } from "./ask.ts";
import channelUrl from "./channel.worker.ts?worker&url";
import { openFile } from "./files.ts";
import type { Emit } from "./page.ts";

/** The largest message that browsers agree on. */
const MESSAGE_BYTES = 256 * 1024;
const READ_BYTES = 16 * MESSAGE_BYTES;
const FULL_BYTES = 8 * 1024 * 1024;
const LOW_BYTES = 2 * 1024 * 1024;

let offering: RTCPeerConnection | undefined;

/** The description with all candidates in it. */
async function gathered(connection: RTCPeerConnection): Promise<string> {
  await new Promise<void>((resolve) => {
    const check = () => {
      if (connection.iceGatheringState === "complete") resolve();
    };
    connection.addEventListener("icegatheringstatechange", check);
    check();
  });
  return connection.localDescription?.sdp ?? "";
}

export async function sendChannel(
  { name, bytes }: ArgumentsOf<"channelSend">,
  emit: Emit,
): Promise<AnswerOf<"channelSend">> {
  const file = await openFile(name);
  const connection = new RTCPeerConnection();
  offering = connection;
  try {
    const channel = connection.createDataChannel("file");
    channel.bufferedAmountLowThreshold = LOW_BYTES;
    const opened = new Promise<void>((resolve, reject) => {
      channel.onopen = () => resolve();
      channel.onerror = () => reject(new Error("data channel failed"));
    });
    await connection.setLocalDescription(await connection.createOffer());
    emit("offer", await gathered(connection));
    await opened;
    const startedMs = Date.now();
    for (let at = 0; at < bytes; at += READ_BYTES) {
      const slice = await file.slice(at, Math.min(bytes, at + READ_BYTES)).arrayBuffer();
      for (let from = 0; from < slice.byteLength; from += MESSAGE_BYTES) {
        if (channel.bufferedAmount > FULL_BYTES)
          await new Promise((resolve) => channel.addEventListener("bufferedamountlow", resolve, { once: true }));
        channel.send(new Uint8Array(slice, from, Math.min(MESSAGE_BYTES, slice.byteLength - from)));
      }
    }
    // The other side closes when it has everything.
    await new Promise((resolve) => channel.addEventListener("close", resolve, { once: true }));
    return { startedMs, endedMs: Date.now() };
  } finally {
    connection.close();
  }
}

export async function answerChannel({ sdp }: ArgumentsOf<"channelAnswer">): Promise<null> {
  await offering?.setRemoteDescription({ type: "answer", sdp });
  return null;
}

export async function receiveChannel(
  { sdp, bytes, name }: ArgumentsOf<"channelReceive">,
  emit: Emit,
): Promise<AnswerOf<"channelReceive">> {
  const worker = startWorker(channelUrl);
  const connection = new RTCPeerConnection();
  try {
    worker.postMessage({ name, bytes });
    const written = new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<{ value: number }>) => resolve(data.value);
      worker.onerror = (event) => reject(new Error(`worker: ${event.message}`));
    });
    const incoming = new Promise<RTCDataChannel>((resolve) => {
      connection.ondatachannel = ({ channel }) => {
        channel.binaryType = "arraybuffer";
        channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => worker.postMessage(data, [data]);
        resolve(channel);
      };
    });
    await connection.setRemoteDescription({ type: "offer", sdp });
    await connection.setLocalDescription(await connection.createAnswer());
    emit("answer", await gathered(connection));
    const channel = await incoming;
    const endedMs = await written;
    channel.close();
    return { endedMs };
  } finally {
    connection.close();
    worker.terminate();
  }
}
