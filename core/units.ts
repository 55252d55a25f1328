/**
 * Sizes and named caps that several rooms must agree on. Every number carries its unit in its name.
 *
 * @module
 */

/** 2^10 bytes. */
export const KIB = 1024;
/** 2^20 bytes. */
export const MIB = 1024 * KIB;
/** 2^30 bytes. */
export const GIB = 1024 * MIB;

/** Bytes of a full sealed pack, and so of a full pack on the wire and on the relay's disk. */
export const SEALED_PACK_BYTES = 4 * MIB;
/** AES-GCM initialisation vector (12) and tag (16) around every sealed segment. */
export const SEAL_OVERHEAD_BYTES = 28;
/** Length prefix (u32) inside the seal, before the payload. */
export const PAYLOAD_PREFIX_BYTES = 4;
/**
 * Sealed bytes of one segment: objects are sealed in pieces of this size, because WebCrypto takes three times as long for
 * the same bytes in one piece of 4 MiB, in memory that is fresh each time.
 */
export const SEGMENT_BYTES = 512 * KIB;
/** Payload bytes that a full pack carries. */
export const PACK_PAYLOAD_BYTES =
  SEALED_PACK_BYTES - (SEALED_PACK_BYTES / SEGMENT_BYTES) * SEAL_OVERHEAD_BYTES - PAYLOAD_PREFIX_BYTES;
/** Largest sealed manifest page. */
export const MAX_SEALED_PAGE_BYTES = 256 * KIB;
/** Largest control frame (MessagePack body). */
export const MAX_FRAME_BYTES = 64 * KIB;
/** Packs in one portal: 4 TiB at 4 MiB. */
export const MAX_PACKS = 2 ** 20;
/** Manifest pages in one portal. */
export const MAX_PAGES = 2 ** 20;
/** Chunks in one portal: 8 TiB at 1 MiB. A receiver keeps 40 bytes of each. */
export const MAX_CHUNKS = 2 ** 23;
/** Files and empty folders in one portal. */
export const MAX_ENTRIES = 1_000_000;
/** UTF-8 bytes of one path component and of a whole path, and its depth. */
export const MAX_NAME_BYTES = 255;
export const MAX_PATH_BYTES = 4096;
export const MAX_PATH_DEPTH = 64;
/** Plaintext bytes of one chunk at the most, at any average. */
export const MAX_CHUNK_BYTES = 4 * MIB;
/**
 * Plaintext bytes of one compressed run at the most (one chunk may be larger than this). Just below what browsers' own
 * allocators keep for reuse; a larger buffer is fresh memory each time.
 */
export const RUN_BYTES = 896 * KIB;
/** Bytes a client may have sent to a relay without an acknowledgement: eight packs. */
export const UPLOAD_WINDOW_BYTES = 8 * SEALED_PACK_BYTES;
/** Packs a receiver may have asked for and not yet written. */
export const DOWNLOAD_WINDOW_PACKS = 8;
/** Bytes of one write on a stream or one WebSocket message. */
export const WRITE_BYTES = 64 * KIB;

/** Seconds between heartbeats, and silence after which a link counts as lost. */
export const HEARTBEAT_MS = 5_000;
export const LINK_SILENCE_MS = 15_000;
/** How long WebTransport may take to connect before TCP is used. */
export const WEBTRANSPORT_CONNECT_MS = 3_000;
