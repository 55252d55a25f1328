/**
 * The end of a zip archive of 65,535 entries and more. client-zip counts them in sixteen bits there, so that readers
 * would see the first 65,535 only; the record with the full count is added in front of its last one.
 *
 * @module
 */

/** From this many entries on the sixteen bits of the last record are not enough. */
const SMALL_COUNT = 0xffff;
/** Sizes and offsets from here on make client-zip write the record itself. */
const SMALL_SIZE = 0xffffffff;
const END_BYTES = 22;
const RECORD_BYTES = 56;
const LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = RECORD_BYTES + LOCATOR_BYTES;
const RECORD_SIGNATURE = 0x06064b50;
const LOCATOR_SIGNATURE = 0x07064b50;
/** Made by and needed: 4.5, which introduced the record; made on Unix. */
const MADE_BY = 0x032d;
const NEEDED = 45;

/** Passes on what client-zip wrote, except for its last record, which waits for the record that may have to precede it. */
export class ZipEnd {
  #last: Uint8Array<ArrayBuffer> | undefined;
  #isRecordBefore = false;

  /** Takes what was written next; gives what may leave now. */
  next(written: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    const leaves = this.#last;
    this.#isRecordBefore = leaves?.length === ZIP64_END_BYTES && view(leaves).getUint32(0, true) === RECORD_SIGNATURE;
    this.#last = written;
    return leaves;
  }

  /** What remains when everything was written, for an archive of `entries` entries. */
  end(entries: number): readonly Uint8Array<ArrayBuffer>[] {
    const last = this.#last;
    if (last === undefined) return [];
    if (entries < SMALL_COUNT || this.#isRecordBefore || last.length !== END_BYTES) return [last];
    return [zip64End(entries, view(last).getUint32(12, true), view(last).getUint32(16, true)), last];
  }
}

/** Bytes that ZipEnd adds to an archive of these local name lengths (UTF-8 bytes) and sizes. */
export function addedEndBytes(files: readonly { readonly nameBytes: number; readonly size: number }[]): number {
  if (files.length < SMALL_COUNT) return 0;
  // Local header and data descriptor of client-zip: 46 bytes and the name, around the file's bytes.
  const indexAt = files.reduce((sum, { nameBytes, size }) => sum + 46 + nameBytes + size, 0);
  return files.some(({ size }) => size >= SMALL_SIZE) || indexAt >= SMALL_SIZE ? 0 : ZIP64_END_BYTES;
}

function zip64End(entries: number, indexBytes: number, indexAt: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ZIP64_END_BYTES);
  const record = view(bytes);
  record.setUint32(0, RECORD_SIGNATURE, true);
  record.setBigUint64(4, BigInt(RECORD_BYTES - 12), true);
  record.setUint16(12, MADE_BY, true);
  record.setUint16(14, NEEDED, true);
  record.setBigUint64(24, BigInt(entries), true);
  record.setBigUint64(32, BigInt(entries), true);
  record.setBigUint64(40, BigInt(indexBytes), true);
  record.setBigUint64(48, BigInt(indexAt), true);
  const locator = new DataView(bytes.buffer, RECORD_BYTES);
  locator.setUint32(0, LOCATOR_SIGNATURE, true);
  locator.setBigUint64(8, BigInt(indexAt) + BigInt(indexBytes), true);
  locator.setUint32(16, 1, true);
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
