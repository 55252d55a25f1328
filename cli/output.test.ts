import { expect, test } from "vitest";
import { Progress } from "../core/transfer/progress.ts";
import { Output } from "./output.ts";

function collect(columns: number | null = null) {
  const said = { out: "", err: "" };
  const streams = {
    out: (text: string) => {
      said.out += text;
    },
    err: (text: string) => {
      said.err += text;
    },
    columns,
  };
  return { said, streams };
}

test("JSON is one line of ASCII, and gives every letter of a name back", () => {
  const { said, streams } = collect();
  const event = { type: "renamed", path: "a\u001b[2J\u009b2J\u202e\u{1f680}é\n", actual: "b" } as const;
  new Output(streams, true).say(event, "never shown");
  expect(said.out).toMatch(/^[ -~]+\n$/);
  expect(JSON.parse(said.out)).toEqual(event);
  expect(said.err).toBe("");
});

test("a failure is told on stderr as a sentence too when JSON is asked for", () => {
  const { said, streams } = collect();
  new Output(streams, true).say({ type: "failed", code: "link/cut", message: "m" }, "link/cut: m");
  expect(JSON.parse(said.out)).toEqual({ type: "failed", code: "link/cut", message: "m" });
  expect(said.err).toBe("link/cut: m\n");
});

test("on a terminal progress is one line that fits, and is gone before the next text", () => {
  const { said, streams } = collect(40);
  const output = new Output(streams, false);
  const progress = new Progress();
  progress.bytesTotal = 3 * 1024 ** 3;
  progress.bytesDone = 1024 ** 3;
  output.progress(progress.snapshot(0));
  expect(said.err.startsWith("\r\u001b[K33 % · 1.0 GiB of 3.0 GiB")).toBe(true);
  expect(said.err.length).toBeLessThanOrEqual("\r\u001b[K".length + 39);
  said.err = "";
  output.say({ type: "renamed", path: "a", actual: "b" }, "text");
  expect(said.err).toBe("\r\u001b[Ktext\n");
});

test("elsewhere progress is a line each, without control letters", () => {
  const { said, streams } = collect();
  const output = new Output(streams, false);
  const progress = new Progress();
  progress.run();
  progress.waitingFor = "sender";
  output.progress(progress.snapshot(0));
  expect(said.err).toBe("0 % · 0 bytes of 0 bytes · 0 of 0 entries · waiting for the sender\n");
});
