/**
 * Bytes for tests: the same for the same seed, on every machine.
 *
 * @module
 */
import { createCipheriv, createHash } from "node:crypto";

/** `length` bytes that no codec makes smaller. Gives a fresh array; different seeds share no chunk. */
export function noise(length: number, seed: string | number): Uint8Array<ArrayBuffer> {
  const key = createHash("sha256").update(`warp ${seed}`).digest();
  const stream = createCipheriv("aes-256-ctr", key, new Uint8Array(16));
  const bytes = new Uint8Array(length);
  bytes.set(stream.update(bytes));
  return bytes;
}

/** `length` bytes of lines that resemble a log: any codec makes them several times smaller. Gives a fresh array. */
export function prose(length: number, seed: string | number): Uint8Array<ArrayBuffer> {
  const draws = noise(4096, seed);
  const words = [
    "pack",
    "chunk",
    "relay",
    "portal",
    "sealed",
    "opened",
    "waits",
    "edge",
    "journal",
    "sink",
    "lane",
    "page",
  ];
  let text = "";
  for (let at = 0; text.length < length; at += 1) {
    const draw = draws[at % draws.length] ?? 0;
    text += `${at} ${words[draw % words.length]} ${words[(draw >> 4) % words.length]} ${draw * at}\n`;
  }
  return new TextEncoder().encode(text.slice(0, length));
}

/** The hash of a sealed object as docs/protocol.md has it, by another SHA-256 than the product's. Gives a fresh array. */
export function objectHash(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = createHash("sha256").update("warp/1/object\0\0\0");
  for (let at = 0; at < bytes.length; at += 512 * 1024)
    whole.update(
      createHash("sha256")
        .update(bytes.subarray(at, at + 512 * 1024))
        .digest(),
    );
  return new Uint8Array(whole.digest());
}
