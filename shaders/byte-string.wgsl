// A byte string, four bytes in each word, and reading it at any offset; to be included.

@group(0) @binding(0) var<storage, read> data: array<u32>;

/// The four bytes at any byte offset.
fn load32(offset: u32) -> u32 {
  let word = offset >> 2u;
  let shift = (offset & 3u) * 8u;
  return (data[word] >> shift) | ((data[word + 1u] << (31u - shift)) << 1u);
}
