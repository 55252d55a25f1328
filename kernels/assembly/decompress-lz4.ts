/**
 * Decodes one LZ4 block of known size. Every length and distance is checked before it is used: whatever the input, nothing
 * outside `[src, src + bytes)` is read and nothing outside `[dst, dst + plainBytes)` is written.
 *
 * @module
 */

/** Bytes that one step of the wide copy moves. */
const WIDE: u32 = 16;
/** Left of the input so that 16 literals and a distance can be read, and of the output for what a short sequence writes. */
const SHORT_SOURCE: usize = 18;
const SHORT_ROOM: usize = 48;

/** Copies `bytes` bytes; up to 15 more may be read and written. */
function copyWide(to: usize, from: usize, bytes: u32): void {
  const end = to + bytes;
  while (to < end) {
    v128.store(to, v128.load(from));
    to += WIDE;
    from += WIDE;
  }
}

/** @returns whether the block is well formed and gives exactly `plainBytes` bytes */
export function decompressLz4(src: usize, bytes: u32, dst: usize, plainBytes: u32): bool {
  const srcEnd = src + bytes;
  const dstEnd = dst + plainBytes;
  let from = src;
  let to = dst;
  while (from < srcEnd) {
    const token: u32 = load<u8>(from++);
    let literals = token >> 4;
    if (literals < 15 && srcEnd - from >= SHORT_SOURCE && dstEnd - to >= SHORT_ROOM) {
      // Far from both ends a short sequence, the common one, is copied without looking at its lengths.
      v128.store(to, v128.load(from));
      from += literals;
      to += literals;
      const distance: u32 = load<u16>(from);
      if (distance >= 8 && (token & 15) < 15) {
        if (distance > <u32>(to - dst)) return false;
        const match = to - distance;
        store<u64>(to, load<u64>(match));
        store<u64>(to, load<u64>(match, 8), 8);
        store<u16>(to, load<u16>(match, 16), 16);
        from += 2;
        to += (token & 15) + 4;
        continue;
      }
    } else {
      if (literals == 15) {
        let more: u32 = 255;
        while (more == 255) {
          if (from == srcEnd || literals > plainBytes) return false;
          more = load<u8>(from++);
          literals += more;
        }
      }
      const srcLeft = <u32>(srcEnd - from);
      const dstLeft = <u32>(dstEnd - to);
      if (literals > srcLeft || literals > dstLeft) return false;
      if (literals + WIDE <= srcLeft && literals + WIDE <= dstLeft) copyWide(to, from, literals);
      else memory.copy(to, from, literals);
      from += literals;
      to += literals;
      if (from == srcEnd) return to == dstEnd;
    }

    if (srcEnd - from < 2) return false;
    const distance: u32 = load<u16>(from);
    from += 2;
    if (distance == 0 || distance > <u32>(to - dst)) return false;
    let length: u32 = (token & 15) + 4;
    if (length == 19) {
      let more: u32 = 255;
      while (more == 255) {
        if (from == srcEnd || length > plainBytes) return false;
        more = load<u8>(from++);
        length += more;
      }
    }
    const room = <u32>(dstEnd - to);
    if (length > room) return false;
    const match = to - distance;
    if (distance >= WIDE && length + WIDE <= room) {
      copyWide(to, match, length);
    } else if (distance >= 8 && length + 8 <= room) {
      const end = to + length;
      for (let word = to; word < end; word += 8) store<u64>(word, load<u64>(word - distance));
    } else if (distance == 1) {
      memory.fill(to, load<u8>(match), length);
    } else {
      // The source may overlap what is being written: bytes repeat, one by one.
      for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(match + i));
    }
    to += length;
  }
  return false;
}
