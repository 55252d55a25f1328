/**
 * The two ends of a streamed download against each other, without a browser: what is on the way is bounded, and every
 * end of one side is an end of the other.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import type { ToPipe } from "../../core/ports/download-pipe.ts";
import { createDownloadSink } from "../../platform/sinks/download.ts";
import { PipeTarget } from "../../platform/sinks/pipe-target.ts";
import { DownloadPipe } from "../../web/src/lib/download-pipe.ts";
import { file } from "./sink-cases.ts";

const MIB = 1024 * 1024;
/** Nothing answers there; the pings are for a service worker. */
const OPTIONS = { keepAlivePath: "data:,keep-alive" };

function plan(sizes: readonly number[]) {
  const entries = sizes.map((size, index) => file(`file ${index}`, size));
  return { entries, closed: true, totalBytes: 0, title: "All" };
}

function connect(): { readonly worker: MessagePort; readonly pipe: DownloadPipe } {
  const { port1, port2 } = new MessageChannel();
  const control = new MessageChannel();
  control.port1.start();
  return { worker: port1, pipe: new DownloadPipe(port2, control.port2) };
}

describe("a streamed download", () => {
  it("has at most 8 MiB on the way to a browser that does not read", async () => {
    const { worker, pipe } = connect();
    const sink = createDownloadSink(worker, OPTIONS);
    const responding = pipe.respond();
    const all = plan([64 * MIB]);
    await sink.begin(all);
    const reader = (await responding).body?.getReader();
    const writer = await sink.openFile(file("file 0", 64 * MIB));
    let written = 0;
    const writing = (async () => {
      for (; written < 64; written += 1) await writer.write(new Uint8Array(MIB).fill(written));
      await writer.close();
      await sink.finish();
    })();
    let read = 0;
    for (let each = await reader?.read(); each?.done === false; each = await reader?.read()) {
      expect(each.value[0]).toBe(Math.floor(read / MIB));
      read += each.value.length;
      // One is held back by the sink, one is being written.
      expect(written * MIB - read).toBeLessThanOrEqual(8 * MIB + 2 * MIB);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect(read).toBe(64 * MIB);
  });

  it("errors its response when the sink is aborted, also with every byte sent", async () => {
    const { worker, pipe } = connect();
    const sink = createDownloadSink(worker, OPTIONS);
    const responding = pipe.respond();
    await sink.begin(plan([3]));
    const writer = await sink.openFile(file("file 0", 3));
    await writer.write(new Uint8Array(3));
    await writer.close();
    await sink.abort("chunk/mismatch");
    await expect((await responding).arrayBuffer()).rejects.toThrow();
    await expect(sink.finish()).rejects.toMatchObject({ code: "cancelled" });
  });

  it("fails when a file has fewer or more bytes than its entry says", async () => {
    for (const written of [2, 4]) {
      const { worker, pipe } = connect();
      const sink = createDownloadSink(worker, OPTIONS);
      const responding = pipe.respond();
      await sink.begin(plan([3, 3]));
      const writer = await sink.openFile(file("file 0", 3));
      await writer.write(new Uint8Array(written));
      await expect(writer.close()).rejects.toMatchObject({ code: "transfer/truncated" });
      await expect((await responding).arrayBuffer()).rejects.toThrow();
    }
  });

  it("fails in the sink when the browser stops reading", async () => {
    const { worker, pipe } = connect();
    const sink = createDownloadSink(worker, OPTIONS);
    const responding = pipe.respond();
    await sink.begin(plan([64 * MIB]));
    const writer = await sink.openFile(file("file 0", 64 * MIB));
    await (await responding).body?.cancel();
    const endless = async (): Promise<void> => {
      for (;;) await writer.write(new Uint8Array(MIB));
    };
    await expect(endless()).rejects.toMatchObject({ code: "cancelled" });
    await expect(sink.finish()).rejects.toMatchObject({ code: "cancelled" });
  });

  it.each([
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, null],
    [null, null],
  ])("of length %s announces %s: one browser hangs on lengths from 2^31 on", async (length, announced) => {
    const { port1, port2 } = new MessageChannel();
    const target = new PipeTarget(port1, OPTIONS);
    const head = new Promise<ToPipe>((resolve) => {
      port2.onmessage = ({ data }: MessageEvent<ToPipe>) => resolve(data);
    });
    const begun = target.begin({ filename: "x", length });
    expect(await head).toMatchObject({ type: "head", length: announced });
    await target.fail();
    await expect(begun).rejects.toMatchObject({ code: "cancelled" });
    port2.close();
  });
});
