import { expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { memoryFile } from "../../tests/support/fake-host.ts";
import { FakeRelay } from "../../tests/support/fake-relay.ts";
import { batchSource, createPortal, repeaterOf, startSend } from "../../tests/support/fake-transfer.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { MemoryJournal } from "../../tests/support/memory-journal.ts";
import { MIB } from "../units.ts";

/** Writes nothing down before it is told to. */
class SlowJournal extends MemoryJournal {
  readonly #opened = Promise.withResolvers<void>();
  waiting = 0;

  open(): void {
    this.#opened.resolve();
  }

  override async append(record: Uint8Array<ArrayBuffer>): Promise<void> {
    const copy = record.slice();
    this.waiting += 1;
    await this.#opened.promise;
    await super.append(copy);
  }
}

it("[PEER-15] a pack is for peers, and for the relay, only when the journal has its record", async () => {
  const files = [memoryFile("noise", noise(20 * MIB, "sealed"))];
  const engine = await loadEngine();
  const [relay, portal, journal] = [new FakeRelay(), await createPortal(), new SlowJournal()];
  const sealed: number[] = [];
  const parts = { journal, repeater: repeaterOf(files, engine), onFailed: () => {} };
  const send = startSend(relay, portal, files, batchSource(files, engine), parts, ({ header }) => {
    expect(journal.durable.length).toBeGreaterThan(0);
    sealed.push(header.index);
  });
  await expect.poll(() => journal.waiting).toBeGreaterThan(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(sealed).toEqual([]);
  expect(relay.objects.size).toBe(0);
  journal.open();
  await send.done;
  expect(sealed).toEqual(Array.from({ length: send.sender.packs }, (_, index) => index));
  expect(sealed.length).toBeGreaterThan(4);
});
