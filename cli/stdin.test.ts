import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { UsageError } from "./arguments.ts";
import { readLines } from "./stdin.ts";

const bytes = (text: string) => Readable.from([Buffer.from(text)]);

test("the lines come without their ends, of either kind, and the last needs none", async () => {
  expect(await readLines(bytes("link\r\npass word \nmore"), 2)).toEqual(["link", "pass word "]);
  expect(await readLines(bytes("pässwörd"), 1)).toEqual(["pässwörd"]);
});

test("a line that is cut between two reads, in the middle of a letter, is whole again", async () => {
  const letters = Buffer.from("pä\n");
  expect(await readLines(Readable.from([letters.subarray(0, 2), letters.subarray(2)]), 1)).toEqual(["pä"]);
});

test("no more than the lines asked for is waited for", async () => {
  const open = new PassThrough();
  open.write("secret\n");
  expect(await readLines(open, 1)).toEqual(["secret"]);
});

test("a missing or an empty line is wrong use, and so is an endless input", async () => {
  await expect(readLines(bytes(""), 1)).rejects.toThrow(UsageError);
  await expect(readLines(bytes("link"), 2)).rejects.toThrow(UsageError);
  await expect(readLines(bytes("\npassword"), 2)).rejects.toThrow(UsageError);
  await expect(readLines(bytes("x".repeat(70_000)), 1)).rejects.toThrow(UsageError);
});
